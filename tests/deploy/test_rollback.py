"""Going back by hand."""

from __future__ import annotations

import pytest

from tests.support.containers import docker
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def _volumes(project: str) -> list[str]:
    return docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={project}").split()


@pytest.mark.exhaustive
def test_what_ran_before_the_last_deploy_runs_again_with_all_data(breakable, tmp_path):
    original = (breakable.folder / hosts.COMPOSE_FILE).read_bytes()
    checkout = breakable.copy(tmp_path / "checkout")
    hosts.edit(checkout, lambda document, _: document["services"]["lago-clock"].update(mem_limit="900m"))
    deployed = command.deploy(breakable, checkout)
    assert deployed.code == 0, deployed.output[-6000:]
    breakable.put_data()
    counts, volumes = breakable.counts(), _volumes(breakable.project)
    result = command.run("rollback", breakable)
    assert result.code == 0, result.output
    assert "runs again; what ran until now is kept as backup" in result.output
    assert (breakable.folder / hosts.COMPOSE_FILE).read_bytes() == original
    assert breakable.counts() == counts
    assert _volumes(breakable.project) == volumes
    assert docker("inspect", "-f", "{{.HostConfig.Memory}}", breakable.container("lago-clock")) == str(2**30)


def test_a_migration_that_has_run_since_is_undone_from_the_dump(breakable, tmp_path):
    checkout = breakable.copy(tmp_path / "checkout")
    hosts.edit(checkout, lambda document, _: document["services"]["lago-clock"].update(mem_limit="900m"))
    name, counts = breakable.put_data(), breakable.counts()
    assert command.deploy(breakable, checkout).code == 0
    [deploy] = moments.folders(breakable)
    breakable.sql(
        "ALTER TABLE customers ADD COLUMN later text; INSERT INTO schema_migrations VALUES ('20990101000000')"
    )
    breakable.put_data()
    result = command.run("rollback", breakable, "--to", deploy.name)
    assert result.code == 0, result.output
    [kept] = breakable.sql("SELECT datname FROM pg_database WHERE datname LIKE 'lago_broken_%'").split()
    try:
        assert (
            f"The database was restored from the dump; the one that has changed since is kept as {kept}."
            in result.output
        )
        assert breakable.counts() == counts
        assert breakable.sql("SELECT count(*) FROM schema_migrations WHERE version = '20990101000000'") == "0"
        assert breakable.client().count("invoices", external_customer_id=name, status="finalized") == 1
        of_kept = docker(
            "exec",
            breakable.container("lago-db"),
            *(
                "psql",
                "-XqAt",
                "-U",
                "lago",
                "-d",
                kept,
                "-c",
                "SELECT count(later), count(*) FROM customers",
            ),
        )
        assert of_kept.strip() == f"0|{counts['customers'] + 1}"
    finally:
        docker("exec", breakable.container("lago-db"), "dropdb", "-U", "lago", kept)


def test_there_is_nothing_to_go_back_to_where_nothing_was_deployed(deployable):
    result = command.run("rollback", deployable)
    assert result.code == 4
    assert "nothing has been deployed to" in result.output
    unknown = command.run("rollback", deployable, "--to", "20200101-000000-abcdef")
    assert unknown.code == 4
    assert "there is no backup 20200101-000000-abcdef" in unknown.output


def test_volumes_go_only_by_the_projects_name_and_leave_a_dump(breakable):
    refused = command.run("rollback", breakable, "--down-volumes", "lago")
    assert refused.code == 4
    assert f"which is {breakable.project}" in refused.output
    assert _volumes(breakable.project)
    old = f"{breakable.project}_old"
    docker("volume", "create", "--label", f"com.docker.compose.project={breakable.project}", old)
    try:
        result = command.run("rollback", breakable, "--down-volumes", breakable.project)
        assert result.code == 0, result.output
        assert _volumes(breakable.project) == [old]
        assert f"The compose file doesn't mention {old}, so they were kept" in result.output
    finally:
        docker("volume", "rm", old)
    [dump] = breakable.folder.glob(".lago-acceptance/deploys/*/backup/database.dump")
    assert dump.read_bytes()[:5] == b"PGDMP"


@pytest.mark.exhaustive
def test_volumes_whose_removal_is_cut_off_come_back_with_all_data(breakable):
    name, counts = breakable.put_data(), breakable.counts()
    with moments.ahead_of("change_remove", moments.DIES_AFTER):
        ended = command.run("rollback", breakable, "--down-volumes", breakable.project)
    assert ended.code == 1, ended.output
    assert not _volumes(breakable.project)
    undone = command.run("rollback", breakable)
    assert undone.code == 0, undone.output
    breakable.await_routes()
    assert breakable.counts() == counts
    assert breakable.client().count("invoices", external_customer_id=name, status="finalized") == 1

"""The tables about releases are read from a checkout of Lago's source, of which nothing is run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lago_acceptance.cli import lago_facts
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago_source import checkout, tables
from lago_acceptance.lago_source.checkout import Checkout
from lago_acceptance.lago_source.history import History
from lago_acceptance.lago_source.ruby import table_of
from tests.unit.lago_source import made_up
from tests.unit.lago_source.made_up import git, release, repository


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A checkout that no test changes."""
    return repository(tmp_path_factory.mktemp("source") / "lago-api")


@pytest.fixture(scope="module")
def read(source, tmp_path_factory) -> dict[str, list[tables.Row]]:
    return tables.read(History(Checkout(source)), tmp_path_factory.mktemp("no-tables"))


@pytest.fixture
def changed(source, tmp_path) -> Path:
    """A checkout of the test's own."""
    return Path(shutil.copytree(source, tmp_path / "lago-api"))


@pytest.fixture
def folder(tmp_path, monkeypatch, read) -> Path:
    """The project's tables, as they are read from the checkout."""
    made = tmp_path / "tables"
    made.mkdir()
    tables.write(read, made)
    for name in ("read", "differences", "write"):
        called = getattr(tables, name)
        monkeypatch.setattr(tables, name, lambda given, called=called: called(given, made))
    return made


def called(*arguments: object) -> int:
    return lago_facts.main([str(each) for each in arguments])


def test_each_release_is_a_row(read):
    first, second, third = read["releases.tsv"]
    assert first == {
        "tag": "v1.16.0",
        "committed": "2024-05-01",
        "migrations": "1",
        "newest_migration": "20240101000000",
        "worker_config": "config/sidekiq.yml",
        "worker_exec": "no",
        "seeded_key_is_value_of": "LAGO_API_KEY",
        "migrate_seeds_roles": "no script",
        "sidekiq_console": "option",
        "metrics_open": "no",
        "ready_path": "none",
        "health_path": "/health",
    }
    assert second["sidekiq_console"] == "always open"
    assert (second["worker_config"], second["worker_exec"]) == ("config/sidekiq/sidekiq.yml", "yes")
    assert third["migrate_seeds_roles"] == "yes"


def test_a_constraint_has_the_first_release_that_validates_it_and_the_jobs_that_fill_it(read):
    owner, price = read["constraints.tsv"]
    assert owner == {
        "required_from": "v1.18.0",
        "table": "tickets",
        "column": "owner_id",
        "undone": "owner_id IS NULL",
        "column_since": "v1.17.0",
        "filled_by": "PopulateTicketsWithOwnerJob",
        "job_since": "v1.17.0",
        "migration": "20240301000000",
    }
    assert (price["column"], price["undone"], price["filled_by"]) == ("", "NOT (price >= 0)", "")


def test_a_job_has_its_table_and_columns_and_the_release_that_lacks_it_again(read):
    assert read["filling_jobs.tsv"] == [
        {
            "since": "v1.17.0",
            "until": "v1.18.0",
            "job": "PopulateTicketsWithOwnerJob",
            "queue": "low_priority",
            "table": "tickets",
            "columns": "owner_id",
        }
    ]


def test_a_task_has_the_jobs_that_it_enqueues_not_those_in_comments(read):
    assert read["tasks.tsv"] == [
        {
            "since": "v1.17.0",
            "until": "",
            "task": "upgrade:perform_required_jobs",
            "arguments": "",
            "jobs": "PopulateTicketsWithOwnerJob",
        }
    ]


def test_what_callers_notice_is_what_differs_from_the_release_before(read):
    assert [tuple(row.values()) for row in read["api_changes.tsv"]] == [
        ("v1.17.0", "answer", "ticket", "added", "number"),
        ("v1.17.0", "answer", "ticket", "removed", "code"),
        ("v1.18.0", "route", "/tickets/:code/owner", "added", "DELETE"),
    ]


def test_routes_are_read_with_their_blocks(source):
    from lago_acceptance.lago_source.routes import paths

    assert paths(made_up.ROUTES.replace("# resources :ghosts", "")) == {
        ("GET", "/tickets"),
        ("GET", "/tickets/:code"),
        ("DELETE", "/tickets"),
        ("POST", "/tickets/:code/print"),
        ("PUT", "/tickets/:code/owner"),
        ("GET", "/shows/:id/seats"),
    }


def test_fields_are_not_arguments_of_calls(source):
    from lago_acceptance.lago_source.api import seen

    newest = History(Checkout(source)).all[0]
    assert {name for area, _, name in seen(newest) if area == "answer"} == {"lago_id", "code", "seat", "row"}
    assert ("webhook", "", "ticket.sold") in seen(newest)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("Ticket", "tickets"),
        ("UsageThreshold", "usage_thresholds"),
        ("Metadata::CustomerMetadata", "customer_metadata"),
        ("DailyUsage", "daily_usages"),
        ("Entity", "entities"),
        ("Charge::AppliedTax", "charges_taxes"),
    ],
)
def test_a_model_has_a_table(model, table):
    texts = {"app/models/charge/applied_tax.rb": 'self.table_name = "charges_taxes"'}
    assert table_of(model, texts) == table


def test_tables_that_agree_end_with_0(source, folder, capsys):
    assert called(source) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "3 releases, v1.16.0 to v1.18.0: no difference\n")


def test_a_release_that_is_not_in_the_tables_is_told_and_written(changed, folder, capsys):
    release(changed, "v1.19.0", {"config/routes.rb": made_up.ROUTES.replace("/seats", "/chairs")})
    assert called(changed) == 1
    told = capsys.readouterr().out
    assert "# releases.tsv: 1 row to be added\nv1.19.0\t2024-05-01\t4\t" in told
    assert "v1.19.0\troute\t/shows/:id/chairs\tadded\tGET" in told
    assert called(changed, "--write") == 1
    assert called(changed) == 0


def test_rows_that_the_source_does_not_have_are_told(source, folder, capsys):
    path = folder / "tasks.tsv"
    path.write_text(path.read_text("utf-8") + "v1.18.0\t\tmigrations:nothing\t\t\n", "utf-8")
    assert called(source) == 1
    assert (
        "# tasks.tsv: 1 row not in the source\nv1.18.0\t\tmigrations:nothing\t\t\n" in capsys.readouterr().out
    )


def test_what_only_people_know_is_kept(source, folder):
    path = folder / "constraints.tsv"
    path.write_text(path.read_text("utf-8").replace("NOT (price >= 0)", ""), "utf-8")
    assert called(source, "--write") == 0
    assert "NOT (price" not in path.read_text("utf-8")


def test_a_bare_clone_is_read_like_a_checkout(source, folder, tmp_path):
    git(tmp_path, "clone", "--quiet", "--bare", str(source), "bare")
    assert called(tmp_path / "bare") == 0


def test_a_release_that_is_newer_than_its_number_changes_no_row_of_another(source, changed, tmp_path):
    git(changed, "tag", "v1.16.1", "v1.18.0")
    before, after = (History(Checkout(each)) for each in (source, changed))
    assert len(after.all) == len(before.all) + 1
    for name in ("constraints.tsv", "filling_jobs.tsv", "tasks.tsv", "api_changes.tsv"):
        assert tables.read(after, tmp_path)[name] == tables.read(before, tmp_path)[name]


@pytest.mark.parametrize("words", [[], ["--wrong", "x"], ["a", "b"]])
def test_bad_usage_ends_with_4(words, capsys):
    assert called(*words) == 4
    assert capsys.readouterr().err.startswith("lago-facts: ")


def test_what_is_no_repository_is_refused(tmp_path, capsys):
    assert called(tmp_path) == 4
    assert called(tmp_path / "missing") == 4
    assert "is not a git repository: give a checkout or a bare clone of Lago's API" in capsys.readouterr().err


def test_a_repository_without_releases_is_refused(tmp_path, capsys):
    git(tmp_path, "init", "--quiet")
    release(tmp_path, "v2.0.0", {"a": "b"})
    assert called(tmp_path) == 4
    assert (
        "has no tag of a release of Lago, such as v1.16.0: get them with `git fetch --tags`"
        in capsys.readouterr().err
    )


def test_a_repository_with_too_many_files_is_refused(source, monkeypatch):
    monkeypatch.setattr(checkout, "_FILES_CAP", 3)
    with pytest.raises(UsageError, match="has 8 files where Lago has some 1,500"):
        History(Checkout(source))


def test_a_repository_with_too_much_text_is_refused(source, monkeypatch):
    monkeypatch.setattr(checkout, "_BYTES_CAP", 100)
    with pytest.raises(UsageError, match="MB to read: is it Lago's API"):
        History(Checkout(source))


def test_a_file_that_is_too_large_is_left_out(changed):
    release(changed, "v1.19.0", {"config/routes.rb": made_up.ROUTES + "#" * 100_000})
    newest = History(Checkout(changed)).all[-1]
    assert newest.texts["config/routes.rb"] == ""


def test_no_program_of_the_repositorys_configuration_is_run(changed, folder, tmp_path):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n: > {tmp_path / 'ran'}\n")
    program.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "core.sshCommand",
        "core.gitProxy",
        "filter.a.smudge",
    ):
        git(changed, "config", name, str(program))
    (changed / ".git" / "info" / "attributes").write_text("* filter=a diff=a\n")
    assert called(changed) == 0
    assert not (tmp_path / "ran").exists()


def test_what_a_terminal_would_obey_is_not_printed(changed, folder, capsys):
    worker = "#!/bin/bash\nexec bundle exec sidekiq -C config/\x1b[31mred\n"
    release(changed, "v1.19.0", {"scripts/start.worker.sh": worker})
    assert called(changed) == 1
    told = capsys.readouterr().out
    assert "config/?[31mred" in told
    assert "\x1b" not in told

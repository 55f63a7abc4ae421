"""A deploy by the command, on a host that runs already."""

from __future__ import annotations

import pytest

from tests.support.deploy import command
from tests.support.deploy import host as hosts

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def test_a_deploy_that_changes_nothing_recreates_nothing(deployable, tmp_path):
    before = deployable.container_ids()
    result = command.deploy(deployable, deployable.copy(tmp_path / "checkout"))
    assert result.code == 0, result.output[-6000:]
    assert "the host is already up to date" in result.output
    assert deployable.container_ids() == before


def test_a_change_is_deployed_with_all_data(breakable, tmp_path):
    breakable.put_data()
    before, counts = breakable.container_ids(), breakable.counts()
    checkout = breakable.copy(tmp_path / "checkout")
    hosts.edit(
        checkout,
        lambda document, _: document["services"]["lago-api"]["environment"].update(
            LAGO_DISABLE_SEGMENT="yes"
        ),
    )
    result = command.deploy(breakable, checkout)
    assert result.code == 0, result.output[-6000:]
    after = breakable.container_ids()
    assert {name for name in after if after[name] != before.get(name)} == {"lago-api"}
    assert breakable.counts() == counts
    shown = command.run("status", breakable)
    assert "accepted, backup kept, dump of" in shown.output


def test_a_plan_says_what_would_change_and_changes_nothing(deployable, tmp_path):
    before = deployable.container_ids()
    checkout = deployable.copy(tmp_path / "checkout")

    def change(document: dict, variables: dict[str, str]) -> None:
        document["services"]["lago-api"]["environment"]["LAGO_DISABLE_SEGMENT"] = "yes"
        document["volumes"]["another"] = {}
        document["services"]["lago-pdf"]["volumes"] = ["another:/another"]
        document["services"]["lago-front"]["image"] = "127.0.0.1:9/getlago/front:v2"
        variables["SECRET_KEY_BASE"] = "0123456789abcdef" * 8

    hosts.edit(checkout, change)
    result = command.run("deploy", deployable, str(checkout), "--plan")
    assert result.code == 0, result.output
    for said in (
        "+      LAGO_DISABLE_SEGMENT: 'yes'",
        "lago-api: recreated",
        "127.0.0.1:9/getlago/front:v2 (to be pulled)",
        f"volume {deployable.project}_another: new, and empty",
        "migrations: none pending",
        "downtime: ",
        "secret-key-base-changed",
    ):
        assert said in result.output, f"{said!r} is missing in:\n{result.output}"
    assert "0123456789abcdef" not in result.output
    assert deployable.container_ids() == before
    assert not (deployable.folder / ".lago-acceptance").exists()

"""Where a deployment lies: the settings say it, else the labels of what runs, else the folder to deploy, else nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.core.settings import Deployment, Settings
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy import placed
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.model.deployment import Service
from tests.support.facts import container, facts
from tests.support.paths import DATA

HOST = LocalHost()
LABELS = "com.docker.compose.project."
MINE = (
    "services: {api: {image: 'getlago/api:v1.20.0', environment: {LAGO_FRONT_URL: 'https://bill.acme.io'}}}\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder to deploy; commands are run in another one, whose settings.toml is of another deployment."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "settings.toml").write_text((DATA / "settings.toml").read_text())
    monkeypatch.chdir(elsewhere)
    made = tmp_path / "mine"
    made.mkdir()
    (made / "compose.yml").write_text(MINE)
    (made / "prod.env").write_text("A=b\n")
    return made


@pytest.fixture
def runs(monkeypatch):
    """Call it with the labels of Lago's container on the host, or with nothing that runs there."""

    def seen(**labels: str) -> None:
        found = [_lago({LABELS + name: value for name, value in labels.items()})] if labels else []
        monkeypatch.setattr(placed, "observe", lambda *_, **__: facts(*found))

    seen()
    return seen


def _lago(labels: dict[str, str]):
    service = Service(name="api", image="getlago/api:v1.19.0", role="api", labels=labels)
    return container("api", service=service)


def deployment(*given: object, **more: object) -> Deployment:
    return placed.placed(HOST, *given, **more).deployment


def test_a_settings_file_that_is_named_says_it_and_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(placed, "observe", lambda *_, **__: pytest.fail("the host was looked at"))
    assert deployment(DATA / "settings.toml", "").directory == "/root/lago"


def test_labels_say_it_and_the_version_to_deploy_is_not_the_one_that_runs(runs, folder):
    runs(working_dir="/srv/lago", config_files="/srv/lago/compose.yml", environment_file="/srv/lago/prod.env")
    assert deployment(None, "", folder) == Deployment("/srv/lago", "compose.yml", "prod.env")
    assert deployment(None, "") == Deployment("/srv/lago", "compose.yml", "prod.env")


def test_the_folder_says_what_labels_do_not(runs, folder, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('[deployment]\ndirectory = "/srv/lago"\n[limits]\nqueue_age = 90\n')
    found = placed.placed(HOST, own, "", folder)
    assert found.deployment == Deployment("/srv/lago", "compose.yml", ".env")
    assert found.limits.queue_age == 90
    (folder / ".env.prod").write_text("A=b\n")
    (folder / ".env.example").write_text("A=\n")
    assert deployment(own, "", folder).env_file == ".env.prod"


def test_where_nothing_says_it_one_sentence_says_what_to_set(runs, folder):
    with pytest.raises(
        UsageError, match=r"nothing says deployment\.directory: .* \[deployment\] directory = "
    ) as said:
        placed.placed(HOST, None, "", folder)
    assert "/srv/lago" in str(said.value) and "bizoholic" not in str(said.value)
    with pytest.raises(UsageError, match=r"deployment\.directory"):
        placed.placed(HOST, None, "", needed=("directory",))


def test_settings_of_another_deployment_are_not_used(runs, folder):
    runs(working_dir="/srv/lago", config_files="/srv/lago/compose.yml")
    found = placed.placed(HOST, None, "", folder)
    assert found.hosts == Settings().hosts and found.deployment.directory == "/srv/lago"
    assert placed.of_folder(None, folder).deployment == Deployment("", "compose.yml", ".env")


def test_settings_that_nobody_named_are_used_for_their_own_deployment(runs, folder):
    (folder / "compose.yml").write_text(MINE.replace("bill.acme.io", "billing.bizoholic.net"))
    assert deployment(None, "", folder).directory == "/root/lago"


def test_a_file_outside_of_the_folder_is_refused(runs, folder):
    runs(working_dir="/srv/lago", config_files="/srv/lago/compose.yml", environment_file="/etc/lago.env")
    with pytest.raises(UsageError, match=r"deployment\.env_file is /etc/lago\.env, which is not in"):
        placed.placed(HOST, None, "", folder)


def test_several_lagos(monkeypatch):
    two = facts(lagos={"one": "/srv/one", "two": "/srv/two"})
    monkeypatch.setattr(placed, "observe", lambda *_, **__: two)
    for look in (placed.placed, placed.seen):
        with pytest.raises(UsageError, match="2 Lago stacks are on this machine: one, two; say which one"):
            look(HOST, None, "")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "has no compose file"),
        (("a-compose.yml", "b-compose.yml"), "has several compose files: a-compose.yml, b-compose.yml"),
    ],
)
def test_a_folder_without_one_compose_file(names, said, tmp_path):
    for each in names:
        (tmp_path / each).write_text(MINE)
    with pytest.raises(UsageError, match=f"{said}; set deployment.compose_file"):
        placed.compose_file_in(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        placed.compose_file_in(tmp_path / "none")


def test_dumps_of_another_deployments_settings_are_not_shown(runs, folder, monkeypatch):
    seen = facts(_lago({}), dumps=("one",))
    monkeypatch.setattr(placed, "observe", lambda *_, **__: seen)
    assert placed.seen(HOST, None, "").facts.dumps == ()
    assert placed.seen(HOST, DATA / "settings.toml", "").facts.dumps == ("one",)

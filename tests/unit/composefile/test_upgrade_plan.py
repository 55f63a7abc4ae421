"""The way of a deployment as data: its own commands, its files' changes, what is filled in and how that is seen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lago_acceptance.composefile.release_edits import moved
from lago_acceptance.composefile.upgrade_files import read_files
from lago_acceptance.composefile.upgrade_plan import UpgradePlan, planned
from lago_acceptance.core import settings
from lago_acceptance.core.resources import ROOT, SHIPPED_COMPOSE_FILE
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.upgrade_path import named
from lago_acceptance.lago.upgrades import stops
from tests.support.paths import DATA
from tests.support.patience import PATIENCE

DEPLOYMENT = settings.load(ROOT / "settings.toml").deployment
COMPOSE = "docker compose -f docker-compose.lago.yml --env-file .env.lago"


def plan(
    old: str, new: str, compose_file: Path = SHIPPED_COMPOSE_FILE, env_file: Path | None = None
) -> UpgradePlan:
    files = read_files(compose_file, env_file, DEPLOYMENT.env_file)
    return planned(named(old), named(new), DEPLOYMENT, files)


def written(folder: Path, text: str) -> Path:
    path = folder / "compose.yml"
    path.write_text(text)
    return path


def commands(found: UpgradePlan) -> list[str]:
    return [
        step.command
        for leg in found.legs
        for filling in leg.filling
        for step in (*filling.commands, *filling.proof_commands)
    ]


def test_the_legs_lead_from_stop_to_stop():
    found = plan("v1.16.0", "v1.51.0")
    ways = [(leg.old, leg.new) for leg in found.legs]
    assert ways[0][0] == "v1.16.0" and ways[-1][1] == "v1.51.0"
    assert [new for _, new in ways[:-1]] == [old for old, _ in ways[1:]]
    tags = {stop.tag for stop in stops()}
    assert [leg.new for leg in found.legs[:-1] if not leg.filling] == []
    assert {leg.new for leg in found.legs[:-1]} <= tags


def test_each_task_of_a_stop_has_its_command_and_those_of_the_same_rows_come_one_by_one():
    (first, _) = plan("v1.16.0", "v1.26.0").legs
    (filling,) = first.filling
    assert filling.required_by == "v1.26.0" and filling.workers == ("lago-worker",)
    runner = f"{COMPOSE} run --rm --no-deps lago-api bundle exec rails runner"
    assert [step.command for step in filling.commands] == [
        f"{runner} '{job}.perform_now'" for job in filling.jobs
    ]
    wait = "wait until its jobs are done before the next one"
    assert [step.why for step in filling.commands] == [wait, wait, ""]


def test_what_runs_already_and_is_a_stop_comes_first_without_a_deploy():
    first, second = plan("v1.25.0", "v1.26.0").legs
    assert (first.old, first.new, first.changes) == ("v1.25.0", "v1.25.0", ())
    assert first.filling and (second.old, second.new) == ("v1.25.0", "v1.26.0")


def test_what_an_earlier_stop_left_comes_first_too():
    first, second = plan("v1.30.0", "v1.32.0").legs
    assert (first.old, first.new) == ("v1.30.0", "v1.30.0")
    assert first.filling[0].required_by == "v1.32.0" and second.new == "v1.32.0"


def test_the_diff_of_each_leg_starts_where_the_one_before_ends():
    for before, leg in zip((None, *(legs := plan("v1.16.0", "v1.51.0").legs)), legs, strict=False):
        (change,) = leg.changes
        assert f"-  image: getlago/api:{before.new if before else 'v1.16.0'}\n" in change.diff
        assert f"+  image: getlago/api:{leg.new}\n" in change.diff


def test_a_file_that_cannot_be_moved_says_why_and_the_way_is_shown_all_the_same(tmp_path):
    pinned = "services: {api: {image: 'getlago/api:v1.16.0@sha256:0', command: ./scripts/start.api.sh}}"
    found = plan("v1.16.0", "v1.26.0", written(tmp_path, pinned))
    assert [leg.changes for leg in found.legs] == [(), ()]
    assert all("pinned by its digest" in leg.not_shown for leg in found.legs)
    assert any("lago-acceptance" in step.command for step in found.first) and found.legs[0].filling


def test_the_commands_name_the_services_that_the_file_has():
    found = plan("v1.16.0", "v1.51.0", DATA / "another_style.yml")
    assert found.legs[0].filling[0].workers == ("jobs",)
    for command in commands(found):
        assert " api " in command or "exec -T db psql -U billing -d billing" in command
    assert any(" stop api jobs schedule" in step.command for step in found.by_hand)


def test_a_service_with_an_entrypoint_of_its_own_gets_a_shell(tmp_path):
    text = "services: {web: {image: 'getlago/api:v1.16.0', entrypoint: [./run.sh], command: ./scripts/start.api.sh}}"
    (command, *_) = commands(plan("v1.16.0", "v1.26.0", written(tmp_path, text)))
    assert f"{COMPOSE} run --rm --no-deps --entrypoint bash web -c " in command


def test_a_task_with_shell_in_it_gets_a_shell():
    found = [each for each in commands(plan("v1.44.0", "v1.50.0")) if "DRY_RUN" in each]
    assert found == [
        f"{COMPOSE} run --rm --no-deps lago-api bash -c 'DRY_RUN=false bundle exec rails migrations:wallet_traceability'"
    ]


def test_a_task_for_each_organization_says_where_their_ids_are():
    found = commands(plan("v1.43.0", "v1.44.0"))
    at = next(at for at, each in enumerate(found) if "ORGANIZATION_ID" in each)
    assert "psql -U lago -d lago -Atc 'SELECT id FROM organizations'" in found[at - 1]


def test_a_database_elsewhere_is_reached_by_its_url(tmp_path):
    found = commands(
        plan("v1.16.0", "v1.26.0", written(tmp_path, "services: {api: {image: 'getlago/api:v1.16.0'}}"))
    )
    assert any(each.startswith('psql "$DATABASE_URL" -Atc ') for each in found)


def test_many_tables_are_counted_by_one_command():
    (filling,) = next(leg.filling for leg in plan("v1.25.0", "v1.29.0").legs if leg.new == "v1.29.0")
    step = filling.proof_commands[0]
    assert len(filling.proofs) > 30 and step.command.startswith("for table in \\\n")
    assert max(map(len, step.command.splitlines()[:-1])) <= 100


def test_a_page_that_the_file_closes_needs_nothing(tmp_path):
    def opens(compose_file: Path) -> str:
        notices = plan("v1.16.0", "v1.25.0", compose_file).legs[0].notices
        return next(each.change for each in notices if each.what.startswith("/sidekiq"))

    assert opens(SHIPPED_COMPOSE_FILE) == ""
    assert opens(DATA / "another_style.yml") == "block /sidekiq in the proxy"


def test_a_measurement_of_one_leg_is_with_it_and_one_of_several_is_with_the_way():
    found = plan("v1.16.0", "v1.26.0")
    assert [each.most for each in found.measured] == [14, 15]
    assert [leg.measured for leg in found.legs] == [(), ()]
    assert plan("v1.26.0", "v1.27.0").measured == ()


def test_no_secret_of_the_files_is_shown(tmp_path):
    compose = written(
        tmp_path,
        """\
services:
  api:
    image: getlago/api:${LAGO_VERSION}
    command: ./scripts/start.sh
    environment:
      LAGO_CREATE_ORG: "true"
      LAGO_ORG_API_KEY: "set"
      LAGO_API_KEY: 5f0c7a0e-key-of-ours
      SECRET_KEY_BASE: hunter2hunter2
    env_file: lago.env
""",
    )
    env = tmp_path / "lago.env"
    env.write_text("POSTGRES_PASSWORD=correct-horse\nLAGO_VERSION=v1.16.0\nSMTP_TOKEN=battery-staple\n")
    (leg, *_) = plan("v1.16.0", "v1.26.0", compose, env).legs
    shown = "".join(change.diff for change in leg.changes)
    assert [change.file for change in leg.changes] == ["compose.yml", "lago.env"]
    assert "+LAGO_VERSION=v1.25.0" in shown
    for secret in ("5f0c7a0e", "hunter2", "correct-horse", "battery-staple"):
        assert secret not in shown


@pytest.mark.parametrize(("old", "new"), [("v1.26.0", "v1.26.0"), ("v1.26.0", "v1.25.0")])
def test_where_there_is_no_way_there_is_no_plan(old, new):
    with pytest.raises(UsageError):
        plan(old, new)


@pytest.mark.parametrize(
    "compose_file", [SHIPPED_COMPOSE_FILE, DATA / "another_style.yml"], ids=lambda path: path.name
)
def test_each_command_is_shell(compose_file):
    found = plan("v1.16.0", "v1.51.0", compose_file)
    steps = (*found.first, *found.at_once, *found.each, *found.by_hand, *found.last)
    program = "\n".join([*(step.command for step in steps), *commands(found)])
    ended = subprocess.run(
        ["bash", "-n"], input=program, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_diffs_can_be_applied_one_after_the_other(tmp_path):
    copy = tmp_path / SHIPPED_COMPOSE_FILE.name
    copy.write_bytes(SHIPPED_COMPOSE_FILE.read_bytes())
    for leg in plan("v1.16.0", "v1.51.0").legs:
        for change in leg.changes:
            subprocess.run(
                ["git", "apply", "--unsafe-paths", "-p0", "-C1", "-"],
                input=f"{change.diff}\n",
                cwd=tmp_path,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
    files = {"compose.yml": SHIPPED_COMPOSE_FILE.read_bytes()}
    assert (
        copy.read_bytes()
        == moved(files, "compose.yml", "", named("v1.16.0"), named("v1.51.0"))["compose.yml"]
    )

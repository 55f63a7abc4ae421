"""What a deploy would change, and what speaks against it."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.deploy import preconditions
from lago_acceptance.deploy.plan import OldFile, Plan, diff_of
from lago_acceptance.deploy.state import ACCEPTED, Event, HostState, PastDeploy
from tests.support.deploy.planned import COMPOSE, PLAN, old_file
from tests.support.facts import container, facts

OWN = load(SETTINGS)
NOTHING_DONE = HostState("", ())


def _with(**changes: object) -> Plan:
    return msgspec.structs.replace(PLAN, **changes)


def _problems(plan: Plan, past: HostState = NOTHING_DONE, overwrite: bool = False) -> list[str]:
    return preconditions.problems(plan, past, facts(project="lago"), OWN.deployment, OWN.limits, overwrite)


def test_a_lago_that_compose_did_not_start_is_not_changed():
    """It has another name than any Compose project that is deployed beside it."""
    api = container("api", name="lago-api", project="")
    found = facts(api, project=PLAN.project, lagos={PLAN.project: ""})
    said = preconditions.problems(PLAN, NOTHING_DONE, found, OWN.deployment, OWN.limits, False)
    assert [each for each in said if "lago-api on the host was not started by Docker Compose" in each]


# --- what would change ---


def test_what_is_there_already_changes_nothing():
    assert PLAN.nothing
    assert not _problems(PLAN)


@pytest.mark.parametrize(
    ("plan", "recreated"),
    [
        (_with(hashes=PLAN.hashes | {"lago-api": "another"}), ("lago-api",)),
        (_with(images=PLAN.images | {"getlago/front:v1.16.0": "sha256:newer"}), ("lago-front",)),
        (_with(images=PLAN.images | {"getlago/api:v1.16.0": ""}), ("lago-api",)),
        (_with(containers=PLAN.containers[:1]), ("lago-front",)),
        (_with(new={"key.pem": b"another key"}), ("lago-api",)),
    ],
)
def test_what_differs_is_made_anew(plan, recreated):
    assert plan.recreated == recreated
    assert not plan.nothing


def test_a_container_that_has_failed_is_a_change():
    failed = msgspec.structs.replace(PLAN.containers[0], status="exited", exit_code=1)
    plan = _with(containers=(failed, PLAN.containers[1]))
    assert plan.stopped == ("lago-api",)
    assert not plan.nothing


def test_secrets_that_others_may_read_are_a_change():
    plan = _with(
        old=PLAN.old
        | {".env.lago": old_file(b"POSTGRES_PASSWORD=x\n", "644"), "notes": old_file(b"x", "644")}
    )
    assert plan.open_files == (".env.lago",)
    assert not plan.nothing
    assert _with(old=PLAN.old | {"key.pem": OldFile("640", "aa", b"")}).open_files == ("key.pem",)


def test_only_what_answers_or_stores_interrupts():
    assert preconditions.interrupts(_with(hashes=PLAN.hashes | {"lago-api": "another"}))
    assert not preconditions.interrupts(_with(hashes=PLAN.hashes | {"lago-front": "another"}))


def test_a_diff_says_which_secret_changes_and_shows_none():
    learn(
        {}, {}, [("POSTGRES_PASSWORD", "swordfish-1234"), ("POSTGRES_PASSWORD", "swordfish-5678")], SETTINGS
    )
    lines = list(
        diff_of(
            ".env.lago",
            b"POSTGRES_PASSWORD=swordfish-1234\nA=1\n",
            b"POSTGRES_PASSWORD=swordfish-5678\nA=2\n",
        )
    )
    assert "swordfish" not in "\n".join(lines)
    assert any(line.startswith("+POSTGRES_PASSWORD=") and line.endswith("(another value)") for line in lines)
    assert "-A=1" in lines
    assert "+A=2" in lines


def test_a_key_is_never_shown_in_a_diff():
    key = b"-----BEGIN PRIVATE KEY-----\nMIIE\n"
    assert list(diff_of("key.pem", b"", key)) == ["key.pem: is new"]
    assert list(diff_of("key.pem", key, key + b"x")) == ["key.pem: is replaced"]


# --- what speaks against it ---


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exists": False}, "there is no folder /root/lago on the host"),
        ({"user": "1000"}, "/root/lago belongs to another user (uid 0)"),
        ({"projects_here": ("lago", "shop")}, "/root/lago is the folder of another Compose project, shop"),
        ({"entries": ("index.php",), "old": {}}, "/root/lago holds index.php and nothing of Lago's"),
        ({"old": {"docker-compose.lago.yml": old_file(COMPOSE)}}, "key.pem is mounted by the compose file"),
        ({"networks": ()}, "the network dokploy-network does not exist on the host"),
        ({"listening": (22, 3010)}, "port 3010 of lago-api is in use by another program"),
        ({"free": 1024}, "only 1 MiB are free for the dump and the new files"),
        ({"free_images": 1024, "images": {"getlago/api:v1.16.0": ""}}, "only 1 MiB are free for images"),
    ],
)
def test_what_speaks_against_a_deploy_is_said(changes, said):
    found = _problems(_with(**changes))
    assert any(each.startswith(said) for each in found), found


def test_a_project_of_that_name_elsewhere_is_not_taken_over():
    others = facts(lagos={"lago": "/srv/another", "more": "/srv/more"})
    plan = _with(containers=())
    [said] = preconditions.problems(plan, NOTHING_DONE, others, OWN.deployment, OWN.limits, False)
    assert said.startswith("the project lago was started in /srv/another, not in /root/lago")


def test_variables_without_a_file_are_said():
    plan = _with(new={"docker-compose.lago.yml": b"${POSTGRES_PASSWORD:?}"})
    assert any("there is no .env.lago" in each for each in _problems(plan))


def _deployed(content: bytes) -> HostState:
    manifest = {"docker-compose.lago.yml": hashlib.sha256(content).hexdigest()}
    return HostState(
        "", (PastDeploy("1", (Event(1, "begin", "files"), Event(2, ACCEPTED, "-")), manifest=manifest),)
    )


def test_a_file_that_was_changed_by_hand_is_not_overwritten_unasked():
    plan = _with(new={"docker-compose.lago.yml": b"next: 1\n"})
    [said] = _problems(plan, _deployed(b"as it was deployed"))
    assert said.startswith("docker-compose.lago.yml was changed on the host since the last deploy (1)")
    assert "+next: 1" in said
    assert not _problems(plan, _deployed(b"as it was deployed"), overwrite=True)
    assert not _problems(plan, _deployed(COMPOSE))


def test_a_file_that_is_not_replaced_may_have_been_changed_by_hand():
    assert not _problems(PLAN, _deployed(b"as it was deployed"))

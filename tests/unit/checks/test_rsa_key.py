"""Each check of the RSA key, as a file and in use, is seen red and green."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import rsa_key, rsa_pem
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import EndpointAnswer, LagoProcess, LoadedKey
from lago_acceptance.facts.types import ComposeText, KeyFile
from lago_acceptance.model.deployment import Mount, Service
from tests.support.facts import SETTINGS, container, facts, ids, stamp

PATH, TARGET = "/srv/lago_rsa_private.pem", "/run/lago/rsa_private.pem"
GOOD = KeyFile(
    path=PATH,
    mode="600",
    owner="0",
    size=1704,
    kind="regular file",
    header="BEGIN PRIVATE KEY",
    text="Private-Key: (2048 bit, 2 primes)",
    consistent=True,
    digest="a",
)
ROLES = ("migrate", "api", "worker", "clock")
LOADED = LoadedKey(public="a", bits=2048, private=True, consistent=True)
ORGANIZATION, PUBLIC, TOKEN = (
    "/api/v1/organizations",
    "/api/v1/webhooks/public_key",
    "/api/v1/organizations/grpc_token",
)
ANSWERS = {path: EndpointAnswer(200) for path in (ORGANIZATION, PUBLIC, TOKEN)}


def mounting(role: str, source: str = PATH, read_only: bool = True):
    service = Service(name=role, image="", role=role, mounts=(Mount("bind", source, TARGET, read_only),))
    return container(role, service=service)


def with_pem(*containers, **changed):
    return facts(*(containers or map(mounting, ROLES)), sources=(msgspec.structs.replace(GOOD, **changed),))


def loaded(key: LoadedKey | None = LOADED, **api):
    """Every process has the mounted key but the worker, which has another."""
    said = {role: LagoProcess(exec=True, key=LOADED) for role in ROLES}
    said["worker"] = LagoProcess(exec=True, key=key)
    said["api"] = msgspec.structs.replace(
        said["api"], **{"with_key": True, "answers": ANSWERS, "served": "a", "token_verifies": True, **api}
    )
    return msgspec.structs.replace(with_pem(), lago=said)


# --- the file ---


@pytest.mark.parametrize(
    "check",
    [rsa_pem.is_mounted_everywhere, rsa_pem.is_a_file, rsa_pem.is_private]
    + [rsa_pem.is_a_key_that_lago_can_use, rsa_pem.is_mounted_read_only_and_the_same],
)
def test_a_good_pem_is_good(check):
    assert list(check(with_pem(), SETTINGS)) == []


def test_a_service_without_the_key():
    seen = with_pem(*map(mounting, ("migrate", "api", "worker")), container("clock"))
    found = rsa_pem.is_mounted_everywhere(seen, SETTINGS)
    assert [(each.id, each.role) for each in found] == [("rsa-key-not-mounted", "clock")]


@pytest.mark.parametrize(
    ("check", "changed", "id"),
    [
        (rsa_pem.is_a_file, {"kind": "directory"}, "rsa-pem-is-a-folder"),
        (rsa_pem.is_a_file, {"kind": "absent"}, "rsa-pem-absent"),
        (rsa_pem.is_private, {"mode": "644"}, "rsa-pem-readable-by-others"),
        (rsa_pem.is_private, {"owner": "1000"}, "rsa-pem-foreign-owner"),
        (rsa_pem.is_a_key_that_lago_can_use, {"size": 0}, "rsa-pem-empty"),
        (rsa_pem.is_a_key_that_lago_can_use, {"header": "BEGIN ENCRYPTED PRIVATE KEY"}, "rsa-pem-encrypted"),
        (rsa_pem.is_a_key_that_lago_can_use, {"header": "BEGIN PUBLIC KEY"}, "rsa-pem-public"),
        (rsa_pem.is_a_key_that_lago_can_use, {"header": "BEGIN EC PRIVATE KEY"}, "rsa-pem-not-rsa"),
        (rsa_pem.is_a_key_that_lago_can_use, {"text": "", "digest": ""}, "rsa-pem-damaged"),
        (rsa_pem.is_a_key_that_lago_can_use, {"consistent": False}, "rsa-pem-inconsistent"),
        (
            rsa_pem.is_a_key_that_lago_can_use,
            {"text": "Private-Key: (1024 bit, 2 primes)"},
            "rsa-pem-short",
        ),
    ],
)
def test_a_pem_that_can_not_be_used(check, changed, id):
    assert ids(check(with_pem(**changed), SETTINGS)) == [id]


def test_keys_that_differ_and_can_be_written_to():
    others = (mounting("api"), mounting("worker", "/srv/other.pem", read_only=False))
    seen = facts(*others, sources=(GOOD, msgspec.structs.replace(GOOD, path="/srv/other.pem", digest="b")))
    found = ids(rsa_pem.is_mounted_read_only_and_the_same(seen, SETTINGS))
    assert found == ["rsa-key-mount-writable", "rsa-key-differs"]
    with pytest.raises(Blocked, match="rsa-key-differs"):
        list(rsa_key.is_the_mounted_one(seen, SETTINGS))


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        (with_pem(kind="hidden"), Unknown, "folder that this user may not enter"),
        (facts(*map(container, ROLES)), Blocked, "rsa-key-not-mounted"),
        (facts(), Blocked, "not-brought-up"),
        (facts(container("db")), Blocked, "service-missing"),
    ],
)
@pytest.mark.parametrize("check", [rsa_pem.is_a_file, rsa_pem.is_private, rsa_pem.is_a_key_that_lago_can_use])
def test_a_pem_that_is_not_seen(check, seen, verdict, words):
    with pytest.raises(verdict, match=words):
        list(check(seen, SETTINGS))


def test_a_pem_that_may_not_be_read_is_unknown():
    unreadable = with_pem(text="unreadable", digest="")
    with pytest.raises(Unknown, match="only root"):
        list(rsa_pem.is_a_key_that_lago_can_use(unreadable, SETTINGS))
    with pytest.raises(Unknown, match="only root"):
        rsa_key.mounted(unreadable, SETTINGS)
    with pytest.raises(Blocked, match="rsa-pem-absent"):
        list(rsa_pem.is_private(with_pem(kind="absent"), SETTINGS))


# --- in use ---


def test_a_key_that_is_well_loaded():
    assert list(rsa_key.is_loaded(loaded())) == []
    assert list(rsa_key.is_there_in_docker_exec(loaded())) == []
    for check in (rsa_key.is_the_mounted_one, rsa_key.public_half_is_served, rsa_key.signed_token_verifies):
        assert list(check(loaded(), SETTINGS)) == []


@pytest.mark.parametrize(
    ("key", "id", "words"),
    [
        (LoadedKey(error="RSAError"), "rsa-key-unloadable", "RSAError"),
        (msgspec.structs.replace(LOADED, private=False), "rsa-key-unfit", "public only"),
        (msgspec.structs.replace(LOADED, bits=1024), "rsa-key-unfit", "of 1024 bits"),
        (msgspec.structs.replace(LOADED, consistent=False), "rsa-key-unfit", "inconsistent"),
    ],
)
def test_a_key_that_can_not_sign(key, id, words):
    (found,) = rsa_key.is_loaded(loaded(key))
    assert (found.id, found.role) == (id, "worker") and words in found.problem


def test_a_key_that_keeps_lago_from_starting():
    dead = container("api", running=False, status="exited", exit_code=1)
    log = f"{stamp(9)} undefined method `unpack1' for nil"
    (found,) = rsa_key.is_loaded(facts(dead, logs={"api": log}))
    assert found.id == "rsa-key-absent" and "exited with code 1" in found.problem


def test_a_process_that_did_not_name_its_key_is_unknown():
    with pytest.raises(Unknown, match="worker"):
        list(rsa_key.is_loaded(loaded(None)))
    with pytest.raises(Unknown, match="no process reported"):
        list(rsa_key.is_the_mounted_one(with_pem(), SETTINGS))
    with pytest.raises(Unknown, match="docker exec"):
        list(rsa_key.is_there_in_docker_exec(with_pem()))
    with pytest.raises(Blocked, match="none of api, worker, clock is running"):
        list(rsa_key.is_loaded(facts(container("db"))))


def test_a_process_with_another_key():
    found = rsa_key.is_the_mounted_one(loaded(msgspec.structs.replace(LOADED, public="b")), SETTINGS)
    assert [(each.id, each.role) for each in found] == [("rsa-key-not-the-mounted-one", "worker")]


@pytest.mark.parametrize(
    ("served", "words"), [("b", "is not the public half"), (None, "serves no public key: it answers 200")]
)
def test_an_api_that_serves_another_public_key(served, words):
    (found,) = rsa_key.public_half_is_served(loaded(served=served), SETTINGS)
    assert found.id == "rsa-served-key-differs" and words in found.problem


def test_a_token_that_does_not_verify():
    for verifies in (False, None):
        (found,) = rsa_key.signed_token_verifies(
            loaded(token_verifies=verifies, served_error="cut"), SETTINGS
        )
        assert found.id == "rsa-token-unverified" and "answers 200, cut" in found.problem


def test_a_key_that_docker_exec_lacks():
    seen = msgspec.structs.replace(loaded(), lago={**loaded().lago, "clock": LagoProcess(exec=False)})
    (found,) = rsa_key.is_there_in_docker_exec(seen)
    assert (found.id, found.role, found.severity) == ("rsa-key-absent-in-exec", "clock", "warning")


def test_key_material_elsewhere():
    assert list(rsa_key.is_nowhere_else(loaded(), SETTINGS)) == []
    seen = facts(
        container("api", {"LAGO_RSA_PRIVATE_KEY": "<secret:1:base64:2272>", "PORT": "3000"}),
        texts=(ComposeText("/srv/.env", "600", (7,)), ComposeText("/srv/compose.yml", "644", ())),
        logs={"api": f"{stamp(9)} export <key material>"},
    )
    found = list(rsa_key.is_nowhere_else(seen, SETTINGS))
    assert ids(found) == ["rsa-key-in-file", "rsa-key-in-environment", "rsa-key-in-log"]
    assert str(found[0].place) == "/srv/.env:7"

"""A credential goes to a container that has it already, or that the compose file of its keeper declares; to no other."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from lago_acceptance.checks import availability
from lago_acceptance.core.roles import DB
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.collect import ONLY, TOO, observe, reading
from lago_acceptance.facts.types import Facts
from tests.support.pretended_host import DOCKER, KEY, ONE_SHELL, PASSWORD, Shell, rows

REDIS_PASSWORD = "f00d&d00d$1"
NETWORK = "production_default"
API, POSTGRES, REDIS = "getlago/api:v1.16.0", "postgres:15", "redis:7"
LABEL = "com.docker.compose.project"


@pytest.fixture
def production(host: Shell) -> Shell:
    """A host with an API that holds all credentials, and a compose file that Compose reads as its services are set."""
    (host.folder / "compose.yml").write_text("services: {}\n")
    host.program("docker", DOCKER.format(folder=shlex.quote(str(host.folder))))
    declares(host, {})
    host.add(
        rows(
            "keeper",
            API,
            "./scripts/start.api.sh",
            labels={f"{LABEL}.config_files": f"{host.folder}/compose.yml"},
            environment={
                "LAGO_API_KEY": KEY,
                "DATABASE_URL": f"postgres://lago:{PASSWORD}@db.internal:5432/lago?pool=5",
                "REDIS_URL": "redis://:f00d%26d00d%241@redis.internal:6379/1",
            },
            networks={NETWORK: ["keeper"]},
        )
    )
    return host


def declares(host: Shell, images: dict[str, str]) -> None:
    """Have Compose print these services and their images."""
    document = {"name": "production", "services": {name: {"image": image} for name, image in images.items()}}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    host.program("docker-compose", f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")


def given_to(host: Shell, name: str, inside: str = TOO) -> str:
    """Arguments, credentials in the environment, and standard input of what was run in a container."""
    host.run(reading(host, inside=inside).script())
    file = host.folder / "given"
    runs = re.split(r"(?m)^(?=exec )", file.read_text() if file.exists() else "")
    return "".join(run for run in runs if f" {name} " in run.partition("\n")[0])


def secrets_in(text: str) -> set[str]:
    return {secret for secret in (KEY, PASSWORD, REDIS_PASSWORD, "f00d%26d00d%241") if secret in text}


SERVING = {
    "api": (API, "./scripts/start.api.sh", KEY, "keeper"),
    "db": (POSTGRES, "docker-entrypoint.sh", PASSWORD, "db.internal"),
    "redis": (REDIS, "docker-entrypoint.sh", REDIS_PASSWORD, "redis.internal"),
}


@ONE_SHELL
@pytest.mark.parametrize("role", SERVING)
@pytest.mark.parametrize(
    ("image", "alias", "declared"),
    [
        # Its image's labels name the project and a role, or its image sounds like it.
        ("evil/thing:1", "elsewhere", None),
        (None, "elsewhere", None),
        # A name on the network alone, too.
        ("evil/thing:1", "same", None),
        (None, "same", "other/image:2"),
        ("evil/thing:1", "same", "own"),
    ],
)
def test_a_label_or_an_image_that_fits_gets_no_credential(role, image, alias, declared, production):
    own, command, _, name = SERVING[role]
    if declared:
        declares(production, {"stranger": own if declared == "own" else declared})
    production.add(
        rows(
            "stranger",
            image or own,
            command,
            labels={"lago-acceptance.role": role},
            networks={NETWORK: [name if alias == "same" else alias]},
        )
    )
    assert not secrets_in(given_to(production, "stranger"))


@pytest.mark.parametrize("role", SERVING)
def test_what_the_file_declares_under_the_name_of_the_url_gets_its_credential(role, production):
    image, command, secret, name = SERVING[role]
    declares(production, {"declared": image})
    production.add(rows("declared", f"{image}@sha256:{'0' * 64}", command, networks={NETWORK: [name]}))
    assert secrets_in(given_to(production, "declared")) & {secret}


@pytest.mark.parametrize(
    ("role", "arguments", "environment"),
    [
        ("db", ["postgres"], {"POSTGRES_PASSWORD": PASSWORD}),
        ("db", ["postgres"], {"URL": f"postgres://x:{PASSWORD}@y/z"}),
        ("redis", ["redis-server", "--requirepass", REDIS_PASSWORD], {}),
        ("redis", ["sh", "-c", f"exec redis-server --requirepass '{REDIS_PASSWORD}' --save 60"], {}),
        ("redis", ["redis-server"], {"REDIS_PASSWORD": REDIS_PASSWORD}),
    ],
)
def test_what_has_it_already_gets_it(role, arguments, environment, production):
    """Such as a database of another project that only its password tells from others, on another network."""
    image, command, secret, _ = SERVING[role]
    production.add(rows("holder", f"ci.example/{image}", command, arguments, environment=environment))
    assert secret in given_to(production, "holder")


@ONE_SHELL
@pytest.mark.parametrize("word", [f"{REDIS_PASSWORD}x", REDIS_PASSWORD[:-1], f"x{REDIS_PASSWORD}"])
def test_half_a_password_is_none(word, production):
    production.add(rows("stranger", REDIS, "x", ["redis-server", "--requirepass", word]))
    assert not secrets_in(given_to(production, "stranger"))


def test_an_api_with_a_key_of_its_own_uses_that(production):
    asked = given_to(production, "keeper")
    assert " ruby " in asked and not secrets_in(asked)


@pytest.mark.parametrize("image", [API, "evil/thing:1"])
def test_a_look_at_the_inside_alone_hands_out_no_more(image, production):
    """Its API comes before the one that holds the key."""
    first = (production.folder / "table").read_text()
    (production.folder / "table").unlink()
    labels = {"lago-acceptance.role": "api", f"{LABEL}.config_files": f"{production.folder}/compose.yml"}
    production.add(rows("first", image, "x", labels=labels))
    production.add(first.splitlines())
    declares(production, {"first": API})
    assert secrets_in(given_to(production, "first", inside=ONLY)) == ({KEY} if image == API else set())


@ONE_SHELL
@pytest.mark.parametrize(
    "url", [f"postgres://lago@/x?password={PASSWORD}", f"postgres:///x?a=b&password={PASSWORD}&host=/run"]
)
def test_a_password_among_the_parameters_is_one(url, production):
    table = production.folder / "table"
    table.write_text(re.sub(r"postgres://[^\"]*", lambda _: url, table.read_text()))
    declares(production, {"stranger": POSTGRES})
    production.add(rows("stranger", POSTGRES, "x", networks={NETWORK: ["db.internal", ""]}))
    assert not secrets_in(given_to(production, "stranger"))


def test_a_strangers_own_file_does_not_vouch_for_it(production):
    """First of all containers, it names a file of its own, which declares it as it is."""
    first = (production.folder / "table").read_text()
    (production.folder / "table").unlink()
    own = f"{production.folder}/own.yml"
    (production.folder / "own.yml").write_text("services: {}\n")
    declares(production, {"stranger": "evil/postgres:1"})
    production.add(
        rows(
            "stranger",
            "evil/postgres:1",
            "x",
            labels={f"{LABEL}.config_files": own, "lago-acceptance.role": "db"},
            networks={NETWORK: ["db.internal"]},
            environment={"LAGO_API_KEY": "my-own-key", "REDIS_URL": "redis://x"},
        )
    )
    with (production.folder / "table").open("a") as table:
        table.write(first)
    asked = production.folder / "asked"
    production.program("docker-compose", f'#!/bin/sh\necho "$*" >>{asked}\n')
    assert not secrets_in(given_to(production, "stranger"))
    assert own not in asked.read_text() and f"{production.folder}/compose.yml" in asked.read_text()


def test_the_file_of_one_credentials_keeper_does_not_vouch_for_another(production):
    """A container that brings a DATABASE_URL of its own says with it which file Compose reads."""
    first = (production.folder / "table").read_text()
    (production.folder / "table").unlink()
    declares(production, {"stranger": "evil/redis:1"})
    production.add(
        rows(
            "bringer",
            "evil/api:1",
            "x",
            labels={f"{LABEL}.config_files": f"{production.folder}/own.yml", "lago-acceptance.role": "api"},
            environment={"DATABASE_URL": "postgres://x:its-own-password@y/z"},
        )
    )
    production.add(
        rows(
            "stranger",
            "evil/redis:1",
            "x",
            labels={"lago-acceptance.role": "redis"},
            networks={NETWORK: ["redis.internal"]},
        )
    )
    production.add(first.splitlines())
    assert not secrets_in(given_to(production, "stranger"))


def test_who_was_not_asked_is_unknown_and_hides_no_other(production):
    claims = {"com.docker.compose.service": "db"}
    production.add(rows("stranger", POSTGRES, "x", labels=claims, networks={NETWORK: ["db.internal"]}))
    facts: Facts = observe(production)
    assert "stranger was not queried" in facts.database_error
    with pytest.raises(
        Unknown, match="stranger was not queried: it does not have the password of DATABASE_URL"
    ):
        availability.must_be_asked(facts, DB, facts.database_error)
    production.add(rows("db1", POSTGRES, "x", environment={"POSTGRES_PASSWORD": PASSWORD}))
    facts = observe(production)
    assert facts.database and facts.database.directory == "/data", facts.database_error


def test_no_secret_is_an_argument(production):
    """Anybody on the host can read arguments."""
    declares(production, {"a": API, "b": POSTGRES, "c": REDIS})
    for id, (image, command, _, name) in zip("abc", SERVING.values(), strict=True):
        production.add(rows(id, image, command, networks={NETWORK: [name]}))
    log = production.folder / "arguments"
    for name in ("awk", "head", "tail", "sed", "timeout", "tr", "env"):
        (production.tools / name).unlink(missing_ok=True)
        real = "busybox " + name if production.path == str(production.tools) else f"/usr/bin/{name}"
        production.program(
            name,
            f'#!/bin/sh\nprintf "%s\\n" "$*" >>{log}\nexec {real.replace("busybox", "/usr/bin/busybox")} "$@"\n',
        )
    given_to(production, "a")
    assert "docker exec" in log.read_text() and not secrets_in(log.read_text())

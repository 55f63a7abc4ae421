"""The deployment's secrets stay on the host, however they are written where they turn up."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.collect import observe, reading
from tests.support.pretended_host import ONE_SHELL, Shell, rows

# Letters that JSON, URLs, shells and Compose write in other ways.
CANARY = f'c{secrets.token_hex(6)}/+"&$<\\ü%{secrets.token_hex(6)}'
PLAIN = f"p{secrets.token_hex(12)}"
STAMP = "2026-11-24T10:00:00.000000000Z "


def forms_of(secret: str) -> dict[str, str]:
    """How a secret may turn up, by a word for it."""
    raw = secret.encode()
    forms = {
        "raw": secret,
        "json": json.dumps(secret, ensure_ascii=False)[1:-1],
        "url": urllib.parse.quote(secret, safe=""),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
    }
    for before in ("", "x", "xy"):
        encoded = base64.b64encode(before.encode() + raw + b"z")
        forms[f"base64 behind {before!r}"] = encoded.decode()
        forms[f"URL-safe base64 behind {before!r}"] = encoded.decode().replace("+", "-").replace("/", "_")
    return forms


def pieces_of(secret: str) -> list[str]:
    """What must not be readable of a secret: of base64, the middle says as much."""
    forms = forms_of(secret)
    return [text[4:-6] if "base64" in name else text for name, text in forms.items()]


@pytest.fixture
def production(lago: Shell) -> Shell:
    lago.add(
        rows("worker", "getlago/api:v1", "./scripts/start.worker.sh", environment={"SOME_SECRET": CANARY})
    )
    lago.add(rows("other", "getlago/api:v1", "./scripts/start.clock.sh", environment={"MY_TOKEN": PLAIN}))
    return lago


def leaked(text: str) -> list[str]:
    return [piece for secret in (CANARY, PLAIN) for piece in pieces_of(secret) if piece in text]


def test_in_logs(production):
    lines = [
        f"{STAMP}{name}: <{text}> and {text}." for s in (CANARY, PLAIN) for name, text in forms_of(s).items()
    ]
    (production.folder / "log").write_text("\n".join(lines) + "\n")
    printed = production.read(reading(production))
    assert not leaked(printed)
    log = [line for line in printed.split("\n") if line.startswith("logs:worker ")]
    assert len(log) == len(lines) and f"{STAMP}raw: <<secret>> and <secret>." in log[0]
    # Those who made the canary up know what the test has to find.
    assert set(leaked("\n".join(lines))) == {piece for s in (CANARY, PLAIN) for piece in pieces_of(s)}


def test_at_the_end_of_a_line_that_is_cut(production):
    (production.folder / "log").write_text("\n".join("x " * 3980 + "y" * n + PLAIN for n in range(48)))
    printed = production.read(reading(production))
    assert "(cut)" in printed and PLAIN[:6] not in printed.replace("<secret>", "")


@ONE_SHELL
@pytest.mark.parametrize("secret", [CANARY, PLAIN], ids=["odd", "plain"])
def test_in_healthchecks_labels_commands_and_variables_by_class(secret, production):
    state = {"Health": {"Status": "unhealthy", "Log": [{"Output": " ".join(forms_of(secret).values())}]}}
    production.add(
        rows(
            "last",
            "getlago/api:v1",
            "./scripts/start.worker.sh",
            ["--key", secret, f"x={secret}"],
            labels={"about": f"key {secret}"},
            environment={"ABOUT": f"the key is {secret}", "KEY_AGAIN": secret},
            state=state,
        )
    )
    printed = production.read(reading(production))
    assert not leaked(printed)
    last = next(each for each in observe(production).containers if each.id == "last")
    mask = last.service.environment["KEY_AGAIN"]
    assert mask.startswith("<secret:") and last.service.environment["ABOUT"] == f"the key is {mask}"
    assert last.service.labels["about"] == f"key {mask}"
    assert "secret" in last.health_output


def test_a_declared_command_is_compared_by_class(production):
    """Compose doubles dollar signs in what it prints."""
    word = json.dumps(f"--key={CANARY}".replace("$", "$$"), ensure_ascii=False)
    text = f'{{\n  "services": {{\n    "a": {{\n      "command": [\n        {word}\n      ]\n    }}\n  }}\n}}'
    production.program("docker-compose", f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
    production.add(rows("b", "x", "y", labels={"about": f"--key={CANARY}"}))
    assert not leaked(production.read(reading(production)))
    facts = observe(production)
    about = next(each for each in facts.containers if each.id == "b").service.labels["about"]
    assert facts.declaration.services[0].command == (about,) and "<secret:" in about


def test_in_what_containers_answer(production):
    text = "\n".join(forms_of(CANARY).values())
    (production.folder / "canaries").write_text(text)
    (production.folder / "exec").write_text(
        f"cat {production.folder}/canaries\n".replace(" /", " '/").replace("canaries\n", "canaries'\n")
    )
    production.add(rows("f", "getlago/front:v1", "nginx"))
    production.add(rows("t", "traefik:v3", "traefik"))
    assert not leaked(production.read(reading(production, inside="too")))


@ONE_SHELL
@pytest.mark.parametrize(
    "word",
    ["production", "postgres", "changeme", "lago1234", "short", "/run/secrets/key", "https://lago.example"],
)
def test_a_value_that_everybody_knows_is_no_secret_where_it_is_read(word, production):
    """Else a password that is postgres would hide which image runs."""
    production.add(rows("x", f"a/{word}:1", "run", environment={"A_PASSWORD": word, "A_TOKEN": word}))
    (production.folder / "log").write_text(f"{STAMP}started {word}\n")
    facts = observe(production)
    assert next(each for each in facts.containers if each.id == "x").service.image == f"a/{word}:1"
    assert facts.log(facts.containers[0]) == [f"started {word}"]


@ONE_SHELL
@pytest.mark.parametrize("headed", [True, False], ids=["whole", "without its first lines"])
@pytest.mark.parametrize("stamped", [True, False])
def test_a_keys_body_in_a_log(headed, stamped, lago):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    body = pem.split("\n")[0 if headed else 2 :]
    again = base64.encodebytes(pem.encode()).decode().split("\n")[0 if headed else 1 :]
    lines = [*body, "and in base64", *again, "a usual line", "Listening on 0.0.0.0:3000", "a" * 64, "ok"]
    before = STAMP if stamped else ""
    (lago.folder / "log").write_text("".join(f"{before}{line}\n" for line in lines))
    printed = lago.read(reading(lago))
    pieces = [
        line for line in (*pem.split("\n")[1:], *again) if len(line) > 4 and not line.startswith("-----")
    ]
    assert not [piece for piece in pieces if piece in printed]
    for usual in ("a usual line", "Listening on 0.0.0.0:3000", "a" * 64, "ok"):
        assert f"{before}{usual}\n" in printed


@ONE_SHELL
def test_a_signed_id_in_a_log_is_hidden_and_is_no_key(lago):
    """A key in a log is a finding; Rails logs signed ids of files that look like a line of one."""
    signed = base64.b64encode(bytes(range(33, 93))).decode()
    (lago.folder / "log").write_text(f"{STAMP}Redirected to {signed}\n")
    printed = lago.read(reading(lago))
    assert f"{STAMP}Redirected to <secret>\n" in printed
    assert redact(f"Redirected to {signed}") == "Redirected to <secret>"


def test_on_a_real_pipe_no_secret_is_seen_by_others(production):
    """The secrets that awk looks for are neither arguments nor variables of any process."""
    seen = production.folder / "seen"
    awk = "/usr/bin/busybox awk" if production.path == str(production.tools) else "/usr/bin/awk"
    (production.tools / "awk").unlink(missing_ok=True)
    production.program(
        "awk",
        f'#!/bin/sh\ntr "\\0" "\\n" </proc/$$/environ >>"{seen}"\nprintf "%s\\n" "$*" >>"{seen}"\nexec {awk} "$@"\n',
    )
    production.read(reading(production))
    assert "nonce=" in seen.read_text() and not leaked(seen.read_text())


def test_the_forms_are_those_of_other_programs():
    """What the test takes for base64 is what base64 prints."""
    printed = subprocess.run(
        ["base64", "-w0"], input=f"x{PLAIN}z".encode(), capture_output=True, check=True
    ).stdout
    assert printed.decode() == forms_of(PLAIN)["base64 behind 'x'"]

"""What a stack is brought up from: the variables of the file's deploy, the keys that its seeding gives."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lago_acceptance.core import run as runs
from lago_acceptance.core import settings
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import SHIPPED_COMPOSE_FILE
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.targets.stack.deployment_files import Declaration


@pytest.fixture
def declared(tmp_path: Path):
    """Call it with the text of a compose file and of a .env beside it (None: none): the declaration."""
    made = []

    def declare(text: str, beside: str | None = None) -> Declaration:
        file = tmp_path / "compose.yml"
        file.write_text(text)
        if beside is not None:
            (tmp_path / ".env").write_text(beside)
        options = Options(reports=tmp_path / "reports", compose_files=(file,))
        made.append(runs.start(options.reports))
        return Declaration(options, settings.load(options.settings), made[-1], LocalHost(), Permit("test"))

    yield declare
    for run in made:
        run.close()


KEY_BY_VARIABLE = """
services:
  api: {image: "getlago/api:v1.16.0", environment: {LAGO_RSA_PRIVATE_KEY: "${LAGO_RSA_PRIVATE_KEY:?}"}}
"""


def test_a_key_that_is_taken_from_a_variable_is_made_as_lago_reads_it(declared):
    (api,) = declared(KEY_BY_VARIABLE).model.services
    key = load_pem_private_key(base64.b64decode(api.environment["LAGO_RSA_PRIVATE_KEY"]), None)
    assert key.key_size == 2048


def test_the_variables_beside_the_file_come_before_made_ones(declared):
    (api,) = declared(KEY_BY_VARIABLE, beside="LAGO_RSA_PRIVATE_KEY=its-own\n").model.services
    assert api.environment["LAGO_RSA_PRIVATE_KEY"] == "its-own"


@pytest.mark.parametrize(
    ("version", "asked", "old", "key"),
    [
        ("v1.16.0", "asked", "old", "old"),
        ("v1.16.0", "asked", "", None),
        ("v1.16.0", "", "old", None),
        ("v1.20.0", "asked", "old", "asked"),
        ("v1.20.0", "asked", "", "asked"),
    ],
)
def test_the_key_that_seeding_gives_depends_on_the_version(declared, version, asked, old, key):
    text = (
        "services:\n  api:\n"
        f"    image: getlago/api:{version}\n"
        f"    environment: {{LAGO_ORG_API_KEY: '{asked}', LAGO_API_KEY: '{old}'}}\n"
    )
    found = declared(text, beside="").api_key
    assert (found.reveal() if found else None) == key


NAMES = ("POSTGRES_PASSWORD", "SMTP_TOKEN", "odd_name", "LAGO_API_KEY")


def test_the_deployments_secrets_are_redacted_before_anything_is_started(declared):
    canaries = {name: f"Canary{secrets.token_hex(9)}x9" for name in NAMES}
    text = KEY_BY_VARIABLE.replace(
        "environment: {", "environment: {INLINE_SECRET: 'inline-Canary-7k2j9x0q', "
    )
    beside = "".join(f"{name}={value}\n" for name, value in canaries.items())
    made = declared(text, beside=beside + "LAGO_RSA_PRIVATE_KEY=its-own-key\n")
    assert made.resolved
    for value in (*canaries.values(), "inline-Canary-7k2j9x0q", "its-own-key"):
        assert value not in redact(f"a log line with {value} in it")


def test_a_file_that_compose_refuses_has_taught_its_variables_first(declared):
    canary = f"Canary{secrets.token_hex(9)}x9"
    with pytest.raises(UsageError):
        assert declared("services: 1", beside=f"ODD={canary}\n").resolved
    assert canary not in redact(canary)


def test_generated_secrets_are_redacted_and_names_are_not(declared):
    made = declared(SHIPPED_COMPOSE_FILE.read_text())
    variables = dict(
        line.split("=", 1)
        for line in made.project.env_files[0].read_text().splitlines()
        if line and not line.startswith("#")
    )
    private = made.project.env_files[0].parent
    made.teach_keys([str(private / "lago_rsa_private.pem"), "/nowhere", str(private)])
    names = (
        made.project.name,
        f"{made.project.name}-lago-api-1",
        str(private),
        "getlago/api:v1.16.0",
        "lago-api-http",
    )
    assert made.resolved and redact(" ".join(names)) == " ".join(names)
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY_BASE", "LAGO_API_KEY", "LAGO_ORG_USER_PASSWORD"):
        assert variables[name] not in redact(variables[name])
    lines = (private / "lago_rsa_private.pem").read_text().splitlines()[1:-1]
    assert redact(f"key {lines[3]}") == "key <secret>"


def test_an_environment_file_that_is_none_is_refused_in_one_sentence(declared):
    with pytest.raises(UsageError, match="the limit is") as refused:
        assert declared("services: {a: {image: i}}", beside=f"A={'x' * 300_000}").resolved
    assert "\n" not in str(refused.value)


def test_other_peoples_files_get_no_names_of_the_shipped_deployment(declared):
    own = declared(
        "services: {api: {image: 'getlago/api:v1.16.0', environment: {A: '${LAGO_ORG_NAME}', B: '${LAGO_FRONT_HOST}',"
        " C: '${LAGO_ORG_USER_EMAIL}', D: '${POSTGRES_PASSWORD:?}'}}}\n"
    )
    (api,) = own.model.services
    assert (api.value("A"), api.value("B"), api.value("C")) == ("Acceptance", "", "admin@example.test")
    assert api.value("D")

"""What a stack is brought up from: the variables of the file's deploy, the keys that its seeding gives."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lago_acceptance.core import run as runs
from lago_acceptance.core import settings
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
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

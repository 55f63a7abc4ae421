"""Variables are filled in as Compose does it: its binary is the expectation."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.composefile.cli import Project, config
from lago_acceptance.model.interpolation import interpolated, nested

VALUES = {"SET": "value", "EMPTY": ""}
TEXTS = [
    f"a{form}b"
    for name in ("SET", "EMPTY", "ABSENT")
    for form in (
        f"${name}", f"${{{name}}}", f"${{{name}:-word}}", f"${{{name}-word}}", f"${{{name}:+word}}",
        f"${{{name}+word}}", f"${{{name}:-${{SET}}}}", f"${{{name}:-${{ABSENT:-deep}}}}", f"${{{name}:+${{SET:+deep}}}}",
    )
] + ["$$SET", "a$$${SET}", "${SET:?message}"]  # fmt: skip


@pytest.fixture(scope="module")
def by_compose(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("project")
    path = folder / "compose.yml"
    environment = {f"N{number}": text for number, text in enumerate(TEXTS)}
    path.write_text(json.dumps({"services": {"a": {"image": "a", "environment": environment}}}), "utf-8")
    resolved = config(Project(files=(path,), variables=VALUES)).document["services"]["a"]["environment"]
    return {text: resolved[f"N{number}"].replace("$$", "$") for number, text in enumerate(TEXTS)}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_interpolated_as_compose_does(text, by_compose):
    assert interpolated(text, VALUES) == by_compose[text]


def test_defaults_without_end_are_read_to_a_depth():
    assert len(list(nested("${A:-" * 100_000))) == 11
    assert interpolated("${A:-" * 100_000 + "}" * 100_000, {}) == ""

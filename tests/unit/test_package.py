"""The package's metadata, which says what requirements.txt pins, and the one place of the version."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lago_acceptance
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OWN = canonicalize_name(PROJECT["name"])


def named(lines: list[str]) -> dict[str, Requirement]:
    """The requirements of lines by name, without this project's own extras."""
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(each.name): each for each in found if canonicalize_name(each.name) != OWN}


def pinned() -> dict[str, Requirement]:
    """What requirements.txt pins."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return named([line for line in lines if line and not line.startswith(("#", "-e"))])


def declared() -> dict[str, Requirement]:
    """What the metadata asks for, with all extras."""
    extras = PROJECT["optional-dependencies"].values()
    return named([*PROJECT["dependencies"], *(line for lines in extras for line in lines)])


def test_the_pinned_list_holds_what_the_metadata_asks_for_and_nothing_else():
    assert set(pinned()) == set(declared())


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_pinned_version_is_one_that_the_metadata_allows(name):
    [pin] = pinned()[name].specifier
    assert pin.operator == "==" and declared()[name].specifier.contains(pin.version)
    assert pinned()[name].extras == declared()[name].extras


def test_the_gate_needs_neither_docker_nor_a_browser_nor_a_test_tool():
    heavy = {"docker", "testcontainers", "playwright", "pytest", "pytest-testinfra", "allure-pytest", "httpx"}
    assert not heavy.intersection(named(PROJECT["dependencies"]))


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT
    assert re.fullmatch(r"\d+\.\d+\.\d+", lago_acceptance.__version__)
    assert version("lago-acceptance") == lago_acceptance.__version__

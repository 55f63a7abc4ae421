"""The variables that are told to be unset are those of which Compose warns."""

from __future__ import annotations

import re

import pytest

from lago_acceptance.composefile.cli import Project, config
from lago_acceptance.composefile.loader import load

FILE = """
name: lago${IN_NAME}
x-unused: "$IN_EXTENSION"
x-environment: &environment
  MERGED: ${IN_ANCHOR}
services:
  api:
    image: getlago/api:v1.16.0${IN_IMAGE}
    command: sh -c 'for i in 1 2; do echo $i $$i $1 $(date) $? "$@"; done'
    environment:
      <<: *environment
      PLAIN: $IN_PLAIN
      DEFAULT: ${WITH_DEFAULT-}
      NESTED: ${OUTER:-$IN_DEFAULT}
      UNUSED_DEFAULT: ${SET:-$NOT_USED}
      EMPTY: ${EMPTY}
      EMPTY_DEFAULT: ${EMPTY:-$BEHIND_EMPTY}
      REQUIRED: ${SET:?${NOT_ASKED}}
      ALTERNATIVE: ${SET+$IN_ALTERNATIVE}
      NO_ALTERNATIVE: ${OUTER+$NOT_TAKEN}
      "$IN_KEY": kept
    labels: ["one=${IN_LABEL}"]
configs:
  one: {content: "$IN_CONFIG"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "docker-compose.yml").write_text(FILE, "utf-8")
    (tmp_path / ".env").write_text("SET=1\nEMPTY=\n", "utf-8")
    return tmp_path


def test_they_are_those_of_which_compose_warns(folder):
    project = Project(files=(folder / "docker-compose.yml",), env_files=(folder / ".env",))
    warned = set(re.findall(r'\\"(\w+)\\" variable is not set', "\n".join(config(project).warnings)))
    assert len(warned) > 9
    assert set(load(folder / "docker-compose.yml", None).written.blank) == warned


def test_one_of_an_included_file_has_no_place(folder):
    (folder / "more.yml").write_text("services: {more: {image: 'none:${IN_INCLUDED}'}}", "utf-8")
    (folder / "docker-compose.yml").write_text(f"include: [more.yml]\n{FILE}", "utf-8")
    assert load(folder / "docker-compose.yml", None).written.blank["IN_INCLUDED"] == ()

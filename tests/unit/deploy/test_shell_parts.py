"""The parts of the program that a deploy runs on its host."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files


def test_no_two_parts_define_one_function():
    parts = [
        each
        for each in (files("lago_acceptance.deploy") / "shell").iterdir()
        if each.name.endswith(".part.sh")
    ]
    names = Counter(name for part in parts for name in set(re.findall(r"(?m)^(\w+)\(\)", part.read_text())))
    assert len(names) > 100
    assert [name for name, count in names.items() if count > 1] == []

"""docs/settings.md: it has every entry of a settings file with its default, and no other; its examples load."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from lago_acceptance.core.settings import PROXIES, Backup, Gateway, Plans, Settings, load
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "settings.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([a-z]+\.[^`]+)` \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
OPTIONAL = {"backup": Backup, "gateway": Gateway, "plans": Plans}


def _entries() -> dict[str, str]:
    found: dict[str, str] = {}
    for table in msgspec.structs.fields(Settings):
        kind = OPTIONAL.get(table.name) or type(table.default)
        for field in (
            msgspec.structs.fields(kind) if kind is not msgspec.UnsetType and table.name != "schema" else ()
        ):
            default = None if field.default is msgspec.NODEFAULT else field.default
            shown = json.dumps(int(default) if isinstance(default, float) else default)
            found[f"{table.name}.{field.name}"] = "*none*" if default is None else f"`{shown}`"
    return found


def test_every_entry_is_there_with_its_default():
    documented = {entry: default for entry, default, _ in ROWS if not entry.startswith("schema.")}
    assert documented == _entries()
    assert [entry for entry, _, _ in ROWS if entry.startswith("schema.")] == ['schema."vX.Y.Z"']


def test_each_kind_of_proxy_is_named():
    (row,) = (meaning for entry, _, meaning in ROWS if entry == "edge.proxy")
    assert set(re.findall("`([a-z-]+)`", row)) == set(PROXIES)


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_an_example_loads(block, tmp_path):
    (tmp_path / "settings.toml").write_text(block)
    load(tmp_path / "settings.toml")

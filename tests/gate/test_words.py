"""No message names a host, a path, a network or a router that is not of the deployment at hand."""

from __future__ import annotations

import pytest

from tests.support import styles
from tests.support.gate import gate


@pytest.mark.parametrize("style", styles.STYLES)
def test_the_gate_speaks_of_the_file_alone(style, tmp_path):
    healthy = styles.write(tmp_path / "healthy", style)
    whole = "\n".join(gate(tmp_path, healthy).stdout.splitlines())
    broken = styles.write(tmp_path / "broken", style)
    variables = broken.parent / ".env"
    variables.write_text("", "utf-8")
    whole += gate(tmp_path, broken).stdout
    variables.unlink()
    text = broken.read_text("utf-8")
    broken.write_text(text.replace("labels:", "x-labels:").replace("ports:", "x-ports:"), "utf-8")
    whole += gate(tmp_path, broken).stdout
    assert "error" in whole and styles.words_of_others(whole) == []

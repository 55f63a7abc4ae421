"""The compose and environment files that the deployment was started from."""

from __future__ import annotations

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.types import ComposeText
from lago_acceptance.facts.untrusted import whole_number

_SHELL = r"""
printf '%s\n%s\n' "$files" "$env_files" | while read -r file; do
    [ -z "$file" ] || printf '%s\t%s\t%s\t%s\n' "$file" "$(stat -Lc '%a %u %F' "$file" 2>/dev/null)" \
        "$([ -n "$(unusable "$file")" ] || awk '/BEGIN [A-Z ]*PRIVATE KEY|LS0tLS1CRUdJTi/ { printf "%d ", NR }' "$file" 2>/dev/null)" \
        "$([ -n "$(unusable "$file")" ] || sha256sum "$file" 2>/dev/null | cut -c 1-64)"
done
"""


@section("files", shell=_SHELL)
def texts(text: str) -> tuple[ComposeText, ...]:
    """Compose and environment files: who may read them, and which of their lines hold key material."""
    return tuple(_text(line) for line in text.splitlines() if line.strip())


def _text(line: str) -> ComposeText:
    path, status, numbers, digest = (line.split("\t") + ["", "", ""])[:4]
    lines = tuple(number for word in numbers.split() if (number := whole_number(word)) is not None)
    return ComposeText(path, mode=status.partition(" ")[0], key_lines=lines, digest=digest)

"""How much disk the containers' logs take."""

from __future__ import annotations

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.untrusted import whole_number

# log_paths holds "<container> <path>" lines. One stat for all files.
_SHELL = r"""
printf '%s' "$log_paths" | {
    set --
    while IFS=$tab read -r id path; do
        [ -n "$path" ] || continue
        printf 'log\t%s\t%s\n' "$id" "$path"
        for file in "$path" "$path".*; do [ ! -f "$file" ] || set -- "$@" "$file"; done
    done
    [ $# -eq 0 ] || stat -c "size$tab%s$tab%n" "$@" 2>/dev/null
}
"""


@section("log-sizes", shell=_SHELL)
def log_sizes(text: str) -> dict[str, int]:
    """Bytes of each container's log with its rotated files. A log that this user may not see is left out."""
    logs: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for line in text.splitlines():
        match line.split("\t", 2):
            case ["log", container, path]:
                logs[container] = path
            case ["size", size, path] if (number := whole_number(size)) is not None:
                sizes[path] = number
    return {
        container: sum(size for path, size in sizes.items() if path == log or path.startswith(f"{log}."))
        for container, log in logs.items()
        if log in sizes
    }

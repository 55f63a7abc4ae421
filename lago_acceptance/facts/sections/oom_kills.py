"""How often the kernel has killed processes inside of the containers for lack of memory."""

from __future__ import annotations

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.untrusted import whole_number

# log_paths holds "<container> <path>" lines. A container's cgroup lies where its daemon's driver puts it: systemd's or
# cgroupfs', of version 1 or 2, and that of a rootless daemon below its user. One awk for all files.
_SHELL = r"""
printf '%s' "$log_paths" | {
    set --
    while IFS=$tab read -r id path; do
        case $id in '' | *[!0-9a-f]*) continue ;; esac
        for file in /sys/fs/cgroup/system.slice/docker-"$id".scope/memory.events \
            /sys/fs/cgroup/docker/"$id"/memory.events \
            /sys/fs/cgroup/user.slice/user-*.slice/user@*.service/user.slice/docker-"$id".scope/memory.events \
            /sys/fs/cgroup/memory/docker/"$id"/memory.oom_control \
            /sys/fs/cgroup/memory/system.slice/docker-"$id".scope/memory.oom_control; do
            [ ! -r "$file" ] || set -- "$@" "$file"
        done
    done
    [ $# -eq 0 ] || awk '$1 == "oom_kill" { print FILENAME, $2 }' "$@" 2>/dev/null
}
"""


@section("oom-kills", shell=_SHELL)
def oom_kills(text: str) -> dict[str, int]:
    """By container: processes that the kernel has killed for lack of memory since the container's start, the first
    one or its children. A container whose count can't be read is left out.
    """
    lines = (line.rpartition(" ") for line in text.splitlines())
    return {
        path.split("/")[-2].removeprefix("docker-").removesuffix(".scope"): number
        for path, _, count in lines
        if path.count("/") > 2 and (number := whole_number(count)) is not None
    }

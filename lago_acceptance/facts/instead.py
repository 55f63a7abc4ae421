"""What runs Lago on a host in the place of containers that this suite can look into: Kubernetes, systemd, the all-in-one
image. The run ends with a sentence about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.facts.types import Container

_ALL_IN_ONE = re.compile(r"(^|/)getlago/lago(:|@|$)")
_KUBERNETES = "io.kubernetes.pod.name"
_WORKS = "`lago-acceptance upgrade-path`, and `lago-acceptance rehearse DUMP` with a dump of its database, work without it"
_SHOWN = 3


def parsed(text: str) -> dict[str, list[str]]:
    """What scripts/collect.sh found: "kubernetes" with its programs, "systemd" with the units that have lago in their names."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        kind, tab, name = line.partition("\t")
        if tab and kind in ("kubernetes", "systemd") and re.fullmatch(r"[\w.@:-]{1,80}", name):
            found.setdefault(kind, []).append(name)
    return found


def sentence(host: str, found: dict[str, list[str]], containers: Iterable[Container] = ()) -> str:
    """Who runs Lago on the host, and what works for it; "" where nothing of that kind is there."""
    pods = [each.service.labels[_KUBERNETES] for each in containers if _is_pod(each)]
    images = [each.name for each in containers if _ALL_IN_ONE.search(each.service.image)]
    if pods or ("kubernetes" in found and "systemd" not in found):
        what = f"pods {_some(pods)}" if pods else _some(found["kubernetes"])
        return (
            f"{host} runs Kubernetes ({what}), and Lago's pods are not judged: a live run looks into containers of "
            f"Docker's, not of Kubernetes; {_WORKS}"
        )
    if "systemd" in found:
        return (
            f"Lago on {host} is run by systemd ({_some(found['systemd'])}), without containers, which is not judged: a "
            f"live run looks into containers; {_WORKS}"
        )
    if images:
        return (
            f"{_some(images)} on {host} runs all of Lago in one container (the image getlago/lago), which is not judged: "
            f"its database, Redis, worker and clock are processes that Docker does not see; for production run each in a "
            f"container of its own (upstream's compose file); {_WORKS}"
        )
    return ""


def _is_pod(container: Container) -> bool:
    return container.role in LAGO_RUBY and _KUBERNETES in container.service.labels


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    return ", ".join(names[:_SHOWN]) + more

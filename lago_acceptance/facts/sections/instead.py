"""What runs Lago where no container of Docker's does."""

from __future__ import annotations

from lago_acceptance.facts import instead as of_script
from lago_acceptance.facts.sections import section


@section("instead", shell='[ -n "$lagos" ] || instead')
def instead(text: str) -> dict[str, list[str]]:
    """Kubernetes' programs and systemd's units of Lago, where no container is Lago's."""
    return of_script.parsed(text)

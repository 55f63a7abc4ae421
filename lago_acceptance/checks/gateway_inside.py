"""What the gateway's container sees of Lago: whose name Lago's is there, and which keys Lago accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lago_acceptance.checks import inside
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import GATEWAY
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideAnswer, InsideView
from lago_acceptance.facts.types import Container

_FALLBACK = "the gateway answers every billing request from its own tables, with status 200"


def gateway_finding(id: str, problem: str, impact: str, fix: str) -> Finding:
    """A finding about the gateway."""
    return Finding(id=id, role=GATEWAY, problem=problem, impact=impact, fix=fix)


@registry.check(
    phase=4,
    errors={
        "gateway-cannot-resolve-lago": "Lago's name has an address inside the gateway's container.",
        "lago-not-reached-by-gateway": "Lago answers the gateway at the address that it uses.",
        "lago-name-elsewhere": "Lago's name is this deployment's API inside the gateway's container.",
        "lago-name-shared": "Only one container has Lago's name on the gateway's networks.",
    },
)
def finds_lago(view: InsideView, network: str) -> Iterator[Finding]:
    """Inside the gateway's container, Lago's name resolves to this deployment's API and to nothing else."""
    health, own = inside.of_gateway(view, "gateway-health"), view.answers.get("api-health")
    if not view.addresses:
        if view.unresolved:
            raise Unknown(f"{view.unresolved}, so Lago's name can't be looked up there", why=view.unresolved)
        yield gateway_finding(
            "gateway-cannot-resolve-lago",
            f"the host of {view.url} has no address inside the gateway's container",
            _FALLBACK,
            f"put Lago's API on {network}, under the name that the gateway uses",
        )
        return
    # A public name resolves to the proxy, or to a CDN with several addresses: only the answer counts.
    if not view.by_public_name:
        yield from _is_the_api(view, network)
    if not _is_lago(health):
        yield gateway_finding(
            "lago-not-reached-by-gateway",
            f"{view.url}/health, asked inside the gateway's container, {health.answered}",
            _FALLBACK,
            "check that Lago's API runs and listens at this address and port",
        )
    elif own and _is_lago(own) and health.document["version"] != own.document["version"]:
        yield gateway_finding(
            "lago-name-elsewhere",
            f"the Lago at {view.url} has version {health.document['version']}, this deployment's has "
            f"{own.document['version']}",
            "the gateway bills in another Lago",
            "correct LAGO_API_URL of the gateway",
        )


def _is_lago(health: InsideAnswer) -> bool:
    return isinstance(health.document, dict) and "version" in health.document


def _is_the_api(view: InsideView, network: str) -> Iterator[Finding]:
    """All addresses of the name are the API's, which has one on each network that both are on."""
    api: Container | None = view.api
    strangers = set(view.addresses) - set(api.addresses.values() if api else view.addresses[:1])
    if strangers and len(view.addresses) > 1:
        yield gateway_finding(
            "lago-name-shared",
            f"the host of {view.url} has {len(view.addresses)} addresses there: {', '.join(view.addresses)}",
            "some requests reach the wrong container, so bills are created only some of the time",
            "find the other container with this name or alias on the gateway's networks (docker network inspect)",
        )
    elif api and strangers:
        expected = api.addresses.get(network, "not there")
        yield gateway_finding(
            "lago-name-elsewhere",
            f"the host of {view.url} is {view.addresses[0]} there, and Lago's API is {expected} on {network}",
            "the gateway talks to something else, and falls back to its own tables",
            "correct LAGO_API_URL of the gateway, or the alias on its network",
        )


def _must_reach_lago(view: InsideView, answer: InsideAnswer, missing: str) -> None:
    """Blocked where ``finds_lago`` already reports that the gateway reaches nothing, or not Lago."""
    health = view.answers.get("gateway-health")
    if not answer.status or (health and not _is_lago(health)):
        reached = "lago-not-reached-by-gateway" if view.addresses else "gateway-cannot-resolve-lago"
        raise Blocked(reached, f"{missing} ({answer.said})")


@registry.check(
    phase=4,
    errors={
        "gateway-key-refused": "Lago accepts the gateway's API key.",
        "gateway-not-answered-by-lago": "Lago answers the gateway's API key without an error.",
        "gateway-key-of-another-organization": "The gateway's API key belongs to this deployment's organization.",
    },
)
def key_is_accepted(view: InsideView) -> Iterator[Finding]:
    """Lago accepts the gateway's key, and it belongs to the organization that this deployment bills in."""
    if view.lacks_key(GATEWAY):
        raise Unknown(
            "the gateway's container has no LAGO_API_KEY; the check that its plans are Lago's judges its key instead",
            why="the gateway's container has no LAGO_API_KEY",
            fix="name the variable with the gateway's key LAGO_API_KEY, or rely on the check of its plans",
        )
    answer, own = inside.of_gateway(view, "gateway-organization"), view.answers.get("api-organization")
    _must_reach_lago(view, answer, "whether Lago accepts the gateway's key")
    if answer.status == 403:
        raise inside.limited("gateway", "organization")
    organization, mine = _organization(answer), _organization(own)
    hidden = "the gateway hides it: it lists its own plans and creates subscriptions that are never billed"
    if answer.status == 401:
        yield gateway_finding(
            "gateway-key-refused",
            f"Lago answers the gateway's key with {answer.said}",
            hidden,
            "give the gateway the organization's key (Developers, API keys)",
        )
    elif answer.status != 200 or not organization:
        yield gateway_finding(
            "gateway-not-answered-by-lago",
            f"Lago answers the gateway's key with {answer.said}",
            hidden,
            "read the log of Lago's API",
        )
    elif mine and mine["lago_id"] != organization["lago_id"]:
        yield gateway_finding(
            "gateway-key-of-another-organization",
            f"the gateway's key belongs to {organization.get('name')}, the deployment's to {mine.get('name')}",
            "customers are billed in the wrong organization",
            "give the gateway this organization's key",
        )


def _organization(answer: InsideAnswer | None) -> dict[str, Any]:
    """The organization in an answer, empty where there is none."""
    document = answer.document if answer else None
    found = document.get("organization") if isinstance(document, dict) else None
    return found if isinstance(found, dict) and "lago_id" in found else {}


@registry.check(
    phase=4, errors={"lago-takes-any-key": "Lago, as the gateway sees it, refuses an invalid key."}
)
def invalid_key_is_refused(view: InsideView) -> Iterator[Finding]:
    """Lago refuses an invalid key; otherwise an accepted key would prove nothing."""
    answer = inside.of_gateway(view, "gateway-stranger")
    _must_reach_lago(view, answer, "whether Lago refuses invalid keys there")
    if answer.status != 401:
        yield gateway_finding(
            "lago-takes-any-key",
            f"an invalid key is answered with {answer.said}",
            "what answers at Lago's name does not check keys, so none of its answers proves anything",
            "find out what listens there: Lago answers 401",
        )


def is_not_lagos(answer: InsideAnswer | None, key: str) -> bool:
    """Whether there is an answer that is not Lago's good one, a JSON object with this key: a web page has status 200 too."""
    if answer is None:
        return False
    return not (answer.status == 200 and isinstance(answer.document, dict) and key in answer.document)

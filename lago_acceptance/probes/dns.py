"""What a DNS server answers for a name."""

from __future__ import annotations

import asyncio
import enum
from typing import TYPE_CHECKING, Any

import msgspec

from lago_acceptance.probes.public_endpoints import Resolver

if TYPE_CHECKING:
    from dns.resolver import NoNameservers

KINDS = ("A", "AAAA")
DEADLINE = 3.0
# Each address is probed, and whoever answers may name thousands.
MOST = 16

# Leaves time for a second try when a packet is lost.
_TRY = 1.4


class DnsOutcome(enum.StrEnum):
    """``answered``: with addresses; ``empty``: the name exists without such an address; ``absent``: NXDOMAIN;
    ``failed``: the server answers with an error, usually SERVFAIL; ``unanswered``: no answer in time.
    """

    ANSWERED = "answered"
    EMPTY = "empty"
    ABSENT = "absent"
    FAILED = "failed"
    UNANSWERED = "unanswered"


class DnsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One resolver's answer. ``kind`` is A or AAAA, ``aliases`` the CNAME chain after the name itself.

    ``addresses`` are at most sixteen; ``left_out`` is how many more there were.
    """

    host: str
    kind: str
    resolver: str
    outcome: DnsOutcome
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    detail: str = ""
    left_out: int = 0

    @property
    def spoke(self) -> bool:
        """Whether the resolver gave a definite answer."""
        return self.outcome in (DnsOutcome.ANSWERED, DnsOutcome.EMPTY, DnsOutcome.ABSENT)


async def ask(host: str, kind: str, resolver: Resolver, deadline: float = DEADLINE) -> DnsAnswer:
    """Ask a resolver for the A or AAAA addresses of a name, without /etc/hosts and search domains."""
    import dns.asyncresolver
    import dns.exception
    import dns.resolver

    def answer(outcome: DnsOutcome, detail: str = "", **more: Any) -> DnsAnswer:
        text = detail[:200]
        return DnsAnswer(host=host, kind=kind, resolver=resolver.name, outcome=outcome, detail=text, **more)

    try:
        client = dns.asyncresolver.Resolver(configure=not resolver.address)
        if resolver.address:
            client.nameservers, client.port = [resolver.address], resolver.port
        client.timeout = _TRY
        # Its own deadline ends the tries; this one ends all else, such as an answer by TCP that never ends.
        async with asyncio.timeout(deadline + _TRY):
            found = await client.resolve(
                f"{host.rstrip('.')}.", kind, search=False, raise_on_no_answer=False, lifetime=deadline
            )
    except dns.resolver.NXDOMAIN as error:
        name = str(error.canonical_name).rstrip(".")
        return answer(DnsOutcome.ABSENT, "NXDOMAIN", aliases=(name,) if name != host.lower() else ())
    except (dns.resolver.LifetimeTimeout, TimeoutError):
        return answer(DnsOutcome.UNANSWERED, f"no answer within {deadline:g} s")
    except dns.resolver.NoResolverConfiguration:
        return answer(DnsOutcome.UNANSWERED, "this machine has no resolver configured")
    except dns.resolver.NoNameservers as error:
        return answer(*_refusal(error))
    except (dns.exception.DNSException, OSError, ValueError) as error:
        return answer(DnsOutcome.FAILED, str(error) or type(error).__name__)
    aliases = tuple(str(rrset[0].target).rstrip(".") for rrset in found.chaining_result.cnames)
    addresses = tuple(sorted(record.address for record in found.rrset or ()))
    return answer(
        DnsOutcome.ANSWERED if addresses else DnsOutcome.EMPTY,
        addresses=addresses[:MOST],
        aliases=aliases,
        left_out=len(addresses[MOST:]),
    )


def _refusal(error: NoNameservers) -> tuple[DnsOutcome, str]:
    import dns.rcode

    tries = error.kwargs.get("errors") or []
    for each in tries:
        if each[4] is not None:
            return DnsOutcome.FAILED, dns.rcode.to_text(each[4].rcode())
    return DnsOutcome.UNANSWERED, str(tries[-1][3]) if tries else "the query could not be sent"

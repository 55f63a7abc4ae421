"""Which addresses may be contacted, since anybody who answers for a name may give any."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

NOT_CONTACTED = "not contacted: no public host can have this kind of address"


def may_be_contacted(address: str) -> bool:
    """Whether a deployment may have this address: not one of the machine's own link, such as a cloud's metadata
    service, and none that stands for several hosts or none. Private addresses may be a stack's.
    """
    given = ip_address(address)
    if isinstance(given, IPv6Address) and given.ipv4_mapped:
        given = given.ipv4_mapped
    if given.is_loopback:
        return True
    return not (given.is_link_local or given.is_multicast or given.is_unspecified or given.is_reserved)

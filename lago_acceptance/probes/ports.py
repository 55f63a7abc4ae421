"""Whether a TCP port accepts connections."""

from __future__ import annotations

import asyncio

import msgspec

from lago_acceptance.probes.failure import Failure, failure_of

DEADLINE = 3.0


class PortProbe(msgspec.Struct, frozen=True):
    """One attempt to connect; ``failure`` is None if the port accepted."""

    address: str
    port: int
    failure: Failure | None

    @property
    def open(self) -> bool:
        return self.failure is None


async def knock(address: str, port: int, deadline: float = DEADLINE) -> PortProbe:
    """Connect to a port and hang up at once; nothing is sent."""
    try:
        async with asyncio.timeout(deadline):
            _, writer = await asyncio.open_connection(address, port)
        writer.close()
    except (OSError, TimeoutError) as error:
        return PortProbe(address, port, failure_of(error, deadline))
    return PortProbe(address, port, None)

"""The one event loop of a run, in a thread of its own: a browser may already have one in the main thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from lago_acceptance.core.background import Background

T = TypeVar("T")
_starting = threading.Lock()


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in threads that a process does not wait for when it exits: getaddrinfo has no deadline."""

    async def getaddrinfo(  # type: ignore[override]
        self, host: str, port: int, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        found = Background().submit(socket.getaddrinfo, host, port, family, type, proto, flags)
        # Shielded: what gives up waiting must not cancel a future that its thread will still set.
        return await asyncio.shield(asyncio.wrap_future(found))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the loop and wait for its result. The coroutine sets its own deadline."""
    with _starting:
        loop = _started()
    return asyncio.run_coroutine_threadsafe(work, loop).result()


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = _Loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop

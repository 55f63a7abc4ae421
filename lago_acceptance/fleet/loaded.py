"""Loads what a run against a host needs. The process that the runs are forked from imports this, so that they share it."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import suppress

import lago_acceptance
from lago_acceptance.core.secrets import redact

_ROOMS = (
    "core",
    "model",
    "hosts",
    "probes",
    "reports",
    "lago",
    "facts",
    "clients",
    "rules",
    "checks",
    "plans",
    "history",
)
# What they import when it is needed.
_LIBRARIES = (
    "OpenSSL.SSL",
    "anyio._backends._asyncio",
    "cryptography.x509",
    "dns._asyncio_backend",
    "dns.asyncresolver",
    "httpcore",
    "httpx",
    "pytest",
    "service_identity",
    "sqlite3",
    "testinfra.backend.ssh",
)


def _names() -> Iterator[str]:
    yield from _LIBRARIES
    for package in ("_pytest", *(f"{lago_acceptance.__name__}.{room}" for room in _ROOMS)):
        yield from (
            each.name
            for each in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
        )


for _name in _names():
    # The run that needs what is missing here says so.
    with suppress(Exception):
        importlib.import_module(_name)
# Compiles its patterns.
redact("")
# The collector leaves alone, and so does not copy, what is there.
gc.collect()
gc.freeze()

"""The room that a rehearsal needs beside production: disk and memory."""

from __future__ import annotations

GIB, MIB = 2**30, 2**20
LEAST_MEMORY = GIB
# How much larger a database is than its compressed dump, where nobody has measured it.
EXPANSION = 10


def lack(dump: int, database: int, free: int, memory: int, growth: int = 2, least: int = LEAST_MEMORY) -> str:
    """Why a host has too little space or memory for a rehearsal, "" if it has enough. All in bytes; ``database`` is 0 if unknown.

    ``growth`` is how many times as large as the database what is written becomes, ``least`` the memory that containers need.
    """
    need = growth * (database or EXPANSION * dump) + dump
    if free < need:
        return f"a rehearsal may need {need // MIB} MiB of disk, and {free // MIB} MiB are free for Docker's volumes"
    if memory < least:
        return f"a rehearsal needs {least // GIB} GiB of memory, and {memory // MIB} MiB are available"
    return ""

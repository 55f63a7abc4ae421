"""What is known of a host beside its containers: processors, memory, file systems, and what its Docker expects."""

from __future__ import annotations

import msgspec


class Machine(msgspec.Struct, frozen=True):
    """The host's processors and memory. What it did not say is None.

    ``load`` is the mean number of processes that ran or waited to run in the last minute. Memory is in MiB: ``available``
    is what programs could still have without swapping, as the kernel estimates it.
    """

    load: float | None = None
    processors: int | None = None
    memory: int | None = None
    available: int | None = None
    swap: int | None = None
    swap_free: int | None = None

    @property
    def load_text(self) -> str:
        """The load as a part of a sentence, "" where it is not known."""
        if self.load is None or not self.processors:
            return ""
        cores = "1 core" if self.processors == 1 else f"{self.processors} cores"
        return f"the host's load is {self.load:.1f} on {cores}"


class Inodes(msgspec.Struct, frozen=True):
    """The inodes of one file system: all, and those that are free."""

    mount: str
    all: int
    free: int


class Engine(msgspec.Struct, frozen=True):
    """The host's Docker: its version, and the oldest API version that it still speaks."""

    version: str = ""
    oldest_api: str = ""


class CertificateStore(msgspec.Struct, frozen=True):
    """A file in which a proxy keeps its certificates (acme.json). ``mode`` in octal digits; ``kind`` file, folder, or closed
    (a folder that this user may not look into).
    """

    path: str
    mode: str
    kind: str

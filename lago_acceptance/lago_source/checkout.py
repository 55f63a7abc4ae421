"""A checkout of Lago's API, or a bare clone of it: its releases, and their files.

Whoever wrote it is not trusted: only git's plumbing is asked, nothing in it is run, and sizes are limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from lago_acceptance.composefile.git import git
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import Numbers

_RELEASE = re.compile(r"v(1\.\d{1,3}\.\d{1,3})")
# Several times what Lago has: releases, files of one release, and bytes that are read of all.
_RELEASES_CAP, _FILES_CAP, _BYTES_CAP = 500, 5_000, 100_000_000
# What is asked for at a time: less than what a program may write (composefile/bounded_process.py).
_CHUNK = 4_000_000


class Blob(msgspec.Struct, frozen=True, order=True):
    """One version of a file: its id, and its size in bytes."""

    id: str
    size: int


class Tagged(msgspec.Struct, frozen=True):
    """A release: its tag, its numbers, and the date of its commit."""

    tag: str
    numbers: Numbers
    committed: str


class Checkout:
    """The git repository in a folder. UsageError where there is none, or none with releases of Lago."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        inside = folder / ".git"
        self._git_dir = inside if inside.exists() else folder
        if self._git("rev-parse", "--git-dir") is None:
            raise UsageError(
                f"{folder} is not a git repository: give a checkout or a bare clone of Lago's API (getlago/lago-api)"
            )

    def releases(self) -> tuple[Tagged, ...]:
        """Its releases from v1.0.0 on, in the order of their numbers. UsageError if there is none."""
        kind = "--format=%(refname:strip=2)\t%(committerdate:short)\t%(*committerdate:short)"
        listed = self._git("for-each-ref", f"--count={_RELEASES_CAP}", kind, "refs/tags/v1.*") or b""
        rows = [line.split("\t") for line in listed.decode("utf-8", "replace").splitlines()]
        found = [
            Tagged(row[0], tuple(map(int, matched[1].split("."))), row[1] or row[2])
            for row in rows
            if len(row) == 3 and (matched := _RELEASE.fullmatch(row[0]))
        ]
        if not found:
            raise UsageError(
                f"{self._folder} has no tag of a release of Lago, such as v1.16.0: get them with `git fetch --tags`"
            )
        return tuple(sorted(found, key=lambda each: each.numbers))

    def files(self, tag: str, *paths: str) -> dict[str, Blob]:
        """The files of a release below these paths, by their path."""
        listed = self._git(
            "ls-tree", "-r", "-l", "-z", "--full-tree", f"refs/tags/{tag}^{{commit}}", "--", *paths
        )
        if listed is None:
            raise UsageError(
                f"the files of {tag} can't be read from {self._folder}: is the clone complete (not --filter)?"
            )
        files = dict(_entries(listed))
        if len(files) > _FILES_CAP:
            raise UsageError(
                f"{tag} in {self._folder} has {len(files)} files where Lago has some 1,500: is it Lago's API?"
            )
        return files

    def texts(self, blobs: Iterable[Blob], largest: int) -> dict[str, str]:
        """The texts of files by their id; those with more bytes than ``largest`` are left out."""
        wanted = sorted({each for each in blobs if each.size <= largest})
        if sum(each.size for each in wanted) > _BYTES_CAP:
            raise UsageError(
                f"{self._folder} has more than {_BYTES_CAP // 1_000_000} MB to read: is it Lago's API?"
            )
        texts: dict[str, str] = {}
        for chunk in _chunks(wanted):
            asked = "".join(f"{each.id}\n" for each in chunk).encode("ascii")
            answer = self._git("cat-file", "--batch", given=asked)
            if answer is None:
                raise UsageError(f"files can't be read from {self._folder}: is the clone complete?")
            texts |= _contents(answer)
        return texts

    def _git(self, *arguments: str, given: bytes = b"") -> bytes | None:
        return git(self._folder, f"--git-dir={self._git_dir.absolute()}", *arguments, given=given)


def _entries(listed: bytes) -> Iterator[tuple[str, Blob]]:
    for entry in listed.decode("utf-8", "replace").split("\0"):
        about, _, path = entry.partition("\t")
        words = about.split()
        # Links and submodules have no text of their own.
        if len(words) == 4 and words[0].startswith("100") and words[3].isdigit():
            yield path, Blob(words[2], int(words[3]))


def _chunks(blobs: list[Blob]) -> Iterator[list[Blob]]:
    chunk: list[Blob] = []
    size = 0
    for blob in blobs:
        if chunk and size + blob.size > _CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(blob)
        size += blob.size
    if chunk:
        yield chunk


def _contents(answer: bytes) -> dict[str, str]:
    texts, position = {}, 0
    while (end := answer.find(b"\n", position)) >= 0:
        words = answer[position:end].split()
        position = end + 1
        if len(words) == 3 and words[1] == b"blob":
            size = int(words[2])
            texts[words[0].decode("ascii")] = answer[position : position + size].decode("utf-8", "replace")
            position += size + 1
    return texts

"""Secrets that everybody has, because a public template, example or test ships them.

``published_secrets.tsv`` has only their digests. To add one, append a line with the SHA-256, what it is of and where it
is published. Of an RSA key it is the SHA-256 of its public half:
`openssl pkey -in key.pem -pubout -outform DER | sha256sum`, of any other secret that of its text:
`printf %s "$SECRET" | sha256sum`.
"""

from __future__ import annotations

import csv
import hashlib
from functools import cache
from pathlib import Path


def published_key(digest: str) -> str:
    """Where the RSA key is published whose public half has this SHA-256; "" if it isn't known to be."""
    return _published().get(digest, "")


def published_secret(value: str) -> str:
    """Where a secret is published; "" if it isn't known to be."""
    return _published().get(hashlib.sha256(value.strip().encode()).hexdigest(), "") if value else ""


@cache
def _published() -> dict[str, str]:
    with Path(__file__).with_name("published_secrets.tsv").open(encoding="utf-8", newline="") as stream:
        return {row["sha256"]: row["published_in"] for row in csv.DictReader(stream, delimiter="\t")}

"""Which words look like a password or a key, and like nothing else."""

from __future__ import annotations

import re

SPEAKING = re.compile(r"passw(?:or)?[dt]|secret", re.IGNORECASE)
_SEGMENT = re.compile(r"[^-_.+]+")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^A-Za-z\d]+")
_INNER_DIGIT = re.compile(r"(?<=[A-Za-z])\d(?=[A-Za-z])")
_SYMBOL = re.compile(r"[!#$%^~]")
_FOLDER = re.compile(r"(?:^|/)[a-z]{4,}(?=/|$)")
_LONGEST_PATH = 200


def looks_secret(word: str) -> bool:
    """Whether a word looks like a password or a key, and like nothing else."""
    return any(_is_mixed(segment) or _says_so(segment) for segment in _SEGMENT.findall(word))


def is_random(run: str) -> bool:
    """Whether a run of base64's characters looks random. A list of digests, a path, a letter again and again don't."""
    letters = all(re.search(each, run) for each in ("[a-z]", "[G-Z]", r"\d"))
    return letters and (len(run) >= _LONGEST_PATH or len(_FOLDER.findall(run)) < 2)


def _is_mixed(segment: str) -> bool:
    """Letters and digits mixed as in no name: k3j9x0q2, s3cr3t, Summer2024!, hunter2pass."""
    inner, changes = len(_INNER_DIGIT.findall(segment)), len(_RUN.findall(segment)) - 1
    if not re.search(r"\d", segment) or not re.search(r"[A-Za-z]", segment):
        return False
    if len(segment) < 8:
        return len(segment) >= 6 and inner >= 2
    both_cases = re.search(r"[A-Z]", segment) and re.search(r"[a-z]", segment)
    return inner >= 1 or changes >= (2 if both_cases or _SYMBOL.search(segment) else 3)


def _says_so(segment: str) -> bool:
    """password123, MySecretPassword; not the name of a variable or of a secret."""
    spoken = SPEAKING.findall(segment)
    more = len(spoken) > 1 or re.search(r"\d|[a-z][A-Z]", segment)
    return bool(spoken and more) and not segment.isupper()

"""Finds known secrets in a text, also where they are encoded, quoted or broken over lines."""

from __future__ import annotations

import re
import sys
import threading
from bisect import bisect_right
from collections.abc import Iterable
from itertools import compress, count

# Shorter ones would take ordinary words out of a text.
SHORTEST = 8
# Texts are searched in steps of four bytes, read as one number. A form has a whole step in its first seven bytes.
_STEP = 4
# A secret may be broken by blanks, and by line feeds as JSON writes them or backslashes that stand before signs.
_BLANKS = b" \t\n\r\v\f"
_BLANK = re.compile(rb"[ \t\n\r\v\f]+")
_ESCAPE = re.compile(rb"\\[nrt]?")
# Shorter ones may be words beside each other.
_NO_WORDS = 16


class KnownSecrets:
    """The secrets that this process knows. Safe to use from several threads."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._new: set[str] = set()
        # Those that have blanks in them, without the blanks.
        self._of_words: set[bytes] = set()
        # Forms by each number that shows them in a text.
        self._forms: dict[int, set[bytes]] = {}
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        """Know one more secret. One of fewer than 8 characters is too common to be searched for."""
        if len(value) >= SHORTEST and value not in self._values:
            with self._lock:
                self._values.add(value)
                self._new.add(value)

    def copy(self) -> KnownSecrets:
        """The same secrets; what one learns from now on, the other doesn't know."""
        copied = KnownSecrets()
        for value in self._values:
            copied.add(value)
        return copied

    def within(self, text: str) -> bool:
        """Whether a text contains one of them."""
        return bool(self._values) and bool(self._spans(_bytes(text)))

    def replaced(self, text: str, by: str) -> str:
        """The text with each of them replaced."""
        if not self._values:
            return text
        data = _bytes(text)
        spans = self._spans(data)
        if not spans:
            return text
        parts, at = [], 0
        for start, end in spans:
            parts += [data[at:start], by.encode()]
            at = end
        return b"".join([*parts, data[at:]]).decode("utf-8", "surrogatepass")

    def _known_forms(self) -> dict[int, set[bytes]]:
        from lago_acceptance.core.written_forms import forms_of

        with self._lock:
            for value in self._new:
                if len(value.split()) > 1:
                    self._of_words.add(_squeezed(_bytes(value)))
                forms = forms_of(value)
                for form in {*forms, *(_ESCAPE.sub(b"", form) for form in forms)}:
                    for at in range(_STEP) if len(form) >= SHORTEST else ():
                        number = int.from_bytes(form[at : at + _STEP], sys.byteorder)
                        self._forms.setdefault(number, set()).add(form)
            self._new.clear()
            return self._forms

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets are in a text: start and end of each, from left to right, none overlapping another."""
        forms = self._known_forms()
        # A backslash continues a line.
        data = data.replace(b"\\\n", b"\n\n")
        squeezed = _squeezed(data)
        hits = _hits(squeezed, forms)
        if b"\\" in squeezed:
            hits += _mapped(_hits(_ESCAPE.sub(b"", squeezed), forms), squeezed, _ESCAPE)
        return _merged(each for each in _mapped(hits, data, _BLANK) if not self._is_words(data[slice(*each)]))

    def _is_words(self, found: bytes) -> bool:
        """Whether short words on one line only look like a secret when the blanks between them are taken out."""
        word = _squeezed(_ESCAPE.sub(b"", found))
        blanks = b" " in found and b"\n" not in found
        return blanks and len(word) < _NO_WORDS and word not in self._of_words


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _squeezed(data: bytes) -> bytes:
    return data.translate(None, _BLANKS)


def _hits(data: bytes, forms: dict[int, set[bytes]]) -> list[tuple[int, int]]:
    numbers = memoryview(data + bytes(-len(data) % _STEP)).cast("I")
    # Megabytes of logs pass through here: no loop of Python's own over them.
    places = compress(count(), map(forms.__contains__, numbers))
    return [
        (start, start + len(form))
        for place in places
        for form in forms[numbers[place]]
        for start in range(max(_STEP * (place - 1) + 1, 0), _STEP * place + 1)
        if data.startswith(form, start)
    ]


def _mapped(hits: list[tuple[int, int]], data: bytes, breaks: re.Pattern[bytes]) -> list[tuple[int, int]]:
    """Where hits are in a text from which breaks have been taken out."""
    if not hits:
        return []
    squeezed, whole, size, at = [0], [0], 0, 0
    for each in breaks.finditer(data):
        size += each.start() - at
        at = each.end()
        squeezed.append(size)
        whole.append(at)

    def origin(place: int) -> int:
        part = bisect_right(squeezed, place) - 1
        return whole[part] + place - squeezed[part]

    return [(origin(start), origin(end - 1) + 1) for start, end in hits]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged

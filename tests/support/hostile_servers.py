"""Servers on loopback that answer as no well-meaning service does: without end, too slowly, too much, or with garbage."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable
from itertools import count

Talk = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MEBIBYTE = 2**20


def saying(*parts: bytes) -> Talk:
    """Reads a request and sends these parts."""

    def talk(client: socket.socket) -> None:
        client.recv(2**16)
        for part in parts:
            client.sendall(part)

    return talk


def answering(body: bytes, *headers: bytes) -> Talk:
    """A complete answer with status 200, of type JSON."""
    head = HEAD + b"".join(each + b"\r\n" for each in headers)
    return saying(head + b"Content-Length: %d\r\n\r\n" % len(body), body)


def dripping(beginning: bytes, drop: Callable[[int], bytes]) -> Talk:
    """Sends a beginning, and then a few bytes at a time without end, each long before a read times out."""

    def talk(client: socket.socket) -> None:
        client.recv(2**16)
        client.sendall(beginning)
        for number in count():
            time.sleep(0.05)
            client.sendall(drop(number))

    return talk


def flooding(beginning: bytes, part: bytes) -> Talk:
    """Sends a beginning, and then the same part as fast as it is taken, without end."""

    def talk(client: socket.socket) -> None:
        client.recv(2**16)
        client.sendall(beginning)
        while True:
            client.sendall(part)

    return talk


def silent(client: socket.socket) -> None:
    """Accepts and reads, and never says anything."""
    while client.recv(2**16):
        pass


def bomb() -> bytes:
    """A gibibyte of zeros, compressed to about a megabyte."""
    block = b"\0" * MEBIBYTE
    packed = gzip.compress(block * 64)
    return packed * 16


# By what they do: servers that a client must leave at its deadline.
ENDLESS: dict[str, Talk] = {
    "silence": silent,
    "a status line that drips": dripping(b"", lambda number: b"H" if not number else b"T"),
    "headers that drip": dripping(HEAD, lambda number: b"x-%d: a\r\n" % number),
    "one header that drips": dripping(HEAD + b"x: ", lambda number: b"a"),
    "a body that drips": dripping(HEAD + b"\r\n", lambda number: b" "),
    "chunks that drip": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", lambda number: b"1\r\n \r\n"),
    "informational answers": flooding(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "empty chunk extensions": dripping(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", lambda number: b"1" if not number else b";"
    ),
}

# Servers that send more than anybody should keep.
LARGE: dict[str, Talk] = {
    "a body without end": flooding(HEAD + b"\r\n", b"1" * 65536),
    "a gigabyte as announced": flooding(HEAD + b"Content-Length: 1073741824\r\n\r\n", b"1" * 65536),
    "one chunk without end": flooding(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", b"1" * 65536
    ),
    "many small chunks": flooding(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"1" * 4096 + b"\r\n"
    ),
}

# Servers whose answers are broken or hostile, and complete.
GARBAGE: dict[str, Talk] = {
    "nothing": saying(b""),
    "no HTTP": saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "HTTP/0.9": saying(b"<html>hello"),
    "no status": saying(b"HTTP/1.1 \r\n\r\n"),
    "status 000": saying(b"HTTP/1.1 000 None\r\n\r\n"),
    "status 999": saying(b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nno"),
    "too many headers": saying(b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=b\r\n" * 20000, b"\r\n"),
    "a header too long": saying(b"HTTP/1.1 200 OK\r\nx: ", b"a" * 300000, b"\r\n\r\n"),
    "headers that are no text": saying(b"HTTP/1.1 200 \xff\xfe\r\nx\xff: \xff\r\n\r\n"),
    "a folded header": saying(b"HTTP/1.1 200 OK\r\na: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    "two lengths": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a length that is no number": saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"),
    "a length too long": saying(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}"),
    "a body too short": saying(HEAD + b"Content-Length: 100\r\n\r\n{}"),
    "a chunk size that is none": saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n"),
    "an unknown coding": saying(HEAD + b"Transfer-Encoding: brotli\r\n\r\n{}"),
    "a switch of protocols": saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{}"),
    "a content type of control characters": saying(
        b"HTTP/1.1 200 OK\r\nContent-Type: a\x1b[2J/\xff;;;=\r\nContent-Length: 2\r\n\r\nno"
    ),
    "a redirect to no URL": saying(
        b"HTTP/1.1 302 Found\r\nLocation: http://[\xff\x1b\r\nContent-Length: 0\r\n\r\n"
    ),
    "deep JSON": answering(b"[" * MEBIBYTE),
    "deep and complete JSON": answering(b"[" * 900 + b"]" * 900),
    "a number too long": answering(b"1" * 5000),
    "numbers that JSON lacks": answering(b'{"a": NaN, "b": Infinity, "c": -Infinity}'),
    "a number too large": answering(b"1e999"),
    "no UTF-8": answering(b'{"a": "\xff\xfe"}'),
    "UTF-16": answering('{"a": 1}'.encode("utf-16")),
    "half of a pair": answering(b'{"a": "\\ud800"}'),
    "gzip that is none": answering(b"\x1f\x8b\x08", b"Content-Encoding: gzip"),
    "a gzip bomb": answering(bomb(), b"Content-Encoding: gzip"),
    "brotli": answering(b"\x0b\x01", b"Content-Encoding: br, gzip, x-unknown"),
}

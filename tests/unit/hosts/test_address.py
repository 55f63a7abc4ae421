"""Entries of --hosts: what ssh takes, and one sentence for everything else."""

from __future__ import annotations

import pytest

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.hosts.address import Address, parse


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ssh://host", "host"),
        ("ssh://root@Production", "Production"),
        ("ssh://root@host:22", "host"),
        ("ssh://DOMAIN\\user@host_1.example.com", "host_1.example.com"),
        ("ssh://root@192.0.2.1:2222", "192.0.2.1"),
        ("ssh://root@[2001:db8::1]:22", "2001:db8::1"),
        ("ssh://root@[fe80::1%eth0]", "fe80::1%eth0"),
    ],
)
def test_what_ssh_takes(text, name):
    assert parse(text) == Address(text, name)


def test_a_slash_at_the_end_is_nothing():
    assert parse("ssh://root@host/").spec == "ssh://root@host"


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "root@",
        "root@a b",
        "root@a\nb",
        "ro ot@a",
        "-oProxyCommand=x@host",
        "root@-oProxyCommand=x",
        "root@host/path",
        "root@host?x",
        "root@host#x",
        "a@b@c",
        "root@$(id)",
        "root@host;id",
        "root@%41",
        "root@bücher.example",
        "root@" + "a" * 300,
        "root@fe80::1",
        "root@[::1",
        "root@host:",
        "root@host:port",
        "root@host:２２",
        "root@host:0",
        "root@host:99999",
        "root@\x1b[2Jhost",
    ],
)
def test_what_it_does_not_take_is_one_printable_sentence(rest):
    with pytest.raises(UsageError) as raised:
        parse(f"ssh://{rest}")
    said = str(raised.value)
    assert said.startswith("--hosts ") and said.isprintable()
    assert "ssh://user@host" in said or "is not a number" in said or "is not a port" in said


def test_a_password_is_not_repeated():
    with pytest.raises(UsageError, match="contains a password") as raised:
        parse("ssh://root:canary@host")
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("text", ["root:canary@host", "https://root:canary@host", "ssh:/root:canary@host"])
def test_a_password_is_not_repeated_without_a_scheme_either(text):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("host", "write ssh://host"),
        ("root@host", "write ssh://root@host"),
        ("ssh:/root@host", "write ssh://root@host"),
        ("ssh//root@host", "write ssh://root@host"),
        ("https://host", "write ssh://host"),
        ("ssh://root@::1", "as in ssh://root@[::1]"),
        ("ssh://2001:db8::1", "as in ssh://[2001:db8::1]"),
        ("ssh://one;ssh://two", "without commas between them"),
        ("ssh://one ssh://two", "without commas between them"),
    ],
)
def test_what_is_meant_is_said(text, written):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert written in str(raised.value)

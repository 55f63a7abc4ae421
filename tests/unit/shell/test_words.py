"""A command line as words, and whether it needs a shell."""

import pytest

from lago_acceptance.shell.words import needs_shell, split


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("a b", ("a", "b")),
        ("a 'b c' \"d e\"", ("a", "b c", "d e")),
        ("a 'b", ("a 'b",)),
        ("é ü", ("é", "ü")),
        ("a " * 60_000, ("a " * 60_000,)),
    ],
    ids=["empty", "words", "quotes", "open quote", "letters", "long"],
)
def test_split(text, expected):
    assert split(text) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), False),
        (("./scripts/start.sh",), False),
        (("export A=b && ./start.sh",), True),
        (("export", "A=b", "&&", "./start.sh"), True),
        (("./migrate.sh", "&&", "./start.sh"), True),
        (("a", "|", "b"), True),
        (("a", ">", "b"), True),
        (("cd", "/app"), True),
        (("sh", "-c", "a && b"), False),
        (("/bin/bash", "-c", "a && b"), False),
        (("echo", "a&&b"), False),
        (("cd", "/app;", "./start.sh"), True),
        (("rails", "db:create;", "rails", "db:migrate"), True),
        (("./start.sh", "2>&1"), True),
        (("TZ=UTC", "./start.sh"), True),
        (("env", "TZ=UTC", "./start.sh"), False),
        (("nginx", "-g", "daemon off;"), False),
        (("/sbin/tini", "--", "bash", "-c", "a && b"), False),
    ],
)
def test_needs_shell(words, expected):
    assert bool(needs_shell(words)) is expected

"""URLs of databases and caches are taken apart as their readers do it, on both sides."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import shape
from lago_acceptance.facts.scripts import render

URLS = {
    "postgresql://lago:word@db:5432/lago?search_path=public": ServiceUrl(
        "postgresql", "lago", "word", "db", 5432, "/lago", "search_path=public", False
    ),
    "postgres://lago:p%40ss%2Fword@db/lago": ServiceUrl(
        "postgres", "lago", "p@ss/word", "db", None, "/lago", "", False
    ),
    "postgres://lago:p@ss/w:rd@db/lago": ServiceUrl(
        "postgres", "lago", "p@ss/w:rd", "db", None, "/lago", "", True
    ),
    "redis://redis:6379": ServiceUrl("redis", "", "", "redis", 6379, "", "", False),
    "redis://:word@redis:6379/1": ServiceUrl("redis", "", "word", "redis", 6379, "/1", "", False),
    "REDISS://user@redis": ServiceUrl("rediss", "user", "", "redis", None, "", "", False),
    "http://[::1]:3000/health": ServiceUrl("http", "", "", "::1", 3000, "/health", "", False),
    "https://billing.example.net?x=1": ServiceUrl(
        "https", "", "", "billing.example.net", None, "", "x=1", False
    ),
    ' "postgres://lago:word@db/lago" ': ServiceUrl(
        "postgres", "lago", "word", "db", None, "/lago", "", False
    ),
    "postgres://lago:<secret:1:plain:9>@db/lago": ServiceUrl(
        "postgres", "lago", "<secret:1:plain:9>", "db", None, "/lago", "", False
    ),
    "postgres://lago:<secret:1:plain:9>raw@db/lago": ServiceUrl(
        "postgres", "lago", "<secret:1:plain:9>raw", "db", None, "/lago", "", True
    ),
}
PASSWORDS = {
    "plain": False,
    "lago123!": False,
    "p%40ss": False,
    "p%2fss%3F": False,
    "change_this_please": False,
    "generate-with-openssl": False,
    "a:b": False,
    "": False,
    "p@ss": True,
    "p/ss": True,
    "p?ss": True,
    "p#ss": True,
    "p+ss": True,
    "p=ss": True,
    "p ss": True,
    "100%": True,
    "100%4": True,
    "100%zz": True,
    "100%4z": True,
    "%%41": True,
}


@pytest.mark.parametrize("text", URLS)
def test_a_url_is_taken_apart(text):
    assert service_url(text) == URLS[text]


@pytest.mark.parametrize("text", [None, "", "db:5432", "://db", "/run/redis.sock"])
def test_what_is_no_url_has_no_parts(text):
    assert service_url(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("postgres://db/lago", "lago"),
        ("postgres://db", ""),
        ("redis://redis", "0"),
        ("rediss://redis/", "0"),
        ("redis://redis/3", "3"),
    ],
)
def test_a_database_has_a_name_or_redis_number(text, name):
    assert service_url(text).database == name


@pytest.mark.parametrize(("password", "raw"), PASSWORDS.items())
def test_a_password_that_is_not_escaped_is_noticed(password, raw):
    assert service_url(f"postgres://lago:{password}@db/lago").raw_password is raw


def observed(run_awk, values: list[str]) -> list[str]:
    """What a host reports of variables whose names don't sound secret."""
    lines = [f"E\town\t{json.dumps(f'DATABASE_URL={value}')}" for value in values]
    begin = "environment E\town\tDATABASE_URL\t"
    told = run_awk(render.script("mask.awk"), lines, scope=" own ")
    assert all(line.startswith(begin) for line in told)
    return [json.loads(f'"{line.removeprefix(begin)}"') for line in told]


def test_a_host_masks_the_password_alone_and_judges_it_as_it_is_judged_here(run_awk):
    values = [f"postgres://lago:{password}@db:5432/lago?x=1" for password in PASSWORDS]
    for value, told in zip(values, observed(run_awk, values), strict=True):
        here, there = service_url(value), service_url(told)
        assert is_masked(there.password) and shape(there.password) == shape(here.password), value
        assert (there.raw_password, there.user, there.host, there.port) == (
            here.raw_password,
            "lago",
            "db",
            5432,
        ), value


@pytest.mark.parametrize("around", ["{}", '"{}"', "'{}'", " {}"])
@pytest.mark.parametrize("scheme", ["postgres", "POSTGRES", "jdbc:postgresql", "redis+sentinel"])
def test_no_password_leaves_a_host_however_its_url_is_written(run_awk, around, scheme):
    (told,) = observed(run_awk, [around.format(f"{scheme}://lago:hunter2pass@db/lago")])
    assert told == around.format(f"{scheme}://lago:<secret:1:plain:11>@db/lago")
    assert service_url(told).host == "db"

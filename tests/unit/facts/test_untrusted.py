"""Whatever a host prints becomes facts, or Unreachable: no answer of a container ends a run with a traceback."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lago_acceptance.checks.edge.traefik_routers import TraefikApi
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.facts import redis_answers, sidekiq
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.inside import view_of
from lago_acceptance.facts.script_output import begin, end
from lago_acceptance.facts.sections import sections
from lago_acceptance.facts.types import Facts
from lago_acceptance.facts.untrusted import decoded, whole_number
from lago_acceptance.hosts.base import Host, ReadCommand

ODD = [
    "[" * 100_000,
    '{"a":' * 100_000,
    "1" * 5000,
    "1e999",
    "NaN",
    '{"a": 1, "a": {"b": []}}',
    '"\\ud800"',
    "\u00b2",
    "\u0663",
    '{"with_key": 7, "inside": {"plans": [1, 2, 3]}, "key": [], "answers": {"/x": 1}}',
    '{"databases": [{"number": 1e999, "queues": [7]}], "policy": {}}',
    '{"databases": [{"number": 0, "processes": [{"info": {"capsules": {"a": 1}}}], "queues": {}}]}',
    "@reply info",
    "@reply sidekiq",
    "@reply clients",
    "@reply settings",
    "id=7 addr=] db=x age",
    "save",
    '[{"name": 7, "rule": []}, 3, {"name": "a", "rule": 7, "using": "x", "error": "y", "tls": 1}]',
    '[{"name": "a", "loadBalancer": {"servers": [7, {"url": 7}]}}, {"loadBalancer": 1}]',
    "directory\t7",
    "migrations\t[]",
    "signs\t{}",
    "tables\t" + "[" * 5000,
    "invoices_failed\t7",
    "health " + "A" * 7,
    "health Cg==",
    "url \u00b2",
]
CONTAINER = {"id": "c", "name": "/c", "image": "getlago/api:v1", "args": [], "state": {"Running": True}}
NAMED = ("lago:c", "redis:c", "database:c", "front:c", "proxy:c", "gateway:c", "logs:c", "environment")
NAMES = [*NAMED, *(each.name for each in sections() if each.name not in ("clock", "project"))]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
# A host decodes what is no UTF-8 so.
BYTES = st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").decode("utf-8", "surrogateescape"))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40)
LINES = st.sampled_from(ODD) | VALUES.map(json.dumps) | TEXTS | BYTES
PRINTED = st.lists(st.tuples(st.sampled_from(NAMES), LINES), max_size=8)


class Telling(Host):
    """A host that prints these lines of sections, of one container that is an API."""

    name, compose_command = "somewhere", ""

    def __init__(self, lines: list[tuple[str, str]]):
        self._lines = lines

    def read(self, reading: ReadCommand) -> str:
        nonce = reading.variables["nonce"]
        usual = f"clock 1.0 2.0\nproject x\ncontainers {json.dumps(CONTAINER)}\n"
        told = "".join(f"{name} {line}\n" for name, line in self._lines)
        return f"{begin(nonce)}{usual}{told}{end(nonce)}"


def looked_at(facts: Facts) -> None:
    """What checks do with an answer before they judge it."""
    sidekiq.as_enqueued_to(facts)
    for text in facts.lago.values():
        text.status("/health")
    for source in facts.sources:
        assert source.bits >= 0
    for container in (*facts.containers, *facts.others):
        facts.log(container)
        facts.stamped_log(container)
    try:
        proxy = TraefikApi(facts)
        proxy.naming("lago.example")
        proxy.serving(PublicUrl("https", "lago.example", 443), "websecure")
    except Unknown:
        pass
    view = view_of(facts)
    for answer in view.answers.values():
        assert answer.document is not NotImplemented and answer.said


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_answer_is_no_traceback(name):
    for line in ODD:
        try:
            looked_at(observe(Telling([(name, line), (name, "[]"), (name, "\t".join("abcdefghi"))])))
        except Unreachable as error:
            assert "arrived incomplete" in str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(printed=PRINTED)
def test_nothing_that_is_printed_is_a_traceback(printed):
    try:
        looked_at(observe(Telling(printed)))
    except Unreachable as error:
        assert str(error)


@pytest.mark.parametrize("text", ODD[:5])
def test_what_is_no_finite_json_is_none(text):
    assert decoded(text) is None


def test_numbers():
    assert [
        whole_number(text) for text in ("0", "17", "", "-1", "\u00b2", "\u0663", "1" * 5000, "1.0", " 1")
    ] == [
        0,
        17,
        *[None] * 7,
    ]


def test_the_first_redis_that_answers_counts():
    well = "\n@reply info\nmaxmemory_policy:noeviction\nrun_id:f00d\n"
    found, error = redis_answers.redis({"a": "a was not queried: x", "b": well})
    assert found is not None and error == ""
    assert (found.policy, found.run_id, found.container) == ("noeviction", "f00d", "b")
    assert redis_answers.redis({"a": "a was not queried: x"}) == (None, "a was not queried: x")

"""What Lago makes of the text of a key, and what is wrong with a PEM whichever way it is passed on."""

import base64

import pytest

from lago_acceptance.lago.key_parsing import State, damage, judge, judge_either
from lago_acceptance.lago.published import published_key, published_secret
from lago_acceptance.shell.values import AbstractValue
from tests.support.material import material


def text(name: str) -> AbstractValue:
    return AbstractValue.of(material()[name])


def pem(*lines: slice) -> AbstractValue:
    every = material()["PEM"].splitlines(keepends=True)
    return AbstractValue.of("".join(line for part in lines for line in every[part]))


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (text("PEM"), State.GOOD),
        (text("PEM_ESCAPED"), State.GOOD),
        (AbstractValue.of(material()["PEM"].replace("\n", " ")), State.GOOD),
        (pem(slice(0, 5), slice(7, None)), State.DAMAGED),
        (pem(slice(0, 12)), State.TRUNCATED),
        (text("PEM_DAMAGED"), State.DAMAGED),
        (text("PEM_PUBLIC"), State.PUBLIC),
        (AbstractValue("pem"), State.GOOD),
        (text("HEX"), State.GOOD),
    ],
)
def test_what_is_wrong_with_a_pem(value, state):
    assert damage(value) is state


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("PEM", State.PEM),
        ("PEM_DAMAGED", State.PEM_MANGLED),
        ("PEM_PUBLIC", State.PUBLIC),
        ("B64_PUBLIC", State.PUBLIC),
        ("B64_CUT", State.TRUNCATED),
    ],
)
def test_what_lago_makes_of_a_value(name, state):
    assert judge(text(name))[0] is state


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (text("PEM"), State.GOOD),
        (text("B64"), State.GOOD),
        (text("B64_DAMAGED"), State.DAMAGED),
        (pem(slice(0, 12)), State.TRUNCATED),
        (text("B64_PUBLIC"), State.PUBLIC),
        (text("B64B64"), State.UNKNOWN),
        (AbstractValue("base64"), State.UNKNOWN),
        (AbstractValue.of(""), State.UNKNOWN),
    ],
)
def test_a_key_that_other_code_loads(value, state):
    assert judge_either(value)[0] is state


def test_the_same_key_has_the_same_digest_however_it_is_written():
    assert judge_either(text("PEM"))[1] == judge_either(text("B64"))[1] != judge_either(text("B64_OTHER"))[1]


def test_published_secrets_are_known_by_their_digests():
    assert published_key(judge(text("B64_PUBLISHED"))[1])
    assert not published_key(judge(text("B64"))[1])
    assert published_secret(material()["PUBLISHED_SECRET"])
    assert not published_secret(base64.b64encode(b"any other").decode())
    assert not published_key("")

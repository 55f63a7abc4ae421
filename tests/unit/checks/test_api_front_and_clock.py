"""Each check of API, front and clock is seen red and green, and unknown where nothing could be asked."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.checks import api_inside, clock, front
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, EndpointAnswer, LagoProcess
from tests.support.facts import SETTINGS, container, facts, ids, lago, stamp

OURS = json.dumps({"version": SETTINGS.deployment.version, "message": "Success"})


def process(path: str, status: int, **more):
    said = LagoProcess(answers={path: EndpointAnswer(status, "text/html")}, **more)
    return facts(*lago(), lago={"api": said})


@pytest.mark.parametrize(
    ("seen", "id", "words"),
    [
        (process("/health", 200, health=OURS), None, ""),
        (process("/health", 200, health='{"version": "0.1"}'), "version-unexpected", "Lago 0.1 is running"),
        (process("/health", 500, health='{"message": "PG"}'), "api-unhealthy", "answers 500: PG"),
        (process("/health", 200, health="<html>"), "api-unhealthy", "text/html, which is not JSON"),
        (process("/health", 200, health="[]"), "api-unhealthy", "not JSON"),
        (facts(*lago(), lago={"api": LagoProcess(error="killed")}), "api-unhealthy", "killed"),
    ],
)
def test_an_api_that_is_not_healthy(seen, id, words):
    found = list(api_inside.is_healthy_and_of_the_expected_version(seen, SETTINGS))
    assert ids(found) == ([id] if id else []) and all(words in each.problem for each in found)


@pytest.mark.parametrize(
    ("status", "id"), [(200, None), (401, "api-refuses-its-key"), (500, "api-fails"), (404, "api-fails")]
)
def test_an_api_that_does_not_answer_its_own_key(status, id):
    seen = process(api_inside.ORGANIZATION, status, with_key=True)
    assert ids(api_inside.accepts_its_own_key(seen, SETTINGS)) == ([id] if id else [])
    if id is None:
        assert api_inside.process_with_accepted_key(seen, SETTINGS).with_key
        return
    with pytest.raises(Blocked, match=f"answers {status} .*because of {id}"):
        api_inside.process_with_accepted_key(seen, SETTINGS)


def test_an_api_on_another_schema_is_blocked_by_it():
    said = LagoProcess(
        with_key=True,
        answers={api_inside.ORGANIZATION: EndpointAnswer(500)},
        migrations=("1", "9"),
        migration_count=2,
    )
    old = DatabaseAnswers(migrations=AppliedMigrations(1, "1"))
    with pytest.raises(Blocked, match="schema-not-the-images"):
        list(api_inside.accepts_its_own_key(facts(*lago(), lago={"api": said}, database=old), SETTINGS))


def test_an_api_that_could_not_be_asked():
    with pytest.raises(Blocked, match="api-unhealthy"):
        list(
            api_inside.accepts_its_own_key(facts(*lago(), lago={"api": LagoProcess(error="late")}), SETTINGS)
        )
    for said in (LagoProcess(), LagoProcess(with_key=False), LagoProcess(with_key=True)):
        with pytest.raises(Unknown):
            list(api_inside.accepts_its_own_key(facts(*lago(), lago={"api": said}), SETTINGS))
    for check in (api_inside.accepts_its_own_key, api_inside.is_healthy_and_of_the_expected_version):
        with pytest.raises(Blocked, match="service-missing"):
            list(check(facts(*lago("api")), SETTINGS))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (f'window.API_URL = "https://{SETTINGS.hosts.api}/"', None),
        ('window.API_URL = "http://localhost:3000"', "'http://localhost:3000', not 'https://"),
        ("<html>", "not the JavaScript"),
    ],
)
def test_a_front_that_names_another_api(answer, words):
    found = list(front.uses_the_apis_public_url(facts(*lago(), fronts={"front": answer}), SETTINGS))
    assert [(each.id, words in each.problem) for each in found] == (
        [("front-api-url", True)] if words else []
    )


def test_a_front_that_could_not_be_asked():
    with pytest.raises(Unknown, match="neither curl nor wget"):
        list(front.uses_the_apis_public_url(facts(*lago()), SETTINGS))
    with pytest.raises(Blocked, match="service-missing"):
        list(front.uses_the_apis_public_url(facts(*lago("front")), SETTINGS))


def logged(*lines: tuple[float, str]):
    text = "".join(f"{stamp(ago)} {line}\n" for ago, line in lines)
    return facts(container("api"), container("clock", started_at=stamp(9999)), logs={"clock": text})


def test_a_clock_that_stands_still():
    assert list(clock.ticks(logged((100, "Triggering 'schedule:x'")))) == []
    (found,) = clock.ticks(logged((500, "Triggering 'schedule:x'")))
    assert found.id == "clock-stands-still" and "nothing since 2026-11-25 09:38 UTC (8 min)" in found.problem
    (never,) = clock.ticks(logged((500, "Starting clock")))
    assert never.problem == "it has triggered nothing"


def test_a_clock_that_does_not_run():
    for check in (clock.ticks, lambda seen: clock.enqueues_in_time(seen, {"x": 60})):
        with pytest.raises(Blocked, match="no-clock-service"):
            list(check(facts(container("api"))))


def test_a_schedule_that_is_late():
    done = "Finished 'schedule:x' duration_ms=1 error=nil"
    assert list(clock.enqueues_in_time(logged((30, done)), {"x": 60})) == []
    (found,) = clock.enqueues_in_time(logged((300, done)), {"x": 60})
    assert found.id == "schedule-late" and "(5 min)" in found.problem

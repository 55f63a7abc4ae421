"""A check of each public host: findings of all of them, and one reason where some can't be judged."""

from __future__ import annotations

from lago_acceptance.checks.edge import every_host
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked, Unknown
from tests.support.endpoints import urls
from tests.support.facts import container, facts

HOSTS = urls({API: "api.example.test", FRONT: "front.example.test"})
UP = facts(container(API), container(FRONT))
DOWN = facts(container(API, running=False), container(FRONT))


def red(role: str, url: PublicUrl, severity: Severity = Severity.ERROR) -> list[Finding]:
    return [
        Finding(id="port-open", role=role, problem=str(url), impact="none", fix="none", severity=severity)
    ]


def warning(role: str, url: PublicUrl) -> list[Finding]:
    return red(role, url, Severity.WARNING)


def unknown(role: str, url: PublicUrl) -> list[Finding]:
    raise Unknown(f"{url} can't be seen")


def blocked(role: str, url: PublicUrl) -> list[Finding]:
    raise Blocked("name-absent", str(url))


def test_findings_of_all_hosts_are_gathered():
    found, held = every_host(red, HOSTS, UP)
    assert [each.problem for each in found] == list(map(str, HOSTS.values())) and held is None


def test_a_service_that_is_down_explains_its_own_hosts_red_and_no_other():
    found, held = every_host(red, HOSTS, DOWN)
    assert [each.role for each in found] == [FRONT]
    assert isinstance(held, Blocked) and held.by == "service-down" and "api.example.test" in held.missing
    found, held = every_host(red, HOSTS, None)
    assert [each.role for each in found] == [API, FRONT] and held is None


def test_a_warning_and_what_is_unknown_stay_what_they_are_where_a_service_is_down():
    found, held = every_host(warning, HOSTS, DOWN)
    assert [each.role for each in found] == [API, FRONT] and held is None
    _, held = every_host(unknown, HOSTS, DOWN)
    assert isinstance(held, Unknown) and "api.example.test" in str(held) and "front.example.test" in str(held)


def test_what_is_blocked_keeps_its_cause_unless_the_service_is_down():
    _, held = every_host(blocked, HOSTS, UP)
    assert isinstance(held, Blocked) and held.by == "name-absent"
    _, held = every_host(blocked, {API: HOSTS[API]}, DOWN)
    assert isinstance(held, Blocked) and held.by == "service-down"


def test_a_gateway_that_is_not_of_this_deployment_is_taken_to_serve():
    found, held = every_host(red, urls({GATEWAY: "gateway.example.test"}), UP)
    assert len(found) == 1 and held is None

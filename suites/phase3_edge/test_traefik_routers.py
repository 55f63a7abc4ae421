"""Phase 3: Traefik has one enabled router per host and entrypoint, linked to the right service."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import proxy_host, traefik_routers

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_traefik_finds_no_fault_with_a_router(facts, judge_routers):
    judge_routers(lambda role, url: traefik_routers.have_no_errors(facts, role, url))


def test_one_router_per_host_and_entrypoint(facts, settings, judge_routers):
    judge_routers(lambda role, url: traefik_routers.are_one_each(facts, role, url, settings.edge))


def test_routers_lead_to_the_services_port_on_a_network_of_traefiks(facts, settings, judge_routers):
    judge_routers(lambda role, url: traefik_routers.point_to_the_service(facts, role, url, settings.edge))


def test_https_routers_use_the_certificate_resolver(facts, settings, judge_routers):
    judge_routers(lambda role, url: traefik_routers.have_the_resolver(facts, role, url, settings.edge))


def test_traefik_is_new_enough_for_the_hosts_docker(facts, judge):
    judge(proxy_host.proxy_speaks_with_docker(facts))


def test_traefik_accepts_its_certificate_file(facts, judge):
    judge(proxy_host.proxy_accepts_its_certificate_file(facts))

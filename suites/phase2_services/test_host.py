"""Phase 2: there is one Lago on the host, and the host itself does not stand in its way."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import host
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.verdicts import Blocked, Unknown

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_lago_is_on_this_host(facts, deployment, settings):
    if facts.containers or deployment.bring_up:
        return
    others = f"; the projects with Lago in them are {', '.join(facts.lagos)}" if facts.lagos else ""
    raise Red(
        Finding(
            id="not-brought-up",
            problem=(
                f"no container belongs to the Compose project {facts.project}"
                if facts.project
                else "no Compose project on this host has Lago in it"
            )
            + others,
            impact="there is no Lago here",
            fix=f"deploy it (docker compose up -d in {settings.deployment.directory}), or name the right "
            "host and --project",
        )
    )


def test_no_other_stack_answers_to_lagos_names(facts, judge):
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")
    judge(host.doubled_names(facts))


def test_images_are_what_their_names_stand_for(facts, judge):
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")
    if not facts.images:
        raise Unknown("Docker did not say what its images' names stand for")
    judge(host.images_moved(facts))


def test_logs_are_rotated(facts, settings, judge):
    if not facts.containers:
        raise Blocked("not-brought-up", "there is no container")
    if not facts.log_sizes:
        raise Unknown(
            "the log files on the host can't be seen: only root may, and other logging drivers have none"
        )
    judge(host.big_logs(facts, settings.limits.log_mib))


def test_the_hosts_clock_is_right(facts, settings, judge):
    judge(host.clock_drift(facts, settings.limits.clock_drift))


def test_the_last_dump_is_recent(facts, settings, judge):
    if settings.backup is None:
        raise Unknown("where dumps lie is not configured (settings.toml, [backup] files)")
    judge(host.last_dump(facts, settings.backup.files, settings.backup.hours))

"""Invented runs for the page: a deployment with faults, the same one well, fifty hosts, and ninety nights of each.

``python -m tests.support.pages`` takes the pictures of docs/images again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lago_acceptance import __version__
from lago_acceptance.clients.browser import executable
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.measurements import Measurement, worst
from lago_acceptance.core.registry import Severity
from lago_acceptance.page import render
from lago_acceptance.reports import verdict
from lago_acceptance.reports.summary import Cause, Check, Deployment, NotJudged, PastRun, Summary, iso
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NIGHT = 1_795_400_000.0
DAY = 86400.0
GIB = 1024
WAITING = Finding(
    id="queue-stuck",
    role="worker",
    service="lago-worker",
    problem="Jobs of the queue billing have been waiting for 47 minutes, the oldest of 212",
    impact="subscriptions are billed late, and their invoices reach nobody today",
    fix="read the worker's log (docker compose logs --since 1h lago-worker), and restart it if it is stuck",
)
EXPIRING = Finding(
    id="certificate-expires",
    role="proxy",
    place=Place("api.billing.example.com"),
    problem="The certificate of api.billing.example.com expires in 6 days",
    impact="from 3 December on no client can reach the API",
    fix="read why Traefik doesn't renew it: docker logs --since 24h traefik",
)
UNGUARDED = Finding(
    id="memory-limit-low",
    role="api",
    service="lago-api",
    problem="the memory limit of lago-api is 512 MiB",
    impact="the kernel ends it when many invoices are made at once",
    fix="set mem_limit: 1g or more, as in compose/docker-compose.lago.yml",
    severity=Severity.WARNING,
)
UNREAD = Finding(
    id="unknown-env-ignored",
    role="api",
    service="lago-api",
    problem="Lago reads no variable LAGO_MAIL_FROM",
    impact="what it was meant to set has its default",
    fix="delete it, or write LAGO_FROM_EMAIL instead",
    severity=Severity.WARNING,
)
PUBLISHED = Finding(
    id="host-port-published",
    role="db",
    service="lago-db",
    problem="PostgreSQL is published on port 5432 of the private network",
    impact="who is in that network can try passwords",
    fix="publish it as 127.0.0.1:5432 or not at all",
)
HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u2028\x1b[31m\x00\udcff\u202e{{7*7}}]]>-->"
NO_KEY = "no API key is known in the container"
GIVE_KEY = "set LAGO_API_KEY, or name a file that holds it with --api-key-file"


def _names() -> Iterator[tuple[int, str]]:
    for path in sorted((ROOT / "suites").rglob("test_*.py")):
        number = re.search(r"phase(\d)", path.parent.name)
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE):
            yield int(number[1]) if number else 7, f"{path.relative_to(ROOT)}::{name}"


NAMES = tuple(_names())


def checks(faulty: bool, number: int = 0) -> tuple[Check, ...]:
    """About two hundred checks: those of the suite, with its own names."""
    made = [
        Check(name, phase, "passed", NIGHT + place, round((place * 37 % 50) ** 2 / 900, 4))
        for place, (phase, name) in enumerate(NAMES)
    ]
    made += [
        Check(f"{NAMES[0][1]}[{extra}]", NAMES[0][0], "passed", NIGHT, 0.01)
        for extra in range(len(made), 200)
    ]
    jobs = [place for place, check in enumerate(made) if check.phase == 2]
    edge = [place for place, check in enumerate(made) if check.phase == 3]
    later = [place for place, check in enumerate(made) if check.phase in (4, 5, 6)]

    def put(place: int, **changes) -> None:
        old = made[place]
        made[place] = Check(old.name, old.phase, changes.pop("outcome"), old.started, old.seconds, **changes)

    put(jobs[0], outcome="passed", findings=(UNGUARDED,))
    put(edge[-1], outcome="passed", findings=(UNREAD,))
    put(
        jobs[-1],
        outcome="waived",
        reason="waived: host-port-published: the replica in the other hall reads it, until 2027-01-31",
        findings=(PUBLISHED,),
    )
    for place in later[:7]:
        put(place, outcome="unknown", reason=NO_KEY, why=NO_KEY, fix=GIVE_KEY)
    put(
        edge[-2],
        outcome="unknown",
        reason="no second resolver answers",
        why="no second resolver answers from here",
    )
    if faulty:
        put(jobs[1], outcome="failed", findings=(WAITING,))
        if number % 2 == 0:
            put(edge[0], outcome="failed", findings=(EXPIRING,))
        for place in later[7:12]:
            put(place, outcome="blocked", reason="blocked", blocked_by=WAITING.id)
    return tuple(made)


def numbers(faulty: bool, number: int = 0) -> tuple[Measurement, ...]:
    """What such a run has read."""
    return (
        Measurement("certificate_days", 6 if faulty else 58 - number % 20, "api.billing.example.com"),
        Measurement("certificate_days", 58, "billing.example.com"),
        Measurement("certificate_days", 71, "gateway.billing.example.com"),
        Measurement("queue_age", 2820 if faulty else 2.4, "billing"),
        Measurement("queue_jobs", 212 if faulty else 3, "billing"),
        Measurement("queue_age", 0.8, "default"),
        Measurement("queue_jobs", 1, "default"),
        Measurement("queue_age", 0, "webhook"),
        Measurement("queue_jobs", 0, "webhook"),
        Measurement("disk_free", 38.4 * GIB, "/"),
        Measurement("disk_free", 121 * GIB, "/var/lib/docker"),
        Measurement("dead_jobs", 14 if faulty else 0),
        Measurement("processed_jobs", 1_842_330 + number),
        Measurement("dump_age", 6.4, "/var/backups/lago/2026-11-26.dump"),
        Measurement("dump_size", 1_460_000_000, "/var/backups/lago/2026-11-26.dump"),
        Measurement("restarts", 2, "lago-worker"),
        Measurement("containers", 9),
        Measurement("migrations", 612),
        Measurement("clock_drift", 0.02),
        Measurement("first_invoice", 66 if faulty else 31),
    )


def summary(
    host: str = "root@billing.example.com", *, faulty: bool = True, number: int = 0, **changes
) -> Summary:
    """A run that was scheduled for the night, on a host with faults or without."""
    mine, code = checks(faulty, number), int(faulty)
    values = {
        "run": f"20261123-0213-{number:04x}",
        "version": __version__,
        "target": "live",
        "host": host,
        "deployment": Deployment("/opt/lago", "docker-compose.yml", "9f2c77a1" * 8, "v1.33.2"),
        "scheduled": True,
        "started": iso(NIGHT),
        "ended": iso(NIGHT + 94),
        "seconds": 94.2,
        "billing": verdict.WITH_FAULTS if faulty else verdict.BILLS,
        "since": iso(NIGHT - (1 if faulty else 23) * DAY),
        "verdict": verdict.in_words(code, ()),
        "exit_code": code,
        "causes": verdict.causes(mine),
        "not_judged": verdict.not_judged(mine),
        "measurements": numbers(faulty, number),
        "timings": {"prepare": 1.2, "observe": 8.9},
        "stand_ins": (),
        "images": {},
        "notes": ("the API key was read in the container of lago-api",),
        "checks": mine,
    }
    return Summary(**{**values, **changes})


def stopped(host: str, number: int = 0) -> Summary:
    """A run on a host that doesn't bill at all."""
    return summary(
        host, number=number, billing=verdict.DOES_NOT_BILL, since=iso(NIGHT - 3 * DAY), changed=False
    )


def unreachable(host: str) -> Summary:
    """A run that met nobody."""
    return summary(
        host, exit_code=6, verdict=verdict.in_words(6, ()), billing=verdict.NOT_KNOWN, changed=True, causes=(),
        not_judged=(), measurements=(), checks=(), since=iso(NIGHT), deployment=Deployment(),
        notes=(f"{host} doesn't answer on port 22 within 10 s; check that it is up: ssh {host} true",),
    )  # fmt: skip


def nights(newest: Summary, count: int = 90, seed: int = 1) -> tuple[PastRun, ...]:
    """The runs before a run, and that run itself, oldest first."""
    chance, days, made = random.Random(seed), 60, []
    for ago in range(count - 1, -1, -1):
        days = 89 if days <= 30 else days - 1
        fault = chance.random() < 0.04 or 52 < ago < 56
        billing = verdict.DOES_NOT_BILL if 53 < ago < 56 else verdict.WITH_FAULTS if fault else verdict.BILLS
        if ago == 33:
            billing = verdict.NOT_KNOWN
        phases = {phase: "passed" for phase in range(8)} | ({2: "failed", 5: "blocked"} if fault else {})
        read = {
            "certificate_days": days,
            "queue_age": round(chance.uniform(400, 2400) if fault else chance.uniform(0, 9), 2),
            "first_invoice": round(chance.gauss(31, 3) + (30 if fault else 0), 2),
            "disk_free": 38.4 * GIB + ago * 120,
            "dead_jobs": 14 if fault else 0,
        }
        made.append(
            PastRun(
                f"2026-{ago:04x}", NIGHT - ago * DAY + chance.randrange(600), round(chance.gauss(92, 5), 2),
                billing, int(fault), WAITING.id if fault else "", phases, {} if ago == 33 else read, ago % 9 != 4,
            )
        )  # fmt: skip
    wrong = {check.phase for check in newest.checks if check.outcome == "failed"}
    made[-1] = PastRun(
        newest.run, NIGHT, newest.seconds, newest.billing, newest.exit_code,
        newest.causes[0].finding.id if newest.causes else "",
        {phase: "failed" if phase in wrong else "passed" for phase in newest.phases},
        worst(newest.measurements), True,
    )  # fmt: skip
    return tuple(made)


def many(count: int) -> list[Summary]:
    """Runs of many hosts, of which a few aren't well."""
    names = [f"root@billing-{number:03}.example.com" for number in range(1, count + 1)]
    made = [summary(name, faulty=False, number=number) for number, name in enumerate(names)]
    made[7 % count] = stopped(names[7 % count], 8)
    made[19 % count] = unreachable(names[19 % count])
    made[31 % count], made[44 % count] = (
        summary(names[31 % count], number=31),
        summary(names[44 % count], number=44),
    )
    return made


def history(summaries: Sequence[Summary], count: int = 90) -> dict[str, tuple[PastRun, ...]]:
    """The nights of each host."""
    return {each.key: nights(each, count, number) for number, each in enumerate(summaries)}


def everywhere(text: str) -> tuple[Summary, dict[str, list[PastRun]]]:
    """A run with a text in every field that can hold one."""
    finding = Finding(
        id=text, problem=text, impact=text, fix=f"`{text}`", service=text, role=text, place=Place(text)
    )
    check = Check(text, 2, "failed", 1.0, 1.0, text, (finding,), text, text, text)
    summary = Summary(
        run=text, version=text, target=text, host=text, project=text, deployment=Deployment(text, text, text, text),
        started=text, ended=text, seconds=1.0, since=text, changes=3, verdict=text, exit_code=1,
        causes=(Cause(finding, (text,), (text,)),),
        not_judged=(NotJudged("unknown", text, (text,), "", f"`{text}`"), NotJudged("blocked", text, (text,), text)),
        measurements=tuple(Measurement(name, 1, text) for name in ("certificate_days", "queue_age", "dump_age")),
        timings={text: 1.0}, stand_ins=(text,), images={text: text}, notes=(text,),
        checks=(check, msgspec.structs.replace(check, outcome="waived"), msgspec.structs.replace(check, name="a::b", outcome=text)),
    )  # fmt: skip
    past = PastRun(text, 1.0, 1.0, text, 1, text, {2: text}, {"queue_age": 1.0})
    return summary, {summary.key: [past]}


def page(summaries: Sequence[Summary], count: int = 90) -> str:
    """The page of runs with their history."""
    return render.html(summaries, history(summaries, count))


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """The Chromium of this machine, started with arguments."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def main(folder: Path = ROOT / "docs" / "images") -> None:
    """Take the pictures of the documentation."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "page.html"
    file.write_text(page([summary()]), "utf-8")
    try:
        with chromium() as browser:
            for scheme in ("light", "dark"):
                opened = browser.new_page(viewport={"width": 1200, "height": 820}, color_scheme=scheme)
                opened.goto(file.as_uri())
                opened.screenshot(path=folder / f"page-{scheme}.png")
    finally:
        file.unlink()


if __name__ == "__main__":
    main()

"""Lago as other people deploy it: each style is accepted without a settings file when it is healthy, and red for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import styles, suite_run

pytestmark = pytest.mark.stack

# What a run says of a style that it does not say of another.
SAID = {
    "ports": "no proxy, http only",
    "traefik": "",
    "caddy": "routers not judged: the proxy is Caddy",
    "nginx": "routers not judged: the proxy is nginx",
    "host": "routers not judged: the proxy is not Traefik",
    "tunnel": "routers not judged: the proxy is not Traefik",
    "managed": "Redis is elsewhere (redis.cloud.example)",
}


def judged(folder: Path, style: str, marks: str, **changed: str) -> suite_run.Result:
    """One run against a deployment of a style."""
    file = folder / style / f"{style}.yml"
    if not file.exists():
        styles.write(folder / style, style, **changed)
    return suite_run.run(folder / "reports", "-m", marks, "--compose-file", str(file))


@pytest.mark.parametrize("style", styles.STYLES)
def test_a_healthy_deployment_is_accepted(style, tmp_path):
    found = judged(tmp_path, style, "(smoke or browser) and not phase4 and not phase6")
    assert found.code == 0 and found.red() == set() and not found.checks("blocked"), found.output[-4000:]
    assert SAID[style] in found.output
    summary = (found.reports / "summary.json").read_text("utf-8")
    assert styles.words_of_others(found.output + summary) == []
    assert {
        "test_https_answers_through_the_name",
        "test_the_administrator_logs_in_and_sees_the_plans",
    } <= set(found.checks("passed"))


def edited(folder: Path, style: str, file: str, old: str, new: str, **changed: str) -> None:
    """A deployment of a style with one fault."""
    styles.write(folder / style, style, **changed)
    if old:
        path = folder / style / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")


FAULTS = {
    "ports: the front is published elsewhere": ("ports", "ports.yml", '"8081:80"', '"8082:80"', {}),
    "ports: browsers are sent to another port": (
        "ports",
        "",
        "",
        "",
        {"BROWSER_API_URL": "http://localhost:3999"},
    ),
    "ports: another origin is allowed": ("ports", "", "", "", {"FRONT_URL": "http://localhost:8088"}),
    "traefik: the prefix is not stripped": (
        "traefik",
        "traefik.yml",
        "      traefik.http.routers.meter-api.middlewares: meter-strip\n",
        "",
        {},
    ),
    "traefik: a resolver that is none": (
        "traefik",
        "traefik.yml",
        "meter-front.tls.certresolver: acme",
        "meter-front.tls.certresolver: acne",
        {},
    ),
    "traefik: an entry point that is none": (
        "traefik",
        "traefik.yml",
        "meter-front.entrypoints: secure",
        "meter-front.entrypoints: websecure",
        {},
    ),
    "caddy: a port where nothing listens": ("caddy", "Caddyfile", "front:80", "front:8080", {}),
    "caddy: another name": ("caddy", "", "", "", {"API_NAME": "pay-apl.meter.test"}),
    "caddy: its own authority": (
        "caddy",
        "Caddyfile",
        "reverse_proxy front:80",
        "tls internal\n\treverse_proxy front:80",
        {},
    ),
    "nginx: a port where nothing listens": (
        "nginx",
        "nginx.conf.template",
        "http://api:3000",
        "http://api:3001",
        {},
    ),
    "nginx: the prefix is not stripped": (
        "nginx",
        "nginx.conf.template",
        "location /api/ { proxy_pass http://api:3000/; }",
        "location /api/ { proxy_pass http://api:3000; }",
        {},
    ),
    "nginx: logins go to the front": (
        "nginx",
        "nginx.conf.template",
        "    location = /graphql { proxy_pass http://api:3000; }\n",
        "",
        {},
    ),
    "host: a URL without a scheme": ("host", "", "", "", {"FRONT_URL": "pay.meter.test"}),
    "host: nothing runs jobs": (
        "host",
        "host.yml",
        "  worker: {extends: {file: lago.yml, service: worker}}\n",
        "",
        {},
    ),
    "tunnel: nothing runs jobs": (
        "tunnel",
        "tunnel.yml",
        "  worker: {extends: {file: lago.yml, service: worker}}\n",
        "",
        {},
    ),
    "tunnel: no schedule is run": (
        "tunnel",
        "tunnel.yml",
        "  clock: {extends: {file: lago.yml, service: clock}}\n",
        "",
        {},
    ),
    "tunnel: a URL without a scheme": ("tunnel", "", "", "", {"FRONT_URL": "pay.meter.test"}),
    "managed: two databases": (
        "managed",
        "managed.yml",
        "service: worker}\n    environment: *elsewhere",
        "service: worker}\n    environment: {<<: *elsewhere, DATABASE_URL: 'postgresql://meter@pg2.cloud.example/meter'}",
        {},
    ),
    "managed: two stores of jobs": (
        "managed",
        "managed.yml",
        "service: worker}\n    environment: *elsewhere",
        "service: worker}\n    environment: {<<: *elsewhere, REDIS_URL: 'redis://redis2.cloud.example/7'}",
        {},
    ),
    "managed: no schedule is run": (
        "managed",
        "managed.yml",
        "  clock:\n    extends: {file: lago.yml, service: clock}\n    environment: *elsewhere\n",
        "",
        {},
    ),
    "host: the API has no database": ("host", "lago.yml", "@db:5432/meter", "@db:5433/meter", {}),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_red(fault, tmp_path):
    style, file, old, new, changed = FAULTS[fault]
    edited(tmp_path, style, file, old, new, **changed)
    found = judged(tmp_path, style, "smoke and (phase2 or phase3)")
    print(fault, sorted(found.red()))
    assert found.code == 1 and found.red(), found.output[-4000:]

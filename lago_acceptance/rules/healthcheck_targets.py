"""Rules about what healthchecks ask: a port where something listens, a path that answers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core.roles import DB, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.listening import LISTENERS, ports_of, status_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part
from lago_acceptance.rules.helpers.data_stores import services_of
from lago_acceptance.rules.helpers.health_commands import health_command
from lago_acceptance.rules.helpers.hosts import local, named
from lago_acceptance.shell.exit_codes import codes
from lago_acceptance.shell.http_requests import Request, requests_of
from lago_acceptance.shell.words import OPERATORS, SHELLS, name_of

_STORES = {"pg_isready": DB, "psql": DB, "redis-cli": REDIS, "valkey-cli": REDIS}
# What they make of further words: an error.
_TAKE_NO_MORE_WORDS = ("curl", "wget", "pg_isready", "psql", "nc", "test", "[")
_PING_IS_READ = re.compile(r"(redis|valkey)-cli\b[^|]*\|[^|]*PONG|(redis|valkey)-cli\b.*=\s*\"?PONG")
# The word that a check looks for in Redis' answer, with the options of the grep that looks.
_PING_ANSWER = re.compile(
    r"""\bping\b[)`"' ]*(?:\|\s*grep(?P<options>(?:\s+-\S+)*)\s|\s*==?\s)\s*["'^]*(?P<word>\w+)""",
    re.IGNORECASE,
)
_GIVES_PASSWORD = re.compile(r"(^|\s)(-a|--pass|-u|--user|--askpass)\b|REDISCLI_AUTH|\bauth\b", re.IGNORECASE)


class _Judge:
    """Judges the commands of one healthcheck; ``reasons`` say why they always fail."""

    def __init__(self, service: Service, model: Model, settings: Settings, text: str):
        self.service, self.model, self.settings, self.text = service, model, settings, text
        self.reasons: list[str] = []

    def fails(self, program: str, words: list[str]) -> bool:
        """Whether a command fails in any case."""
        reason = ""
        if program in ("curl", "wget"):
            reason = self._request(program, tuple(words))
        elif program in _STORES:
            reason = self._client(program, words)
        elif program == "nc" and len(words) > 2 and words[-1].isdigit():
            reason = self._closed(words[-2], int(words[-1]))
        if reason:
            self.reasons.append(reason)
        return bool(reason)

    def compared_in_vain(self) -> str:
        """Why a status that the text compares is never the one that comes; "" where it may be."""
        text = re.sub(r"https?://\S+", "", self.text)
        accepted = re.findall(r"(?<![\d.{])[0-5]\d\d(?!\d)", text)
        if (
            not re.search(r"http_code|response_code", text)
            or not accepted
            or "!=" in text
            or "[" in text.replace("[ ", "")
        ):
            return ""
        found = re.search(r"\bcurl\b[^|;)]*", self.text)
        requests = requests_of("curl", _words(found[0])) if found else None
        if not requests or len(requests) > 1:
            return ""
        closed = self._closed(requests[0].host, requests[0].port, requests[0].scheme)
        status = self._status(requests[0])
        if closed and "000" not in accepted:
            return closed
        if status is not None and not closed and str(status) not in accepted:
            return _answers(requests[0], status)
        return ""

    def _request(self, program: str, words: tuple[str, ...]) -> str:
        # Of several, curl ends with the code of the last one.
        for request in (requests_of(program, words) or [])[-1:]:
            if closed := self._closed(request.host, request.port, request.scheme):
                return closed
            status = self._status(request)
            if request.fails_on_status and status is not None and status >= 400:
                return _answers(request, status)
        return ""

    def _status(self, request: Request) -> int | None:
        target = self._target(request.host)
        if target is None:
            return None
        return status_of(target, request.path, self.settings, keyed=request.keyed, sends=request.sends)

    def _target(self, host: str) -> Service | None:
        if local(host) and host != "host.docker.internal":
            return self.service
        found = named(self.model, host)
        return found[0] if len(found) == 1 else None

    def _closed(self, host: str, port: int, scheme: str = "") -> str:
        """Why nothing answers at a port; "" where something may."""
        target = self._target(host)
        ports = ports_of(target, self.model, self.settings) if target else None
        if target is None or ports is None:
            return ""
        if target is not self.service and target.role not in LISTENERS:
            return ""
        own = target is self.service
        if port not in ports:
            where = f"listens on {min(ports)}" if ports else "listens on no port"
            return f"asks port {port}, where nothing listens: {'it' if own else target.name} {where}"
        if scheme == "https":
            return f"asks port {port} by https, but {'it' if own else target.name} speaks http there"
        return ""

    def _client(self, program: str, words: list[str]) -> str:
        """Why a client of the database or of Redis can't succeed."""
        text = " ".join(words[1:])
        host = re.search(r"(?:^| )(?:-h ?|--host[= ])(\S+)", text)
        target = self._target(host[1]) if host and not host[1].startswith("/") else self.service
        if (
            target is None
            or target.role != _STORES[program]
            or "://" in text
            or "$" in (host[1] if host else "")
        ):
            return ""
        written = re.search(r"(?:^| )(?:-p ?|--port[= ])(\S+)", text)
        default = self.service.value("PGPORT") or "5432" if target.role == DB else "6379"
        port = written[1] if written else default
        ports = ports_of(target, self.model, self.settings)
        if ports is not None and port.isdigit() and int(port) not in ports:
            return self._closed(host[1] if host else "localhost", int(port))
        locked = target.role == REDIS and re.search(r"--requirepass\s+[^\s\"']+", target.full_command)
        given = _GIVES_PASSWORD.search(self.text) or self.service.value("REDISCLI_AUTH")
        if locked and not given and _PING_IS_READ.search(self.text):
            return "pings Redis without its password, and Redis answers NOAUTH in place of PONG"
        read = _PING_ANSWER.search(self.text) if target.role == REDIS else None
        if read and not _in_pong(read["word"], read["options"] or ""):
            return f"looks for {read['word']} in Redis' answer, which is PONG"
        return ""


def _in_pong(word: str, options: str) -> bool:
    """Whether a word is found in Redis' answer PONG, by a grep with these options."""
    letters = re.sub(r"--\S+", "", options)
    if "v" in letters or "invert" in options:
        return True
    any_case = "i" in letters or "y" in letters or "ignore-case" in options
    return word in "PONG" or (any_case and word.upper() in "PONG")


def _answers(request: Request, status: int) -> str:
    return f"asks {request.path}, which is answered with {status}"


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return ()


def _not_run(test: tuple[str, ...]) -> str:
    """Why Docker can't run a test in exec form; "" where it can."""
    words = test[1:]
    if test[:1] != ("CMD",) or not words:
        return ""
    if len(words) == 1 and re.search(r"\S\s+\S", words[0]):
        return "is a whole command line in one word after CMD, and no program has that name"
    program = name_of(words[0])
    if program in SHELLS:
        return ""
    if program in _TAKE_NO_MORE_WORDS and any(word in OPERATORS for word in words[1:]):
        return f"has shell operators after CMD, which runs no shell: {program} takes them as arguments"
    if program in ("curl", "wget") and any("://" in word and "$" in word for word in words):
        return "has a variable in its URL after CMD, which runs no shell"
    return ""


def _dead_socket(judge: _Judge) -> str:
    """Why bash can't connect to the port that the text opens."""
    text = re.sub(r"\|\|\s*exit\s+[1-9]\d*", "", judge.text)
    if re.search(r"\|\||\bif\b|!|\buntil\b|\bfor\b", text):
        return ""
    found = re.findall(r"/dev/tcp/([\w.-]+)/(\d+)", text)
    return next((reason for host, port in found if (reason := judge._closed(host, int(port)))), "")


@rule(phase=2, follows=("healthcheck-missing-binary", "wrong-script-path", "command-needs-shell"))
def healthcheck_never_passes(model: Model, settings: Settings) -> Iterator[Violation]:
    """A healthcheck can pass: it asks a port where something listens, and a path that Lago has.

    Lago's API answers /health on 3000 (or PORT), and from 1.36.0 on /ready. The worker answers any path on 8080, the
    front any path on 80, Gotenberg /health on 3000. The clock has no port. There is no /api/v1/health: it is 404.
    """
    for service in services_of(model, *LISTENERS):
        check = service.healthcheck
        if check is None or check.disabled:
            continue
        exec_form = check.test[:1] == ("CMD",)
        text = shlex.join(check.test[1:]) if exec_form else check.command
        judge = _Judge(service, model, settings, text if not exec_form else " ".join(check.test[1:]))
        reason, shell = _not_run(check.test), bool(_not_run(check.test))
        if not reason and 0 not in codes(text, judge.fails) and judge.reasons:
            reason = judge.reasons[0]
        reason = reason or judge.compared_in_vain() or _dead_socket(judge)
        if not reason:
            continue
        ports = ports_of(service, model, settings)
        waiting = [
            each.name for each in model.services if each.depends_on.get(service.name) == "service_healthy"
        ]
        use = health_command(service, min(ports) if ports else None)
        if "NOAUTH" in reason:
            use = use.replace("ping", '-a "$$REDIS_PASSWORD" ping')
        yield Violation(
            service=service,
            at=part(service, "healthcheck", "test"),
            problem=f"its healthcheck {reason}",
            impact="it stays unhealthy forever"
            + (
                f", and {', '.join(waiting)} never start{'s' if len(waiting) == 1 else ''}" if waiting else ""
            ),
            fix="use CMD-SHELL in place of CMD, followed by the whole command as one text"
            if shell
            else f"use {use}",
        )

"""The rule about variables that nothing sets: Compose replaces them by nothing, and only warns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.variables import NEEDED
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.dollar_signs import is_part_of_value, sets
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.interpolation import nested
from lago_acceptance.model.source import ComposeSource
from lago_acceptance.rules import Violation, rule, violations
from lago_acceptance.rules.helpers import lago
from lago_acceptance.rules.helpers.data_stores import is_lagos, stores

Path = tuple[str | int, ...]
# One value, so that what is asked with it is answered once.
_NO_SETTINGS = Settings()
_SCRIPTS = ("command", "entrypoint", "healthcheck")
# Each of these says of an empty variable which one is unset.
_SAY_IT = (
    "rsa-env-unguarded",
    "secret-env-unguarded",
    "env-file-not-used-for-interpolation",
    "api-url-missing",
    "cors-front-url-missing",
    "front-api-url-missing",
    "rails-env-missing",
    "encryption-keys-missing",
    "api-env-incomplete",
    "clock-env-incomplete",
    "migrate-env-incomplete",
    "worker-env-incomplete",
)


class _Use(NamedTuple):
    """One place of a variable: what it is, what its emptiness leads to, and how much it matters (0 is most)."""

    path: Path
    what: str
    impact: str
    rank: int


# From so many on, the environment file is what is missing, not each of its variables.
_MANY = 5

# By the key of a service, in the order of how much it matters.
_PLACES = (
    ("command", "the command", "the container starts with an incomplete command"),
    ("entrypoint", "the entrypoint", "the container starts with an incomplete command"),
    ("healthcheck", "the healthcheck", "the healthcheck tests something else than it should"),
    ("image", "the image", "Compose pulls another image than you expect, or none"),
    ("volumes", "a mount", "another folder of the host is mounted, or an empty one"),
    ("ports", "a port", "the port is random, or open on all interfaces"),
    ("environment", "", "the container gets an empty or incomplete value"),
)
_OTHER = len(_PLACES) + 1


def _use(path: Path, model: Model) -> _Use:
    key = path[2] if len(path) > 2 and path[0] == "services" else ""
    named = str(path[3]) if len(path) > 3 else ""
    if key == "deploy" and named == "labels" and len(path) > 4:
        key, named = "labels", str(path[4])
    if key == "labels" and named.endswith(".rule"):
        return _Use(path, "a router's rule", "Traefik gets a rule without that name: 404 there", 0)
    if key == "labels" and named.startswith("traefik."):
        return _Use(path, f"the label {named}", "Traefik drops or misreads the label", 1)
    for rank, (name, what, impact) in enumerate(_PLACES, 1):
        if key == name and (key != "environment" or named in NEEDED and not _may_be_empty(named, model)):
            return _Use(path, what or named, impact, rank)
    if key == "environment":
        return _Use(path, named, "the container gets an empty or incomplete value", _OTHER)
    if key == "labels":
        return _Use(path, f"the label {named}", "the label is empty or incomplete", _OTHER)
    what = str(key or path[0]).removeprefix("x-") if path else "a file that it includes or extends"
    return _Use(path, what, "Compose puts nothing in its place", _OTHER + (path[:1] != ("services",)))


def _may_be_empty(name: str, model: Model) -> bool:
    """Whether a password is needed only by a Redis outside of the deployment: that of its own is redis-password-drift."""
    return name == "REDIS_PASSWORD" and any(role == REDIS for _, role in stores(model))


def _blank(model: Model) -> dict[str, tuple[Path, ...]]:
    """The variables that Compose replaces by nothing, with their places; without those of other applications in the file."""
    source = model.source
    found: dict[str, tuple[Path, ...]] = {}
    for name, paths in source.blank.items() if source else ():
        own = tuple(path for path in paths if _is_ours(model, path))
        if own or not paths:
            found[name] = own
    return found


def _is_ours(model: Model, path: Path) -> bool:
    service = _owner(model, path)
    if service is None or not lago(model):
        return True
    proxy = front_proxy(model, _NO_SETTINGS).service
    store = any(service is each for each, _ in stores(model))
    waited = any(service.name in each.depends_on for each in lago(model)) and service.role not in (DB, REDIS)
    known = service.role is not None and is_lagos(model, service)
    return known or store or waited or service is proxy or "lago" in service.image


def _without_environment(model: Model) -> dict[str, tuple[Path, ...]]:
    """The variables that are empty because no environment file is here; none where it is only some of them."""
    source = model.source
    if source is None or source.environment_known:
        return {}
    cut = _with_dollar_signs(source)
    found = {
        name: paths
        for name, paths in _blank(model).items()
        if name not in cut
        and not any(_for_the_shell(name, path, source, _owner(model, path)) for path in paths)
    }
    return found if len(found) >= _MANY else {}


@rule(
    phase=0,
    declared_only=True,
    severity=Severity.WARNING,
    follows=("compose-interpolation-error",),
    explains_lines=True,
)
def no_environment_file(model: Model, settings: Settings) -> Iterator[Violation]:
    """The variables of the compose file are set where it is judged: in the .env beside it, or by --env-file.

    Where five or more are neither set nor required and have no default, the environment file is most likely elsewhere. What
    is empty for want of it is not judged.
    """
    found = _without_environment(model)
    source = model.source
    if not found or source is None:
        return
    unset = sorted(
        ((name, _uses(paths, model)) for name, paths in found.items()), key=lambda each: each[1][0].rank
    )
    first = unset[0][1][0]
    needed = next((name for name, uses in unset if uses[0].rank < _OTHER), unset[0][0])
    every = [use.path for _, uses in unset for use in uses]
    shown = [path for path in every if path[:1] == ("services",) and path[:4] in source.lines]
    for path in shown or [first.path]:
        yield Violation(
            service=_owner(model, path),
            at=path,
            problem=f"no environment file is here, and {len(unset)} variables are neither required nor have a default: "
            + ", ".join(each for each, _ in unset),
            impact="what they fill in was not judged; a deploy without them runs with empty values, and Compose only warns",
            fix=f"pass --env-file FILE with the variables of the deploy; in the file, write ${{{needed}:?}} where a value is needed",
        )


def _uses(paths: tuple[Path, ...], model: Model) -> list[_Use]:
    return sorted((_use(path, model) for path in paths or ((),)), key=lambda use: use.rank)


def _text_at(source: ComposeSource, path: Path) -> str:
    value: object = source.document
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key] if key < len(value) else None
        elif isinstance(value, list):
            value = next(
                (each.partition("=")[2] for each in map(str, value) if each.startswith(f"{key}=")), None
            )
        else:
            return ""
    return str(value or "")


def _for_the_shell(name: str, path: Path, source: ComposeSource, service: Service | None) -> bool:
    """Whether a variable in a script is one of the script's or of the container's own, so that $$ was meant."""
    if len(path) < 3 or path[2] not in _SCRIPTS:
        return False
    script = " ".join(_text_at(source, (*path[:3], *rest)) for rest in _parts(source, path))
    written = source.text(str(path[1]), name)
    own = name not in (each.name for each in nested(written)) if written else service and service.value(name)
    return sets(script, name) or bool(re.search(rf"\${name}\b", script) and (own or name[:1].islower()))


def _parts(source: ComposeSource, path: Path) -> list[Path]:
    """The paths of all words of the script that a path is in, below the service's key."""
    below: Path = ("test",) if path[2] == "healthcheck" else ()
    value: object = source.document
    for key in (*path[:3], *below):
        value = value.get(key) if isinstance(value, dict) else None
    return [(*below, number) for number in range(len(value))] if isinstance(value, list) else [below]


def _said(model: Model, settings: Settings) -> Iterator[tuple[Path, str]]:
    """The places of empty variables that other rules report, each with what they say there."""
    for id in _SAY_IT:
        for violation in violations(id, model, settings):
            if violation.service:
                yield violation.at, violation.problem


@rule(
    phase=0,
    declared_only=True,
    severity=Severity.WARNING,
    follows=("compose-interpolation-error",),
)
def variable_unset(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every variable of the compose file is set, is required (`${NAME:?}`), or has a default.

    Compose replaces any other by nothing, and only warns ("Defaulting to a blank string"). A dollar sign that is meant for a
    shell in the container is written twice: `$$name`.
    """
    source = model.source
    if source is None or not source.blank:
        return
    together = _without_environment(model)
    said = list(_said(model, settings))
    cut = _with_dollar_signs(source)
    for path in dict.fromkeys(cut.values()):
        yield _dollar_signs(path, model)
    unset: list[tuple[str, list[_Use]]] = []
    for name, paths in _blank(model).items():
        if name in cut or name in together or _is_said(name, paths, said):
            continue
        uses = _uses(paths, model)
        own = next((u for u in uses if _for_the_shell(name, u.path, source, _owner(model, u.path))), None)
        if own:
            yield Violation(
                service=_owner(model, own.path),
                at=own.path,
                severity=Severity.ERROR,
                problem=f"Compose replaces ${name} in {own.what} by nothing before the shell sees it",
                impact=own.impact,
                fix=f"write $${name}",
            )
        else:
            unset.append((name, uses))
    unset.sort(key=lambda each: each[1][0].rank)
    # Where nothing is known of the deploy, most of them are set there; others may be empty. Both are reported together.
    alone = [
        each
        for each in unset
        if source.environment_known and (each[1][0].rank < _OTHER or source.refused_blank)
    ]
    others = [each for each in unset if each not in alone]
    yield from (_unset(name, uses, model, source) for name, uses in (alone if len(others) > 1 else unset))
    if len(others) > 1:
        yield _unset_together(others, model, known=source.environment_known)


def _owner(model: Model, path: Path) -> Service | None:
    return next((each for each in model.services if path[:1] == ("services",) and each.name == path[1]), None)


def _unset_together(unset: list[tuple[str, list[_Use]]], model: Model, *, known: bool) -> Violation:
    name, uses = unset[0]
    if known:
        return Violation(
            service=_owner(model, uses[0].path),
            at=uses[0].path,
            problem=f"{len(unset)} variables are not set, which Lago can do without: "
            + ", ".join(each for each, _ in unset),
            impact="Compose warns of each of them, and a warning that matters is lost among them",
            fix=f"set them in the environment file, or write ${{{name}:-}}, and so for each that may be empty",
        )
    return Violation(
        service=_owner(model, uses[0].path),
        at=uses[0].path,
        problem=f"{len(unset)} variables are neither set here nor required, and have no default: "
        + ", ".join(each for each, _ in unset),
        impact="unless they are set where you deploy, Compose only warns and uses empty values",
        fix=f"write ${{{name}:?}} where a value is needed, ${{{name}:-}} where it may be empty, and pass --env-file",
    )


def _with_dollar_signs(source: ComposeSource) -> dict[str, Path]:
    """The "variables" that are parts of passwords and hashes, each with the place of the whole value."""
    found: dict[str, Path] = {}
    for name, paths in source.blank.items():
        for path in sorted(paths, key=lambda path: path[0] != "services"):
            if is_part_of_value(name, str(path[-1]), _text_at(source, path), "environment" in path[:3]):
                found.setdefault(name, path)
    return found


def _dollar_signs(path: Path, model: Model) -> Violation:
    return Violation(
        service=_owner(model, path),
        at=path,
        severity=Severity.ERROR,
        problem=f"Compose reads a dollar sign inside of {_use(path, model).what} as the start of a variable, and drops what follows",
        impact="the value is another one than the file shows, and no login with it works",
        fix="write each dollar sign of the value twice ($$); if a variable is meant, set it",
    )


def _is_said(name: str, paths: tuple[Path, ...], said: list[tuple[Path, str]]) -> bool:
    places = {path[:4] for path in paths}
    for at, problem in said:
        words = re.findall(r"\w+", problem)
        if at[:4] in places and (name in words or str(at[3]) in words):
            return True
        if any(
            path[:3] == at[:3] and path[2] == "environment" and str(path[3]) in words
            for path in places
            if len(path) > 3
        ):
            return True
    return False


def _unset(name: str, uses: list[_Use], model: Model, source: ComposeSource) -> Violation:
    service = _owner(model, uses[0].path)
    lines = {source.line(use.path): use for use in reversed(uses) if use.path[:1] == ("services",)}
    places = list(dict.fromkeys(_shown(use, service) for use in (uses[0], *lines.values())))
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    known = source.environment_known
    return Violation(
        service=service,
        at=uses[0].path,
        severity=Severity.ERROR if known and (uses[0].rank < _OTHER or source.refused_blank) else None,
        problem=f"{name} is not set{'' if known else ' here'}, and is used in {', '.join(places[:3])}{more}",
        impact="Compose refuses an empty value there, and nothing starts"
        if source.refused_blank and uses[0].rank >= _OTHER
        else uses[0].impact
        if known
        else f"unless it is set where you deploy: {uses[0].impact}",
        fix=f"set {name} in the environment file; written as ${{{name}:?}}, it stops a deploy that lacks it"
        if uses[0].rank < _OTHER or source.refused_blank
        else f"set {name} in the environment file, or write ${{{name}:-}} if it may be empty",
    )


def _shown(use: _Use, service: Service | None) -> str:
    other = use.path[:1] == ("services",) and (service is None or use.path[1] != service.name)
    return f"{use.what} of {use.path[1]}" if other else use.what

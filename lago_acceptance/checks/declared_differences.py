"""How a container differs from its service in the compose file, each difference in words.

What the image may bring (command, user, healthcheck, environment) is compared only where the file gives it; what only
Docker sets (limits, privileges, ports, restart policy) in both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lago_acceptance.checks.declared_mounts import mount_differences
from lago_acceptance.core.roles import DB, FRONT, LAGO_RUBY
from lago_acceptance.model.deployment import Healthcheck, Model, Port, Service

# Names that only a file puts there, by role: found in a container and not in the file, they were taken out of the
# file. What images bring themselves (REDIS_VERSION of Redis') is none of these.
_OF_LAGO = ("LAGO_", "DATABASE_", "REDIS_", "SECRET_KEY", "SIDEKIQ_")
_OURS = {**dict.fromkeys(LAGO_RUBY, _OF_LAGO), FRONT: ("LAGO_", "API_URL"), DB: ("POSTGRES_",)}
# Compose's words for a policy under deploy, and Docker's.
_POLICIES = {"any": "always", "none": "no", "": "no"}


def differences(declaration: Model, declared: Service, running: Service) -> Iterator[str]:
    """Every difference of a container from its service, those first that matter most."""
    yield from _program(declared, running)
    yield from _environment(declared, running)
    yield from mount_differences(declaration, declared, running)
    yield from _privileges(declared, running)
    yield from _limits(declared, running)
    if _policy(declared.restart) != _policy(running.restart):
        yield f"its restart policy is {_policy(running.restart)}, {_policy(declared.restart)} is declared"
    yield from _reachability(declared, running)
    yield from _healthcheck(declared.healthcheck, running.healthcheck)
    yield from _logging(declared, running)


def _program(declared: Service, running: Service) -> Iterator[str]:
    if declared.image and declared.image != running.image:
        yield f"image {running.image} is running, {declared.image} is declared"
    for part in ("entrypoint", "command"):
        wanted = getattr(declared, part)
        if wanted and wanted != getattr(running, part):
            yield f"its {part} differs"
    for part, words in (
        ("user", "user"),
        ("working_dir", "working directory"),
        ("stop_signal", "stop signal"),
    ):
        wanted, has = getattr(declared, part), getattr(running, part)
        if wanted and wanted != has:
            yield f"its {words} is {has or 'that of the image'}, {wanted} is declared"
    if declared.stop_grace_period is not None and declared.stop_grace_period != (
        running.stop_grace_period if running.stop_grace_period is not None else 10
    ):
        yield f"docker stop gives it {running.stop_grace_period or 10:g} s, {declared.stop_grace_period:g} are declared"


def _environment(declared: Service, running: Service) -> Iterator[str]:
    for name, value in declared.environment.items():
        if value is not None and running.environment.get(name) != value:
            state = "is not set" if name not in running.environment else "has another value"
            yield f"{name} {state} in the container"
    for name in running.environment:
        if name.startswith(_OURS.get(running.role or "", ())) and name not in declared.environment:
            yield f"{name} is set in the container and not in the file"


def _privileges(declared: Service, running: Service) -> Iterator[str]:
    for part, words in (("privileged", "privileged"), ("read_only", "read-only")):
        wanted, has = getattr(declared, part), getattr(running, part)
        if wanted != has:
            yield f"it is {'' if has else 'not '}{words}, and {'' if wanted else 'not '}declared so"
    for part in ("cap_add", "cap_drop"):
        yield from _set_differences(
            part, map(_capability, getattr(declared, part)), map(_capability, getattr(running, part))
        )
    # Docker turns labels off by itself for a privileged container.
    wanted, has = ({_option(each) for each in service.security_opt} for service in (declared, running))
    yield from _set_differences(
        "security_opt", wanted, {each for each in has if each in wanted or not each.startswith("label")}
    )


def _limits(declared: Service, running: Service) -> Iterator[str]:
    mib = 2**20
    for words, has, wanted in (
        (
            "memory",
            running.memory and f"{running.memory / mib:.0f} MiB",
            declared.memory and f"{declared.memory / mib:.0f} MiB",
        ),
        ("CPUs", running.cpus and f"{running.cpus:g}", declared.cpus and f"{declared.cpus:g}"),
        ("processes", running.pids and str(running.pids), declared.pids and str(declared.pids)),
    ):
        if (has or None) != (wanted or None):
            yield f"its limit of {words} is {has or 'none'}, {wanted or 'none'} is declared"


def _reachability(declared: Service, running: Service) -> Iterator[str]:
    if _mode(declared.network_mode) != _mode(running.network_mode):
        has, wanted = running.network_mode or "none of its own", declared.network_mode or "none"
        yield f"its network_mode is {has}, {wanted} is declared"
    if not declared.network_mode:
        yield from _set_differences("ports", map(_port, declared.ports), map(_port, running.ports))
    for name, address in declared.host_entries.items():
        if running.host_entries.get(name) != address:
            yield f"{name} is {running.host_entries.get(name, 'missing')} in its extra_hosts, {address} is declared"
    for name in running.host_entries:
        if name not in declared.host_entries:
            yield f"its extra_hosts have {name}, and the file has not"
    if declared.dns and declared.dns != running.dns:
        yield f"its dns is {', '.join(running.dns) or 'none'}, {', '.join(declared.dns)} is declared"


def _healthcheck(declared: Healthcheck | None, running: Healthcheck | None) -> Iterator[str]:
    if declared is None or (declared.disabled and (running is None or running.disabled)):
        return
    if running is None or running.disabled:
        if declared.test:
            yield "it has no healthcheck, and the file has one"
        return
    changed = [
        part
        for part in ("test", "interval", "timeout", "retries", "start_period")
        if getattr(declared, part) not in (None, (), getattr(running, part))
    ]
    if changed:
        yield f"its healthcheck differs ({', '.join(changed)})"


def _logging(declared: Service, running: Service) -> Iterator[str]:
    wanted, has = declared.logging, running.logging
    driver = wanted.get("driver")
    if driver and driver != has.get("Type", has.get("driver")):
        yield f"its logging driver is {has.get('Type') or 'unknown'}, {driver} is declared"
        return
    options = has.get("Config") or has.get("options") or {}
    for name, value in (wanted.get("options") or {}).items():
        if str(options.get(name)) != str(value):
            yield f"its logging option {name} is {options.get(name) or 'not set'}, {value} is declared"


def _set_differences(words: str, declared: Iterable[str], running: Iterable[str]) -> Iterator[str]:
    wanted, has = set(declared), set(running)
    if missing := sorted(wanted - has):
        yield f"its {words} lack {', '.join(missing)}"
    if more := sorted(has - wanted):
        yield f"its {words} have {', '.join(more)}, and the file has not"


def _mode(written: str) -> str:
    """A network mode as both have it: Docker has another service's container, and a bridge is a network."""
    kind = written.partition(":")[0]
    return {"service": "container", "bridge": "", "default": ""}.get(kind, kind)


def _policy(written: str) -> str:
    policy = written.partition(":")[0]
    return _POLICIES.get(policy, policy)


def _capability(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _option(text: str) -> str:
    """A security option in one spelling; of a seccomp profile, whose content Docker has, the name alone."""
    name, _, value = text.replace(":", "=", 1).partition("=")
    return name if name == "seccomp" or value in ("", "true") else f"{name}={value}"


def _port(port: Port) -> str:
    address = "" if port.address in ("0.0.0.0", "::", "[::]") else port.address
    # Docker chooses one from a range.
    published = "" if port.published in ("0", "") or "-" in port.published else port.published
    return f"{address}:{published}:{port.target}/{port.protocol}".lstrip(":")

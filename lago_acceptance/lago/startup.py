"""What a service finds when it starts: its variables, its files, and what its command makes of them."""

from __future__ import annotations

import re
from posixpath import join

from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.value_shapes import shape, unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.shell.dataflow import ShellState, follow
from lago_acceptance.shell.values import UNKNOWN, AbstractValue


def file_text(service: Service, model: Model, path: str) -> AbstractValue:
    """The content of a file inside a service's container, as far as it is known."""
    path = path if path.startswith("/") else join("/app", path.removeprefix("./"))
    mount = service.mount_at(path)
    if mount is None:
        unseen = service.built or may_be_copied_in(path, model) or path.startswith(("/proc", "/dev", "/tmp"))
        return UNKNOWN if unseen else AbstractValue("empty", "", path)
    inside = path[len(mount.target.rstrip("/")) :].lstrip("/")
    source = join(mount.source, inside) if inside else mount.source
    known = model.files.get(source)
    if known is not None:
        return AbstractValue(shape(known), known, source, not any(each.isspace() for each in known))
    name = f"{source} {path}".lower()
    if re.search(r"b64|base64", name):
        return AbstractValue("base64", None, source, True)
    if re.search(r"\.pem|\.key\b|rsa_private(?!_key_b)", name):
        return AbstractValue("pem", None, source)
    return AbstractValue("unknown", None, source)


def may_be_copied_in(path: str, model: Model) -> bool:
    """Whether a running container can have a file there without a mount: Compose and Swarm copy configs."""
    return model.observed and path.startswith("/") and not path.startswith("/app/")


def script_text(service: Service, model: Model, path: str) -> str | None:
    """The text of a mounted script, None where it isn't one or isn't known."""
    if "/" not in path or service.mount_at(path) is None:
        return None
    return file_text(service, model, path).literal


def environment_of(service: Service) -> dict[str, AbstractValue]:
    """A service's variables as values to follow."""
    return {
        name: UNKNOWN
        if unknown(value)
        else AbstractValue(shape(value), None, value or "")
        if is_masked(value)
        else AbstractValue.of(value or "")
        for name, value in service.environment.items()
    }


def outcome_of(service: Service, model: Model) -> ShellState:
    """The shell state that a service's command leaves behind."""
    return follow(
        (*service.entrypoint, *service.command),
        environment_of(service),
        lambda path: file_text(service, model, path),
        lambda path: script_text(service, model, path),
    )

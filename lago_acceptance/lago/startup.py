"""What a service finds when it starts: its variables, its files, and what its command makes of them."""

from __future__ import annotations

import re
from posixpath import basename, join

from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.value_shapes import given_later, shape, unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once
from lago_acceptance.shell.dataflow import ShellState, follow
from lago_acceptance.shell.values import UNKNOWN, AbstractValue
from lago_acceptance.shell.words import name_of

# Programs that run another one with variables from a secret store or from files.
SECRET_STORES = frozenset(
    {
        "akeyless",
        "aws-env",
        "aws-vault",
        "bao",
        "berglas",
        "bws",
        "chamber",
        "chpst",
        "conjur",
        "consul-template",
        "doppler",
        "dotenv",
        "dotenvx",
        "envchain",
        "envconsul",
        "envdir",
        "fnox",
        "gopass",
        "infisical",
        "ksm",
        "op",
        "phase",
        "s6-envdir",
        "secrethub",
        "secretspec",
        "sops",
        "ssm-env",
        "summon",
        "teller",
        "varlock",
        "vault",
        "vault-env",
        "vaultenv",
        "with-contenv",
    }
)


_INTERPRETER = re.compile(r"ruby|python[\d.]*|node|perl|php|deno|bun")
_SCRIPT = (".sh", ".rb", ".py", ".js")
# The mask of a secret in the command of a running container.
_HIDDEN = re.compile(r"<(?:key material|secret[^>]*)>")


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
    if re.search(r"public|\.pub\b", basename(source).lower()):
        return AbstractValue("pem-public", None, source)
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


def elsewhere(service: Service, model: Model, outcome: ShellState) -> str:
    """Why a service may have variables that neither the file nor its command shows; "" if it has none."""
    for program in filter(None, outcome.programs):
        words = program[2:] if program[:2] == ("bundle", "exec") else program
        if words and (store := name_of(words[0])) in SECRET_STORES:
            return f"from {store}"
        started = words[1:] if words and _INTERPRETER.fullmatch(name_of(words[0])) else program
        script = next((word for word in started if not word.startswith("-")), "")
        if script and _unseen_script(script, service, model):
            return f"its script {name_of(script)} is not read here"
    return outcome.unseen


def _unseen_script(path: str, service: Service, model: Model) -> bool:
    """Whether a program is a script, mounted or copied in, that wasn't followed: it may set anything."""
    mount = service.mount_at(path)
    if mount is None:
        return service.role in LAGO_RUBY and path.endswith(_SCRIPT) and may_be_copied_in(path, model)
    return mount.kind != "volume"


def texts_of(service: Service, model: Model) -> tuple[str, ...]:
    """The texts that a service's command gives to shells: its words, and the mounted scripts that are known."""
    words = (*service.entrypoint, *service.command)
    scripts = (script_text(service, model, word) for word in words)
    return (" ".join(words), *(text for text in scripts if text))


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


@once
def outcome_of(service: Service, model: Model) -> ShellState:
    """The shell state that a service's command leaves behind."""
    return follow(
        tuple(_HIDDEN.sub(given_later("hidden"), word) for word in (*service.entrypoint, *service.command)),
        environment_of(service),
        lambda path: file_text(service, model, path),
        lambda path: script_text(service, model, path),
    )

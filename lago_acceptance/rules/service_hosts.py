"""Rules about host names in URLs: whether they exist and can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.roles import LAGO_RUBY, PDF
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import VAULT_TOKENS, chosen_token, lago, part, variable
from lago_acceptance.rules.helpers.data_stores import PARTNERS
from lago_acceptance.rules.helpers.hosts import (
    elsewhere,
    local,
    named,
    on_external_network,
    reachable,
    url_of,
)
from lago_acceptance.rules.helpers.remedies import cannot_reach

_DEV_SERVER = ("VAULT_DEV_", "BAO_DEV_")


@rule(phase=2)
def host_unknown(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every host in Lago's URLs is a service of the deployment, unless it has a domain of others.

    A host may also be an alias, a link or an extra host. A host in a domain in which no service has an alias is
    somebody else's. If Lago is on an external network and the deployment
    has no such service itself, it isn't judged: the host may be on that network. A missing PDF service is
    no-pdf-service.
    """
    for service in model.of_role(*LAGO_RUBY):
        for name, roles in PARTNERS:
            url = url_of(service, name)
            if (
                url is None
                or not url.host
                or elsewhere(model, url.host)
                or local(url.host)
                or unknown(url.host)
                or url.host in service.extra_hosts
            ):
                continue
            if not re.fullmatch(r"[\w.-]+", url.host) or url.raw_password:
                continue
            external = on_external_network(model, service) and not model.of_role(*roles)
            reported_as_missing = roles == (PDF,) and not model.of_role(PDF)
            if not named(model, url.host) and not external and not reported_as_missing:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} has the host {url.host}, but no service has that name",
                    impact=f"the name doesn't resolve: {cannot_reach(name)}",
                    fix=f"give the service the alias {url.host} on a network that both are on"
                    if "." in url.host
                    else "use the name of the service as the host",
                )


@rule(phase=2)
def localhost_in_container(model: Model, settings: Settings) -> Iterator[Violation]:
    """No URL of the database, Redis or the PDF service has the host localhost.

    Inside a container localhost is the container itself.
    """
    for service in lago(model):
        for name, _ in PARTNERS:
            url = url_of(service, name)
            if (
                url
                and local(url.host)
                and url.host != "host.docker.internal"
                and service.network_mode != "host"
            ):
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} has the host {url.host}, which is the container itself",
                    impact=f"connection refused: {cannot_reach(name)}",
                    fix="use the name of the service as the host",
                )


@rule(phase=2)
def vault_unreachable_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """Services share a network with the secret store in VAULT_ADDR."""
    for service in model.services:
        url = url_of(service, "VAULT_ADDR")
        if url is None or "." in url.host or unknown(url.host) or "vault" in service.image.rsplit("/", 1)[-1]:
            continue
        stores = named(model, url.host)
        unreachable = stores and not any(reachable(model, service, store) for store in stores)
        missing = (
            not stores and not on_external_network(model, service) and url.host not in service.extra_hosts
        )
        if unreachable or missing:
            yield Violation(
                service=service,
                at=variable(service, "VAULT_ADDR"),
                problem=f"it shares no network with {url.host}, the secret store in VAULT_ADDR",
                impact='it waits for its secrets forever ("waiting for Vault"), and nothing starts',
                fix="put both on the same network (external, if the store belongs to another project)",
            )


@rule(phase=2)
def vault_dev_mode_dependency(model: Model, settings: Settings) -> Iterator[Violation]:
    """Vault, or OpenBao, doesn't run in development mode.

    In development mode it keeps its secrets in memory and loses them when it restarts. The official images
    run `server -dev` without a command of their own. Only there a token can be chosen: a server with a storage
    backend makes its tokens itself (hvs.…).
    """
    for service in model.services:
        name = service.image.rsplit("/", 1)[-1].partition(":")[0]
        in_command = bool({"-dev", "--dev"} & set(service.full_command.split()))
        by_variable = next((key for key in service.environment if key.startswith(_DEV_SERVER)), "")
        # The official images run `server -dev` unless they get another command.
        by_image = name in ("vault", "openbao") and not (
            service.built or service.entrypoint or service.command
        )
        is_vault = "vault" in name or "openbao" in name
        if is_vault and (in_command or by_image) or by_variable:
            decided_by = (
                ("command",) if in_command else ("environment", by_variable) if by_variable else ("image",)
            )
            yield Violation(
                service=service,
                at=part(service, *decided_by),
                problem="Vault runs in development mode and keeps its secrets in memory",
                impact="after its next restart all secrets are gone, and nothing that needs them starts",
                fix="run `vault server` with a storage backend, or pass the secrets by an environment file",
            )
            return
    for service in model.services:
        if token := next((name for name in VAULT_TOKENS if chosen_token(name, service.value(name))), None):
            yield Violation(
                service=service,
                at=variable(service, token),
                problem=f"{token} is a chosen token, which only a development server of Vault accepts; it keeps its "
                "secrets in memory",
                impact="after Vault's next restart all secrets are gone, and nothing starts",
                fix="run `vault server` with a storage backend, give it a token of its own with a policy for these "
                "secrets, and pass that by an environment file",
            )

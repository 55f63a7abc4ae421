"""Rules about host names that services are given: whether they exist and can be reached."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.roles import LAGO_RUBY, PDF
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import shape, unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    PARTNERS,
    lago,
    local,
    named,
    on_external_network,
    part,
    reachable,
    url_of,
    variable,
)


@rule(phase=2)
def host_unknown(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every host without a domain that Lago's URLs name is a service of the file.

    Not judged where Lago is on an external network: such a host may live there. Where nothing makes PDFs,
    no-pdf-service says so.
    """
    for service in model.of_role(*LAGO_RUBY):
        for name, roles in PARTNERS:
            url = url_of(service, name)
            if (
                url is None
                or not url.host
                or "." in url.host
                or local(url.host)
                or unknown(url.host)
                or url.host in service.extra_hosts
            ):
                continue
            if not url.host.replace("-", "").replace("_", "").isalnum() or url.raw_password:
                continue
            elsewhere = on_external_network(model, service) and not model.of_role(*roles)
            told = roles == (PDF,) and not model.of_role(PDF)
            if not named(model, url.host) and not elsewhere and not told:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} names {url.host}, but no service here is called so",
                    impact="invoices without PDFs, and a dead job for each"
                    if roles == (PDF,)
                    else "could not translate host name: migrations fail, the worker exits",
                    fix="use the service's name as host",
                )


@rule(phase=2)
def localhost_in_container(model: Model, settings: Settings) -> Iterator[Violation]:
    """No URL to database, Redis or PDF service names localhost: inside of a container that is the container itself."""
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
                    problem=f"{name} names {url.host}, which is the container itself",
                    impact="connection refused: migrations fail, the worker exits, or invoices have no PDF",
                    fix="use the service's name as host",
                )


@rule(phase=2)
def vault_unreachable_network(model: Model, settings: Settings) -> Iterator[Violation]:
    """A secret store that a service waits for is on one of its networks."""
    for service in model.services:
        url = url_of(service, "VAULT_ADDR")
        if url is None or "." in url.host or unknown(url.host) or "vault" in service.image.rsplit("/", 1)[-1]:
            continue
        stores = named(model, url.host)
        lost = stores and not any(reachable(model, service, store) for store in stores)
        nobody = (
            not stores and not on_external_network(model, service) and url.host not in service.extra_hosts
        )
        if lost or nobody:
            yield Violation(
                service=service,
                at=variable(service, "VAULT_ADDR"),
                problem=f"it shares no network with {url.host}, the secret store that VAULT_ADDR names",
                impact='it waits for its secrets for ever ("waiting for Vault") and nothing starts',
                fix="put both on one network, external where the store is another project's",
            )


@rule(phase=2)
def vault_dev_mode_dependency(model: Model, settings: Settings) -> Iterator[Violation]:
    """No secret that Lago needs lies in a Vault in development mode, which forgets everything when it restarts."""
    for service in model.services:
        name = service.image.rsplit("/", 1)[-1].partition(":")[0]
        in_command = "-dev" in service.full_command.split()
        by_variable = any(key.startswith("VAULT_DEV_") for key in service.environment)
        # The official images run `server -dev` unless they get another command.
        by_image = name in ("vault", "openbao") and not (
            service.built or service.entrypoint or service.command
        )
        if ("vault" in name or "openbao" in name) and (in_command or by_variable or by_image):
            decided_by = ("command",) if in_command else ("environment",) if by_variable else ("image",)
            yield Violation(
                service=service,
                at=part(service, *decided_by),
                problem="Vault runs in development mode: its secrets are in memory",
                impact="after its next restart every secret is gone, and nothing that reads them starts",
                fix="run it with a storage, sealed, or give the secrets by an environment file",
            )
            return
    for service in lago(model):
        token = service.value("VAULT_TOKEN")
        if shape(token) == "default" or token in ("dev-token", "dev-root-token"):
            yield Violation(
                service=service,
                at=variable(service, "VAULT_TOKEN"),
                problem="VAULT_TOKEN is a development root token: that Vault keeps its secrets in memory",
                impact="after Vault's next restart every secret is gone, and nothing starts",
                fix="run Vault with a storage, or give the secrets by an environment file",
            )

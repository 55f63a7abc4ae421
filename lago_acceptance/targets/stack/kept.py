"""What the user has to know of a stack that stays up: where it can be reached, how to log in, how to remove it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.resources import files

from lago_acceptance.composefile.env_files import environment_text, written_variables
from lago_acceptance.composefile.yaml_lines import Unusable
from lago_acceptance.core import report_files
from lago_acceptance.core.run import Run
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.targets.stack import docker_daemon
from lago_acceptance.targets.stack.deployment_files import Declaration
from lago_acceptance.targets.stack.edge import Edge

PASSWORD, KEYS = "LAGO_ORG_USER_PASSWORD", ("LAGO_ORG_API_KEY", "LAGO_API_KEY")
ROOT_FILE = "root.pem"


def sentences(
    run: Run, host: Host, declaration: Declaration, edge: Edge | None, names: Iterable[str]
) -> list[str]:
    """A sentence each. NotWritten where the program that removes it can't be written."""
    command = docker_daemon.write_removal(run, declaration.docker.get("DOCKER_HOST", ""))
    said = [f"kept: the stack of run {run.id} stays up"]
    with suppress(Unreachable):
        said += _addresses(run, host, edge, tuple(names))
    return [*said, *_login(declaration), f"remove all of it with: {command}"]


def _addresses(run: Run, host: Host, edge: Edge | None, names: tuple[str, ...]) -> Iterator[str]:
    if edge and names:
        yield f"URLs: {', '.join(f'https://{name}' for name in names)}"
        yield f"they are at {edge.origin}; for a browser, add to /etc/hosts: {edge.origin} {' '.join(names)}"
        with suppress(Unreachable, report_files.NotWritten):
            file = run.private / ROOT_FILE
            report_files.write(file, edge.root_certificate().encode("ascii"))
            first = names[0]
            yield f"from here: curl --cacert {file} --resolve {first}:443:{edge.origin} https://{first}/"
    text = (files("lago_acceptance.targets.stack") / "scripts" / "kept.sh").read_text("utf-8")
    ports = []
    for line in host.read(ReadCommand("addresses of the stack", text, {"project": run.project})).splitlines():
        service, addresses, exposed = (*line.split(" "), "", "", "")[:3]
        address = next(filter(None, addresses.split(",")), "")
        for port, _, published in (each.partition("=") for each in exposed.split(",") if each):
            inside = f"{address}:{port.partition('/')[0]}"
            ports.append(f"{service} {published.partition('=')[0] or inside}")
    if ports:
        yield f"ports: {', '.join(sorted(ports))}"


def _login(declaration: Declaration) -> Iterator[str]:
    if declaration.admin:
        yield f"login: {declaration.admin[0]}, {_place(declaration, 'the password', (PASSWORD,))}"
    if declaration.api_key:
        yield f"API key: {_place(declaration, 'the key', KEYS)}"


def _place(declaration: Declaration, what: str, variables: tuple[str, ...]) -> str:
    """Where a secret is written: it is not printed."""
    for variable in variables:
        for path in declaration.project.env_files:
            with suppress(Unusable):
                if variable in dict(written_variables(environment_text(path))):
                    return f"with {what} that {variable} has in {path}"
    return f"with {what} that {variables[0]} has in the compose file"

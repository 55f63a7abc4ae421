"""Rules about what a compose file makes Compose fetch, open or run on the machine that reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.source import UnreadFile
from lago_acceptance.rules import Violation, rule

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]*@|[?#].*", re.DOTALL)


@rule(phase=0, declared_only=True)
def remote_include(model: Model, settings: Settings) -> Iterator[Violation]:
    """Nothing is included or extended from an address.

    Compose downloads a file that `include` or `extends` names by an address (git, https, oci) each time it reads the
    compose file. The gate never does, and judges the file without it.
    """
    for unread in _unread(model, "address"):
        yield _violation(
            model,
            unread,
            problem=f"{_entry(unread)} is an address: {_CREDENTIALS.sub('', unread.named)[:200]}",
            impact="Compose downloads the file at each start: whoever controls the address decides what runs on the host, "
            "and a variable in the address is sent there with its value. What the file declares was not judged",
            fix="commit the file to this repository and name it by its path",
        )


@rule(phase=0, declared_only=True)
def file_outside_project(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each file that the compose file reads is a regular file of its project.

    The project is the git repository that has the compose file, or else the file's own folder. Links are followed. An
    env_file outside the project counts as one that doesn't exist here: its variables are not known.
    """
    for unread in _unread(model, "special"):
        yield _violation(
            model,
            unread,
            problem=f"{_entry(unread)} is a device, a pipe, a socket or a file of the kernel: {unread.named[:200]}",
            impact="Compose may read it without end, or hand data of the host to a container. It was not opened, and what "
            "depends on it was not judged",
            fix="name a regular file of the project",
        )
    for unread in _unread(model, "outside"):
        if unread.key not in ("env_file", ".env"):
            yield _violation(
                model,
                unread,
                problem=f"{_entry(unread)} is outside the project: {unread.named[:200]}",
                impact="the file was not opened: what it declares was not judged, and another machine may have "
                "another file there",
                fix="move the file into the repository of the compose file, and name it by its path there",
            )


@rule(phase=0, declared_only=True)
def provider_service(model: Model, settings: Settings) -> Iterator[Violation]:
    """Each service is a container, not a program that Compose runs on the host (`provider`)."""
    for service in model.services:
        if service.provider:
            yield Violation(
                service=service,
                at=("services", service.name, "provider", "type"),
                problem=f"Compose runs the program {service.provider[:100]} in place of a container",
                impact="`docker compose up` starts it on the host with all rights of whoever deploys",
                fix="run it as a container with an image, or start it apart from this file",
            )


def _unread(model: Model, why: str) -> Iterator[UnreadFile]:
    return (each for each in (model.source.unread if model.source else ()) if each.why == why)


def _entry(unread: UnreadFile) -> str:
    """What names the file: "include", or "extends in base.yml"."""
    return f"{unread.key} in {unread.via}" if unread.via else unread.key


def _violation(model: Model, unread: UnreadFile, *, problem: str, impact: str, fix: str) -> Violation:
    service = next((each for each in model.services if each.name == unread.service), None)
    at = ("line", unread.line) if unread.line else ()
    return Violation(service=service, at=at, problem=problem, impact=impact, fix=fix)

"""The two views of a compose file, put together from what was read of it and what Compose made of that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lago_acceptance.composefile.completion import with_blanks_unknown, with_env_files, with_whole_commands
from lago_acceptance.composefile.cut_values import cut_values
from lago_acceptance.composefile.neighbours import committed, mounted
from lago_acceptance.composefile.overlays import parts_of_services
from lago_acceptance.composefile.reading import Reading
from lago_acceptance.composefile.resolve import base_of
from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.composefile.sources import Source
from lago_acceptance.composefile.variable_uses import left_empty
from lago_acceptance.core.roles import FRONT, LAGO_RUBY
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.lago.release_table import newest
from lago_acceptance.lago.releases import floating
from lago_acceptance.lago.unseen_environment import unseen_notes, with_unseen_environments
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.interpolation import interpolated
from lago_acceptance.model.source import ComposeSource
from lago_acceptance.shell.parser import LENGTH_CAP

ERROR_CAP = 320
_NO_IMAGE = re.compile(r'service "([\w.-]+)" has neither an image nor a build')
_PEM_HEADER = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!\s*\.\.\.)")


def source_of(reading: Reading, document: dict[str, Any]) -> Source:
    """Compose's model, made of its ``document``, with what only the text shows."""
    resolving = reading.resolving
    variables = (
        *reading.values.items(),
        *(each for written in reading.env_variables.values() for each in written),
    )
    learn(reading.raw, document, variables, reading.directory)
    for each in reading.overlays:
        # What it overrides is in the text, too.
        learn(each.parsed.document, document, (), reading.directory)
    parts = _parts(reading)
    model = with_env_files(declared(document), reading.env_files, resolving.unresolved)
    model = with_whole_commands(model, reading.parsed.document["services"], resolving.expanded)
    env_texts = (*reading.interpolation_texts.values(), *reading.env_files.texts.values())
    set_here = {**reading.values, **resolving.later}
    unset = left_empty(reading.parsed.document, set_here, resolving.blank, env_texts)
    known = {**set_here, **{name: given_later(name) for name in unset}}
    model = with_blanks_unknown(
        model,
        reading.parsed.document["services"],
        (path for paths in unset.values() for path in paths),
        lambda text: interpolated(text, known),
    )
    files = {**model.files, **mounted(model, reading.directory, reading.project)}
    model = with_unseen_environments(msgspec.structs.replace(model, files=files))
    written = ComposeSource(
        path=str(reading.path),
        document=reading.parsed.document,
        unset=reading.unset,
        blank=unset,
        refused_blank=bool(resolving.stand_ins),
        cut_values=cut_values(
            reading.interpolation_texts, reading.env_files, _own_variables(reading), reading.values
        ),
        environment_known=bool(reading.interpolation_files),
        interpolation_files=tuple(map(str, reading.interpolation_files)),
        env_files=reading.env_files.by_service,
        missing_files=reading.env_files.missing,
        env_texts=reading.env_files.texts,
        env_variables=reading.env_variables,
        repeated=reading.parsed.repeated,
        lines=reading.parsed.lines,
        pem_lines=tuple(
            number
            for number, line in enumerate(reading.text.splitlines(), 1)
            if _PEM_HEADER.search(line) and _is_key(reading.text, line)
        ),
        committed=committed(reading.directory, {**files, **reading.env_files.texts}),
        unread=tuple(reading.named.unread),
        compose_error="" if parts else redact(_error(reading))[:ERROR_CAP],
        error_at=resolving.error_at,
        overlays=tuple(
            (str(each.path), lines) for each, lines in zip(reading.overlays, reading.lines_above, strict=True)
        ),
        parts=parts,
    )
    if parts:
        model = Model(observed=False, project="")
    return Source(
        str(reading.path),
        msgspec.structs.replace(model, source=written, profiles=_profiles(reading)),
        tuple(reading.text.splitlines()),
        () if parts else tuple(_notes(reading, model)),
        {str(each.path): tuple(each.text.splitlines()) for each in reading.overlays},
    )


def _parts(reading: Reading) -> tuple[str, ...]:
    """The services of a file that is only a part, as Compose says it as well."""
    alone = not reading.overlays and not base_of(reading.path)
    refused = _NO_IMAGE.search(reading.resolving.error)
    return parts_of_services(reading.parsed.document) if alone and refused else ()


def _error(reading: Reading) -> str:
    """Why Compose refuses the files, "" where it doesn't."""
    refused = _NO_IMAGE.search(reading.resolving.error)
    for each in reading.overlays if refused else ():
        if refused and refused[1] in (each.parsed.document.get("services") or {}):
            return (
                f"{each.path.name} changes the service {refused[1]}, which has neither an image nor a build: "
                f"{reading.path.name} has no service of that name, or no image for it"
            )
    return reading.resolving.error


def _profiles(reading: Reading) -> frozenset[str]:
    """The profiles that a plain `up` activates."""
    listed = reading.values.get("COMPOSE_PROFILES", "").split(",")
    return frozenset(name for each in listed if (name := each.strip()))


def _own_variables(reading: Reading) -> dict[str, frozenset[str]]:
    """The names that each service's own `environment` sets."""
    services = reading.parsed.document["services"]
    return {
        name: frozenset(str(entry).partition("=")[0] for entry in service.get("environment") or ())
        for name, service in services.items()
    }


def _notes(reading: Reading, model: Model) -> Iterator[str]:
    if later := reading.resolving.later:
        yield f"not checked, set at deploy time only: {', '.join(sorted(later))} (pass them with --env-file)"
    long = [each.name for each in model.services if _too_long(each)]
    if long:
        yield f"not checked: commands and healthchecks of more than {LENGTH_CAP // 1000} kB ({', '.join(long)})"
    if not model.of_role(*LAGO_RUBY, FRONT):
        yield "no Lago service was found in it (by image, command or label), so there was little to check"
    if any(each.key == ".env" for each in reading.named.unread):
        yield "the .env beside it is not a regular file of its project, so it was not read; pass it with --env-file"
    for platform, keys in reading.resolving.platform_keys.items():
        yield f"judged without {', '.join(keys)}, which only {platform} knows: Compose itself refuses the file with them"
    if unpinned := [each.name for each in model.of_role(*LAGO_RUBY) if floating(each)]:
        yield (
            f"the image names no version ({', '.join(unpinned)}): queues are judged like {newest().tag}, the newest release "
            "known here; what else differs between releases is not judged"
        )
    yield from unseen_notes(model)


def _too_long(service: Service) -> bool:
    check = service.healthcheck.command if service.healthcheck else ""
    return len(service.full_command) > LENGTH_CAP or len(check) > LENGTH_CAP


def _is_key(text: str, line: str) -> bool:
    """Whether a PEM header has a key below it, and is not just mentioned in a comment or a check."""
    after = text[text.index(line) :].split("PRIVATE KEY-----", 1)[-1][:200]
    return bool(re.search(r"[A-Za-z0-9+/]{30,}", after))

"""Rules about environment files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.interpolation import nested
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import texts, variable


@rule(phase=0, declared_only=True)
def env_file_not_in_repo(model: Model, settings: Settings) -> Iterator[Violation]:
    """The files that env_file names exist where the file is deployed, or are marked as optional."""
    missing = model.written.missing_files if model.written else {}
    for path in dict.fromkeys(path for paths in missing.values() for path in paths):
        asking = [name for name, paths in missing.items() if path in paths]
        service = next((each for each in model.services if each.name == asking[0]), None)
        yield Violation(
            service=service,
            at=("services", asking[0], "env_file"),
            problem=f"env_file {basename(path)} is not there"
            + (f" ({', '.join(asking)} name it)" if len(asking) > 1 else ""),
            impact="Compose stops (env file not found): deployed, and nothing boots",
            fix="interpolate from --env-file instead (${NAME:?}), or create the file in the deploy "
            "and say `required: false`",
        )


@rule(phase=0, declared_only=True)
def env_file_not_used_for_interpolation(model: Model, settings: Settings) -> Iterator[Violation]:
    """What ${...} names comes from .env or --env-file.

    A service's env_file goes into its container and is not used for interpolation: a variable that stands
    only there is empty in the compose file.
    """
    if model.written is None:
        return
    given = {basename(path) for path in model.written.interpolation_files} | {".env"}
    for service, name, text in texts(model):
        files = [
            path for path in model.written.env_files.get(service.name, ()) if basename(path) not in given
        ]
        if not files:
            continue
        for use in nested(text):
            if use.name not in model.written.unset or use.default is not None:
                continue
            inside = any(
                re.search(rf"(?m)^\s*(export\s+)?{use.name}\s*=", model.written.env_texts.get(path) or "")
                for path in files
            )
            absent = (
                not use.required
                and any(path not in model.written.env_texts for path in files)
                and not model.written.environment_known
            )
            if inside or absent:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    severity=None if inside else Severity.WARNING,
                    problem=f"{name} takes ${{{use.name}}}, which "
                    f"{'stands' if inside else 'could stand'} only in env_file "
                    f"{basename(files[0])}",
                    impact="Compose doesn't interpolate from env_file: the value is empty, and it "
                    "wins over the file's own",
                    fix=f"deploy with --env-file {basename(files[0])}, or take {name} out of `environment`",
                )
                break

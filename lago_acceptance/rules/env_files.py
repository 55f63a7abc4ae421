"""Rules about environment files."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.interpolation import nested
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import texts, variable


@rule(phase=0, declared_only=True, severity=Severity.WARNING)
def env_file_not_in_repo(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every env_file exists where the compose file is deployed, or is optional (`required: false`).

    A file with secrets is often only made by the deploy, so this is a warning. What the file would set is not judged.
    """
    missing = model.source.missing_files if model.source else {}
    for path in dict.fromkeys(path for paths in missing.values() for path in paths):
        users = [name for name, paths in missing.items() if path in paths]
        service = next((each for each in model.services if each.name == users[0]), None)
        yield Violation(
            service=service,
            at=("services", users[0], "env_file"),
            problem=f"env_file {basename(path)} doesn't exist"
            + (f" ({', '.join(users)} use it)" if len(users) > 1 else ""),
            impact="if the deploy doesn't create it, Compose stops (env file not found) and nothing starts",
            fix="create the file during the deploy, or pass the values by --env-file and ${NAME:?} instead",
        )


@rule(phase=0, declared_only=True)
def env_file_not_used_for_interpolation(model: Model, settings: Settings) -> Iterator[Violation]:
    """Variables of the compose file (${...}) come from .env or --env-file.

    A service's env_file sets variables inside its container. Compose doesn't use it for interpolation: a
    variable that is only set there is empty in the compose file.
    """
    if model.source is None:
        return
    interpolated = {basename(path) for path in model.source.interpolation_files} | {".env"}
    for service, name, text in texts(model):
        files = [
            path
            for path in model.source.env_files.get(service.name, ())
            if basename(path) not in interpolated
        ]
        if not files:
            continue
        for use in nested(text):
            if use.name not in model.source.unset or use.default is not None:
                continue
            inside = any(
                use.name == written
                for path in files
                for written, _ in model.source.env_variables.get(path, ())
            )
            absent = (
                not use.required
                and any(path not in model.source.env_texts for path in files)
                and not model.source.environment_known
            )
            if inside or absent:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    severity=None if inside else Severity.WARNING,
                    problem=f"{name} takes ${{{use.name}}}, which "
                    f"{'is' if inside else 'may be'} only set in env_file {basename(files[0])}",
                    impact="Compose doesn't interpolate from env_file: the value is empty, and overrides "
                    "the one in the file",
                    fix=f"deploy with --env-file {basename(files[0])}, or remove {name} from `environment`",
                )
                break

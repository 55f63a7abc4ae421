"""Rules about environment files."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.lago.variables import NEEDED
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
        for user in (name for name, paths in missing.items() if path in paths):
            yield Violation(
                service=next((each for each in model.services if each.name == user), None),
                at=("services", user, "env_file"),
                problem=f"env_file {basename(path)} doesn't exist",
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


_CUT = {
    "comment": (
        "Compose drops the end of {name}: a space and # begin a comment",
        "put the value in single quotes: {name}='...'; if it is a comment, write it as \"# ...\"",
    ),
    "tail": (
        "Compose drops what follows the closing quote in {name}",
        "put the whole value in one pair of single quotes",
    ),
    "lines": (
        "the quote that {name} opens is not closed on its line, so the variables below it are part of its value",
        "close the quote at the end of the value",
    ),
    "escape": (
        "Compose turns a backslash and the letter behind it into a control character in {name}",
        "use single quotes in place of double quotes",
    ),
    "dollar": (
        "Compose reads the dollar sign in {name} as the start of a variable, and drops what follows",
        "put the value in single quotes: {name}='...'; if a variable is meant, set it in a line above",
    ),
    "unset": (
        "{name} contains ${unset}, which Compose replaces by nothing: no such variable is set",
        "set {unset} in a line above, or put the value in single quotes if the dollar sign belongs to it",
    ),
}


@rule(phase=0, declared_only=True, severity=Severity.WARNING)
def env_file_value_cut(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose reads every value of an environment file as it is written.

    Without single quotes, $name is a variable, and a space and # begin a comment: `aa$bb` becomes `aa`, `day #7` becomes
    `day`. In double quotes, backslashes are escapes, too.
    """
    source = model.source
    for cut in source.cut_values if source else ():
        service = next((each for each in model.services if each.name in cut.users[:1]), None)
        why = "dollar" if cut.why == "unset" and not cut.unset else cut.why
        problem, fix = (text.format(name=cut.name, unset=cut.unset) for text in _CUT[why])
        matters = sounds_secret(cut.name) or cut.name in NEEDED or cut.why == "lines"
        # Nobody sets a part of a password where they deploy.
        later = (
            cut.why == "unset" and not (source and source.environment_known) and not sounds_secret(cut.name)
        )
        yield Violation(
            service=service,
            at=("services", service.name, "env_file") if service else ("services",),
            severity=Severity.ERROR if matters and not later else None,
            problem=f"{basename(cut.path)}, line {cut.line}: {problem}",
            impact="the containers get another value than the file shows: wrong passwords, addresses or names",
            fix=fix,
        )

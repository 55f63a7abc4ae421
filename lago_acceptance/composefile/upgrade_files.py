"""The files of a deployment from which its upgrades are planned, read without Docker and without Compose."""

from __future__ import annotations

from pathlib import Path

from lago_acceptance.composefile.bounded_files import ENVIRONMENT_CAP, read_regular
from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.composefile.written_places import WrittenFiles
from lago_acceptance.composefile.yaml_lines import SIZE_CAP, Unusable
from lago_acceptance.core.verdicts import UsageError


def read_files(compose_file: Path, env_file: Path | None, usual_env_file: str) -> WrittenFiles:
    """The files of a deployment; what is secret in them is redacted from now on.

    ``usual_env_file`` is the name of the environment file beside the compose file, if ``env_file`` is not given. UsageError
    where a file is not there or can't be read.
    """
    usual_env_file = usual_env_file or ".env"
    beside = compose_file.with_name(usual_env_file)
    env = env_file or (beside if beside.is_file() else None)
    try:
        contents = {
            compose_file.name: read_regular(compose_file, SIZE_CAP, f"the compose file {compose_file}")
        }
        if env:
            contents[env.name] = read_regular(env, ENVIRONMENT_CAP, f"the environment file {env}")
    except Unusable as error:
        raise UsageError(str(error)) from error
    name = env.name if env else usual_env_file
    written = WrittenFiles(contents, compose_file.name, name)
    for each in written.documents:
        document = each.document if isinstance(each.document, dict) else {}
        learn(document, {}, written.values.items(), compose_file.absolute().parent)
    return written

"""The deployment under test as its files declare it, with its variables."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from lago_acceptance.composefile.cli import Project, Resolved
from lago_acceptance.composefile.env_files import environment_text, written_variables
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.composefile.yaml_lines import Unusable
from lago_acceptance.core import report_files, user_files
from lago_acceptance.core import run as runs
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import COMPOSE, SHIPPED_COMPOSE_FILE
from lago_acceptance.core.roles import API, MIGRATE
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.hosts.base import WriteCommand
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.lago.versions import before
from lago_acceptance.model.deployment import Model
from lago_acceptance.targets.stack import unread_files

LARGEST_KEY = 65_536
LARGEST_COMPOSE_FILE = 2**24
KEY_FILE, ENV_FILE = "lago_rsa_private.pem", ".env.lago"
# What provision.sh takes from the shipped deployment: names of others' files are their own.
_HOSTS = ("LAGO_API_HOST", "LAGO_FRONT_HOST", "LAGO_API_HOST_PORT")
NEUTRAL = {"LAGO_ORG_NAME": "Acceptance", "LAGO_ORG_USER_EMAIL": "admin@example.test"}
VARIABLES = "Set variables with --env-file FILE, or in a .env beside the compose file"


class Declaration:
    """A compose file with the variables of its deploy, which are generated for this run if none are given.

    UsageError if Compose refuses them.
    """

    def __init__(self, options: Options, settings: Settings, run: runs.Run, host: LocalHost, permit: Permit):
        self._options, self._settings, self._run = options, settings, run
        self._host, self._permit = host, permit
        # Where Docker is: Compose has no other way to find out.
        self.docker: dict[str, str] = {}

    @cached_property
    def project(self) -> Project:
        """The Compose project as it is written, without any change for the test."""
        file = self._options.compose_file.resolve()
        if given := self._options.env_file or unread_files.beside(file):
            return Project(
                name=self._run.project, files=(file,), env_files=(given.resolve(),), variables=self.docker
            )
        self._provision()
        if file != SHIPPED_COMPOSE_FILE.resolve():
            self._leave_out_names()
        made = (self._run.private / ENV_FILE, *self._key_variable(file))
        variables = {"LAGO_RSA_KEY_FILE": str(self._run.private / KEY_FILE), **self.docker}
        return Project(name=self._run.project, files=(file,), env_files=made, variables=variables)

    def _key_variable(self, file: Path) -> Iterator[Path]:
        """An env file with the generated key as Lago reads it, for a compose file that takes it from a variable."""
        text = user_files.content("--compose-file", file, LARGEST_COMPOSE_FILE)
        if not re.search(rb"\$\{?LAGO_RSA_PRIVATE_KEY\b", text):
            return
        key = base64.b64encode((self._run.private / KEY_FILE).read_bytes()).decode()
        env_file = self._run.private / ".env.key"
        report_files.write(env_file, f"LAGO_RSA_PRIVATE_KEY={key}\n".encode("ascii"))
        yield env_file

    @cached_property
    def resolved(self) -> Resolved:
        """What Compose makes of the file under test, without the overlay."""
        variables = tuple(self._variables())
        self._teach({}, variables)
        unread_files.refuse(self.project, self._options.allow_mount)
        try:
            found = resolve(self.project)
        except UsageError as error:
            if "required variable" in str(error):
                raise UsageError(f"{error}. {VARIABLES}") from error
            raise
        self._teach(found.document, variables)
        return found

    def _variables(self) -> Iterator[tuple[str, str]]:
        """The variables of the deploy, as its env files write them."""
        for path in self.project.env_files:
            try:
                yield from written_variables(environment_text(path))
            except Unusable as error:
                raise UsageError(f"{error}. {VARIABLES}") from error

    def _teach(self, document: dict[str, Any], variables: tuple[tuple[str, str], ...]) -> None:
        """Redact the deployment's secrets from now on; the names of this run and of its folders are none."""
        folders = Path(*self.project.directory.parts, *self._run.private.parts, self._run.project)
        learn(document, {}, variables, folders)

    def teach_keys(self, paths: Iterable[str]) -> None:
        """Redact the private keys in files that are mounted."""
        for path in map(Path, paths):
            if path.is_file() and path.stat().st_size <= LARGEST_KEY:
                text = path.read_text("utf-8", "replace")
                if "PRIVATE KEY" in text:
                    learn({}, {}, [("LAGO_RSA_PRIVATE_KEY", text)], path.parent)

    @property
    def model(self) -> Model:
        """The services, networks and volumes that it declares."""
        return self.resolved.model

    @property
    def unset(self) -> str:
        """A sentence about variables that are used but never set, or ""."""
        names = {
            name
            for line in self.resolved.warnings
            for name in re.findall(r'"?(\w+)\W* variable is not set', line)
        }
        return (
            f"variables that are used but never set are empty: {', '.join(sorted(names))}. {VARIABLES}"
            if names
            else ""
        )

    @cached_property
    def api_key(self) -> Secret | None:
        """The API key that seeding gives to the organization, None if it is a random one.

        Before 1.19.1, seeding takes LAGO_API_KEY's value if LAGO_ORG_API_KEY is set; later versions take that of
        LAGO_ORG_API_KEY (docs/lago-facts.md, section 1.5).
        """
        for service in self.model.of_role(MIGRATE, API):
            asked, old = service.value("LAGO_ORG_API_KEY"), before(service, self._settings, (1, 19, 1))
            if asked and (key := service.value("LAGO_API_KEY") if old else asked):
                return Secret(key)
        return None

    @cached_property
    def admin(self) -> tuple[str, Secret] | None:
        """The administrator's address and password, if the deployment seeds one."""
        for service in self.model.of_role(MIGRATE, API):
            email, password = service.value("LAGO_ORG_USER_EMAIL"), service.value("LAGO_ORG_USER_PASSWORD")
            if email and password:
                return email, Secret(password)
        return None

    def _provision(self) -> None:
        script = COMPOSE / "provision.sh"
        change = WriteCommand(
            "generating .env.lago and a key", ("sh", str(script), str(self._run.private)), deadline=30
        )
        outcome = self._host.change(change, self._permit)
        if outcome.code:
            raise Unreachable(
                f"generating .env.lago and a key failed: {outcome.output.strip().splitlines()[-1]}"
            )

    def _leave_out_names(self) -> None:
        """Keep what is generated, and put neutral names in the place of those of the shipped deployment."""
        path = self._run.private / ENV_FILE
        kept = (
            line
            for line in path.read_text("utf-8").splitlines()
            if line.partition("=")[0] not in (*_HOSTS, *NEUTRAL)
        )
        own = (f"{name}={value}" for name, value in NEUTRAL.items())
        report_files.write(path, "\n".join((*kept, *own, "")).encode("utf-8"))

    @cached_property
    def networks(self) -> dict[str, str]:
        """This run's network for each one in the file that has a name of its own, external or not."""
        return {
            network.name: self._run.network(network.key)
            for network in self.model.networks
            if network.external or network.name != f"{self.model.project}_{network.key}"
        }

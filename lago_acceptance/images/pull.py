"""Pulling images, without waiting for a registry that can't be reached."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from lago_acceptance.core.awaited import Board
from lago_acceptance.images import standins
from lago_acceptance.images.standins import NoImage

if TYPE_CHECKING:
    from docker import APIClient

SILENCE_SECONDS = 20
PULL_SECONDS = 900

log = logging.getLogger(__name__)


class RegistryAway(Exception):
    """A registry can't be reached, so none of its images can be pulled now."""


class PullRefused(Exception):
    """The registry answered, but does not serve this image."""


@dataclass
class Registries:
    """Pulls images. A registry that could not be reached is not tried again."""

    engine: APIClient
    away: dict[str, str] = field(default_factory=dict)

    @cached_property
    def present(self) -> frozenset[str]:
        """The names of all images on the engine, from one request."""
        return frozenset(name for image in self.engine.images() for name in image["RepoTags"] or ())

    def obtain(self, reference: str) -> None:
        """Pull an image unless the engine has it. Raises RegistryAway, PullRefused or NoImage."""
        import docker.auth
        import docker.errors
        import docker.utils

        if reference in self.present:
            return
        try:
            # The engine knows every way to write a name.
            self.engine.inspect_image(reference)  # type: ignore[no-untyped-call]
            return
        except docker.errors.NotFound:
            pass
        except docker.errors.APIError as error:
            raise PullRefused(standins.reason(error)) from None
        name, version = docker.utils.parse_repository_tag(reference)
        registry, _ = docker.auth.resolve_repository_name(name)
        if known := self.away.get(registry):
            raise RegistryAway(known)
        try:
            self._pull(name, version or "latest")
        except RegistryAway as error:
            self.away[registry] = str(error)
            raise

    def _pull(self, name: str, version: str) -> None:
        import docker.errors
        import requests
        import urllib3

        log.info("pulling %s:%s", name, version)
        deadline = time.monotonic() + PULL_SECONDS
        self.engine.timeout = SILENCE_SECONDS
        try:
            with Board.shared.waiting(PULL_SECONDS, {f"{name}:{version}": "being pulled"}) as shown:
                for event in self.engine.pull(name, version, stream=True, decode=True):
                    shown.tell(shown.states)
                    if "error" in event:
                        _judge(event["error"])
                    if time.monotonic() > deadline:
                        raise RegistryAway(f"the pull did not finish within {PULL_SECONDS} s")
        except docker.errors.APIError as error:
            _judge(standins.reason(error))
        except (requests.RequestException, urllib3.exceptions.HTTPError):
            raise RegistryAway(f"the registry sent nothing for {SILENCE_SECONDS} s") from None
        finally:
            self.engine.timeout = standins.BASE_SECONDS


def _judge(words: str) -> NoReturn:
    """Raise the exception for an error message of the engine: the disk, the image or the registry is at fault."""
    if "no space left" in words:
        raise NoImage(
            f"No disk space for an image ({words}); free some, for example with `docker system prune`."
        )
    answered = r"not found|manifest unknown|denied|unauthorized|no matching manifest|toomanyrequests|invalid"
    if re.search(answered, words, re.IGNORECASE):
        raise PullRefused(words)
    raise RegistryAway(words)

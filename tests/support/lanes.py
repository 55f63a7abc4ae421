"""Which tests run one after the other, and which beside them: `make test` has two workers, and each takes whole lanes.

What a lane's tests share (runs against broken deployments, a Lago that is up) is made once, in one worker.
"""

from __future__ import annotations

import pytest

from lago_acceptance.core.cache import cache_folder
from tests.support.docker_turns import DockerTurns

_ALONE, _GATE, _STACKS, _HOSTS, _DEPLOYS = "alone", "gate", "stacks", "hosts", "deploys"
# By the beginning of a test's path, in the order in which the lanes begin; files that nothing here names come last. The
# tests of the first lane have Docker to themselves: a swarm needs a Docker without containers, a browser breaks off what
# it loads when a container's network comes or goes, and some change Docker for everybody. Beside them run the gate's,
# which need no Docker.
_LANES = {
    _ALONE: (
        "live/test_swarm.py",
        "browser/",
        "stack/test_login_faults.py",
        "stack/test_styles.py",
        "stack/test_refusals.py",
        "stack/test_host_is_untouched.py",
        "stack/test_leaves_nothing_behind.py",
    ),
    _GATE: ("gate/",),
    _STACKS: ("stack/", "live/test_faults.py"),
    _DEPLOYS: ("deploy/",),
    _HOSTS: ("live/", "standins/"),
}
_WITH_DOCKER = (_ALONE, _STACKS, _HOSTS, _DEPLOYS)


def lane_of(node_id: str) -> str:
    """The lane of a test: one of those above, or its file."""
    path = node_id.partition("::")[0]
    return next((lane for lane, begins in _LANES.items() if path.startswith(begins)), path)


def uses_docker(node_id: str) -> bool:
    """Whether a test's lane is one of those that use Docker."""
    return lane_of(node_id) in _WITH_DOCKER


def place_of(node_id: str) -> int:
    """The place of a test's lane in their order."""
    lane = lane_of(node_id)
    return [*_LANES, lane].index(lane)


class Turns:
    """Gives each test its turn at Docker before its fixtures are made, and ends it after they are gone."""

    def __init__(self, turns: DockerTurns):
        self._turns = turns

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if uses_docker(item.nodeid):
            self._turns.take(alone=_alone(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None):
        if nextitem is None and self._turns.were_taken:
            # Now the fixtures of the session are taken down too.
            self._turns.take(alone=_alone(item))
        try:
            return (yield)
        finally:
            if not (nextitem and _alone(item) and _alone(nextitem)):
                self._turns.leave()


def _alone(item: pytest.Item) -> bool:
    return lane_of(item.nodeid) == _ALONE


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Turns(DockerTurns(cache_folder() / "docker-tests.lock")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByLane(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return lane_of(nodeid)

    # Lanes begin in their own order, and not by the number of their tests.
    config.option.loadscopereorder = False
    return ByLane(config, log)

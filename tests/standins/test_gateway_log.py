"""The gateway's last lines are among the facts, also those of one that has ended."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.facts.collect import ONLY, TOO, observe, read_inside
from lago_acceptance.facts.inside import view_of
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images import resolve
from tests.support.containers import docker, running
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.docker

LINE = (
    "Lago error fetching plans: Client error '401 Unauthorized' for url 'http://lago-api:3000/api/v1/plans'"
)


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    name = f"selftest-{secrets.token_hex(4)}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


@pytest.mark.parametrize("inside", [TOO, ONLY])
@pytest.mark.parametrize("ended", [False, True])
def test_the_gateways_last_lines_are_known(ended, inside, network):
    program = f'echo "{LINE}"; echo key=the-key-of-this-gateway; {"exit 3" if ended else "exec sleep 600"}'
    options = (
        f"--network={network}",
        "--label=lago-acceptance.role=gateway",
        "--env=LAGO_API_KEY=the-key-of-this-gateway",
    )
    with running(resolve.stand_in("python"), "sh", "-c", program, options=options) as container:
        assert until(lambda: LINE in container.logs(), PATIENCE)
        if ended:
            docker("wait", container.name)
        facts = observe(LocalHost(), gateway_network=network, inside=TOO if inside == TOO else "")
        view = view_of(facts if inside == TOO else read_inside(LocalHost(), facts, network))
    assert view.log[0] == LINE
    assert "the-key-of-this-gateway" not in "".join(view.log)
    seen = view.ended if ended else view.gateway
    assert seen.name == container.name and (view.gateway is None) == ended

"""An upgrade over its stops, on a host that bills: 1.16.0 → 1.25.0, where fees are filled in → 1.26.0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.containers import docker
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts
from tests.support.deploy.host import DeployableHost
from tests.support.standin.releases import tagged_releases

pytestmark = [pytest.mark.stack, pytest.mark.docker]

HAD, STOP, HAS = "v1.16.0", "v1.25.0", "v1.26.0"
SUMS = """
SELECT json_build_array(
    (SELECT json_agg(each ORDER BY each) FROM (SELECT currency || ' ' || count(*) || ' ' || sum(total_amount_cents) AS each
        FROM invoices GROUP BY currency) AS sums),
    (SELECT count(*) || ' ' || sum(amount_cents) FROM fees),
    (SELECT json_agg(name ORDER BY name) FROM customers),
    (SELECT count(*) FROM events))
"""


@dataclass
class Upgrade:
    """A host that runs 1.16.0 with data, and a checkout of the same files with 1.26.0."""

    host: DeployableHost
    checkout: Path
    held: str

    def deploy(self, *arguments: str) -> command.Ended:
        """Deploy the checkout."""
        return command.deploy(self.host, self.checkout, *arguments)

    @property
    def image(self) -> str:
        """What the API runs."""
        return docker("inspect", "--format", "{{.Config.Image}}", self.host.container("lago-api")).strip()

    def holds(self) -> None:
        """Counts and sums are as before, and Lago goes on to bill."""
        assert self.host.sql(SUMS) == self.held
        self.host.await_routes()


@pytest.fixture
def upgrade(breakable: DeployableHost, tmp_path: Path) -> Iterator[Upgrade]:
    settings = breakable.settings.read_text()
    with tagged_releases() as tagged:

        def running(release: str):
            api = tagged.api(release)
            for each in (HAD, STOP, HAS):
                tagged.api(each)

            def change(document: dict, _: dict[str, str]) -> None:
                for service in document["services"].values():
                    if "lago-api" in service["image"]:
                        service["image"] = api

            return change

        checkout = breakable.copy(tmp_path / "checkout")
        hosts.edit(checkout, running(HAS))
        hosts.edit(breakable.folder, running(HAD))
        breakable.up()
        breakable.await_routes()
        breakable.put_data()
        breakable.settings.write_text(settings.replace(f'version = "{HAD}"', f'version = "{HAS}"'))
        try:
            yield Upgrade(breakable, checkout, breakable.sql(SUMS))
        finally:
            breakable.settings.write_text(settings)
            breakable.live.stack  # noqa: B018
            hosts.copy_files(breakable.live.folder / "original", breakable.folder)


def test_a_walk_that_is_killed_goes_on_and_arrives(upgrade):
    with moments.running(upgrade.host, upgrade.checkout, "--via") as walking:
        walking.await_event("done", "dump")
        walking.kill()
    ended = upgrade.deploy("--via")
    print(ended.output)
    assert ended.code == 0, ended.output[-8000:]
    assert upgrade.image.endswith(HAS)
    upgrade.holds()

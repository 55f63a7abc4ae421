"""The check of the stores' names is seen red and green."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import stores
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import LagoProcess
from lago_acceptance.model.deployment import Service
from tests.support.facts import container, facts, ids

OWN, STRANGERS = "172.20.0.2", "172.30.0.9"


def seen(host: str, *addresses: str, alias: str = "lago-redis.internal"):
    """An API that gets these addresses for a host, beside another project's Redis of the same name."""
    service = Service(name="lago-redis", image="", role="redis", networks={"lago": (alias,)})
    stranger = container("redis", name="shop-redis-1", project="shop", addresses={"shared": STRANGERS})
    return facts(
        container("redis", service=service, addresses={"lago_lago": OWN}),
        container("api"),
        others=(stranger,),
        lago={"api": LagoProcess(addresses={host: addresses})},
    )


@pytest.mark.parametrize(
    ("host", "addresses", "id"),
    [
        ("lago-redis.internal", (OWN,), None),
        ("lago-redis", (OWN,), None),
        ("lago-redis", (STRANGERS,), "store-name-elsewhere"),
        ("lago-redis-1", (STRANGERS,), "store-name-elsewhere"),
        ("lago-redis", (STRANGERS, OWN), "store-name-ambiguous"),
        ("lago-redis", (), None),
        ("lago-redis", ("203.0.113.7",), None),
        # Nothing of the deployment has this name, so it is the other project's on purpose.
        ("shop-redis-1", (STRANGERS,), None),
    ],
)
def test_a_name_that_leads_to_another_project(host, addresses, id):
    found = list(stores.names_are_the_deployments_own(seen(host, *addresses)))
    assert ids(found) == ([id] if id else [])
    for each in found:
        assert "shop-redis-1 of the project shop" in each.problem and "lago-redis.internal" in each.fix


def test_a_stranger_without_a_project_is_named():
    made = seen("lago-redis", STRANGERS)
    alone = facts(
        *made.containers,
        others=(container("redis", name="redis", project="", addresses={"shared": STRANGERS}),),
        lago=made.lago,
    )
    (found,) = stores.names_are_the_deployments_own(alone)
    assert "lago-redis is redis here" in found.problem


def test_names_that_could_not_be_looked_up():
    with pytest.raises(Unknown):
        list(stores.names_are_the_deployments_own(facts(container("api"))))
    with pytest.raises(Blocked):
        list(stores.names_are_the_deployments_own(facts()))
    assert list(stores.names_are_the_deployments_own(seen("x"))) == []

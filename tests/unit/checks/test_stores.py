"""The check of the stores' names is seen red and green."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import stores
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess, Reached
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.model.deployment import Service
from tests.support.facts import container, facts, ids, lago

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


URLS = {
    "DATABASE_URL": "postgresql://lago:x@lago-db:5432/lago",
    "REDIS_URL": "redis://lago-redis:6379",
    "LAGO_PDF_URL": "http://lago-pdf:3000",
}
SERVERS = {"database": DatabaseAnswers(system="7713"), "redis": RedisAnswers(run_id="d22f")}


def reaching(role: str = "worker", *without: str, **answers: Reached):
    """A whole deployment whose processes find their own stores, but for what one of them finds."""
    found = {
        "DATABASE_URL": Reached(answer="7713"),
        "REDIS_URL": Reached(answer="d22f"),
        "LAGO_PDF_URL": Reached(answer="200"),
    }
    processes = {each: LagoProcess(addresses={}, reached=found) for each in ("api", "worker", "clock")}
    processes[role] = LagoProcess(addresses={}, reached=found | answers)
    containers = lago(*without, api=URLS, worker=URLS, clock=URLS)
    return facts(*containers, lago=processes, **SERVERS)


def test_own_stores_in_reach_are_no_finding():
    assert list(stores.they_are_this_deployments(reaching())) == []
    assert list(stores.they_are_reached(reaching())) == []


@pytest.mark.parametrize(
    ("variable", "store"), [("DATABASE_URL", "lago-db-1"), ("REDIS_URL", "lago-redis-1")]
)
def test_another_server_at_the_same_name(variable, store):
    (found,) = stores.they_are_this_deployments(reaching("worker", **{variable: Reached(answer="elsewhere")}))
    assert (found.id, found.service) == ("store-is-another", "lago-worker")
    assert store in found.problem and "elsewhere" in found.problem


def test_servers_that_no_process_could_tell():
    unseen = dict.fromkeys(URLS, Reached(unseen="it is reached by TLS"))
    untold = facts(*lago(api=URLS), lago={"api": LagoProcess(addresses={}, reached=unseen)}, **SERVERS)
    with pytest.raises(Unknown, match="could not tell"):
        list(stores.they_are_this_deployments(untold))
    assert list(stores.they_are_reached(untold)) == []


def test_a_foreign_name_explains_a_foreign_server():
    foreign = seen("lago-redis.internal", STRANGERS)
    with pytest.raises(Blocked, match="store-name-elsewhere"):
        list(stores.they_are_this_deployments(foreign))


@pytest.mark.parametrize(
    ("variable", "answer", "said"),
    [
        ("DATABASE_URL", Reached(error="Errno::ECONNREFUSED: Connection refused"), "Connection refused"),
        ("REDIS_URL", Reached(error="no answer within 9 s"), "lago-redis:6379 of its REDIS_URL"),
        ("LAGO_PDF_URL", Reached(error="SocketError: getaddrinfo: Name or service not known"), "not known"),
        ("LAGO_PDF_URL", Reached(answer="503"), "503"),
        ("LAGO_PDF_URL", Reached(refused="it does not speak HTTP"), "does not speak HTTP"),
    ],
)
def test_a_store_that_is_not_reached(variable, answer, said):
    (found,) = stores.they_are_reached(reaching("worker", **{variable: answer}))
    assert (found.id, found.service) == ("store-not-reached", "lago-worker")
    assert said in found.problem


def test_a_wrong_password_is_another_finding():
    refused = reaching("worker", REDIS_URL=Reached(refused="WRONGPASS invalid username-password pair"))
    assert list(stores.they_are_reached(refused)) == []


def test_a_store_that_is_down_explains_it():
    seen_ = reaching("worker", REDIS_URL=Reached(error="Errno::ECONNREFUSED: refused"))
    down = [
        msgspec.structs.replace(each, running=False, status="exited") if each.role == "redis" else each
        for each in seen_.containers
    ]
    with pytest.raises(Blocked, match="service-down"):
        list(stores.they_are_reached(msgspec.structs.replace(seen_, containers=tuple(down))))

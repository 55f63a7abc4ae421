"""Lago is found on a host whatever started it: by project, stack, or what its containers have in common."""

from __future__ import annotations

import shlex

import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from tests.support.pretended_host import DOCKER, ONE_SHELL, PASSWORD, Shell, rows

COMPOSE, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
NONE = {COMPOSE: None, SERVICE: None}
NAMESPACE, SWARM, TASK = (
    "com.docker.stack.namespace",
    "com.docker.swarm.service.name",
    "com.docker.swarm.task.name",
)
LAGO, POSTGRES, REDIS, FRONT = "getlago/api:v1.16.0", "postgres:15", "redis:7", "getlago/front:v1.16.0"
URL = f"postgres://lago:{PASSWORD}@db/lago"


@pytest.fixture
def bare(host: Shell) -> Shell:
    """A host with Docker and no container."""
    host.program("docker", DOCKER.format(folder=shlex.quote(str(host.folder))))
    return host


def add(host: Shell, id: str, image: str, command: str = "x", *networks: str, **more) -> None:
    """A container that no project holds; ``labels`` and ``environment`` as for rows()."""
    labels = NONE | more.pop("labels", {})
    named = {each: [id] for each in networks}
    host.add(rows(id, image, command, labels=labels, networks=named, **more))


def lago(host: Shell, url: str, network: str, names: str, **labels) -> None:
    """API and worker, by the words of ``names``, with one DATABASE_URL on one network."""
    for name, role in zip(names.split(), ("api", "worker"), strict=True):
        own = {key.replace("swarm", SWARM): value.format(name=name) for key, value in labels.items()}
        environment = {"DATABASE_URL": url, "LAGO_API_URL": f"https://{names.split()[0]}.test"}
        add(host, name, LAGO, f"./scripts/start.{role}.sh", network, environment=environment, labels=own)


def who(facts: Facts) -> set[str]:
    return {each.id for each in facts.containers}


def task(service: str, slot: int, id: str, stack: str = "") -> dict[str, str]:
    return {SWARM: service, TASK: f"{service}.{slot}.{id}", **({NAMESPACE: stack} if stack else {})}


def test_containers_that_were_started_by_hand_are_one_lago(bare):
    lago(bare, URL, "billing", "lago-api lago-worker")
    add(bare, "lago-front", FRONT, "nginx", "billing")
    add(bare, "db", POSTGRES, "postgres", "billing", environment={"POSTGRES_PASSWORD": PASSWORD})
    add(bare, "strangers-db", POSTGRES, "postgres", "billing", environment={"POSTGRES_PASSWORD": "other-one"})
    facts = observe(bare)
    assert (facts.project, facts.lagos) == ("lago-api", {"lago-api": ""})
    assert who(facts) == {"lago-api", "lago-worker", "lago-front", "db"}
    assert {each.id for each in facts.others} == {"strangers-db"} and not facts.platforms
    assert facts.database and facts.database.directory == "/data" and not facts.elsewhere
    assert facts.containers[0].service.environment["DATABASE_URL"].startswith("postgres://lago:<secret")


@ONE_SHELL
def test_several_of_them_are_told_apart_by_their_database(bare):
    """CapRover has all its apps on one network."""
    captain = {"swarm": "srv-captain--{name}"}
    lago(bare, URL, "captain-overlay-network", "api worker", **captain)
    lago(bare, URL.replace("lago:", "test:"), "captain-overlay-network", "test-api test-worker", **captain)
    add(
        bare,
        "test-front",
        FRONT,
        "nginx",
        "captain-overlay-network",
        environment={"API_URL": "https://test-api.test"},
    )
    facts = observe(bare)
    assert facts.lagos == {"srv-captain--api": "", "srv-captain--test-api": ""} and not facts.project
    named = observe(bare, project="srv-captain--test-api")
    assert who(named) == {"test-api", "test-worker", "test-front"}
    assert [each.name for each in named.platforms] == ["CapRover", "Docker Swarm"]


@ONE_SHELL
def test_one_password_on_two_networks_is_two_lagos(bare):
    lago(bare, URL, "one", "api worker")
    lago(bare, URL, "two", "api2 worker2")
    assert set(observe(bare).lagos) == {"api", "api2"}


def test_a_stack_of_swarms_is_one_lago_without_the_tasks_that_are_over(bare):
    network = {"lago_default": []}
    for service, role, slot, id, state in (
        ("lago_worker", "worker", 1, "new", None),
        ("lago_api", "api", 1, "a", None),
        ("lago_api", "api", 2, "b", None),
        ("lago_worker", "worker", 1, "old", {"Running": False, "Status": "exited"}),
    ):
        made = rows(
            id,
            LAGO,
            f"./scripts/start.{role}.sh",
            labels=NONE | task(service, slot, id, "lago"),
            environment={"DATABASE_URL": URL},
            networks=network,
            state=state,
        )
        bare.add([each.replace("\ttrue\t", "\tfalse\t", 1) if state else each for each in made])
    facts = observe(bare)
    assert (facts.project, who(facts)) == ("lago", {"new", "a", "b"})
    assert {each.service.name for each in facts.containers} == {"worker", "api"}
    assert {"api", "lago_api", "a"} <= facts.containers[1].names
    assert set(facts.containers[0].service.networks) == {"default"}
    assert [each.name for each in facts.platforms] == ["Docker Swarm"]


@ONE_SHELL
def test_applications_of_coolify_are_one_lago_and_its_services_projects(bare):
    """Each application is a project of one container, whose name is an id."""
    for id, role in (("a1", "api"), ("w2", "worker")):
        labels = {COMPOSE: id, "coolify.type": "application", "coolify.managed": "true"}
        bare.add(
            rows(
                id,
                LAGO,
                f"./scripts/start.{role}.sh",
                labels=labels,
                environment={"DATABASE_URL": URL},
                networks={"coolify": [id]},
            )
        )
    labels = {COMPOSE: "p3", "coolify.type": "database", "coolify.managed": "true"}
    bare.add(rows("p3", POSTGRES, "postgres", labels=labels, networks={"coolify": ["db"]}))
    facts = observe(bare)
    assert (facts.project, who(facts)) == ("a1", {"a1", "w2", "p3"})
    assert facts.platforms[0].name == "Coolify" and facts.model().project == ""
    service = {COMPOSE: "s4", "coolify.type": "service", "coolify.managed": "true"}
    bare.add(rows("s4-api", LAGO, "./scripts/start.api.sh", labels=service))
    assert set(observe(bare).lagos) == {"a1", "s4"}


@ONE_SHELL
def test_podmans_own_project_is_one(bare):
    labels = {"io.podman.compose.project": "billing"}
    add(bare, "api", LAGO, "./scripts/start.api.sh", labels=labels)
    facts = observe(bare)
    assert (facts.project, facts.containers[0].project) == ("billing", "billing")


@ONE_SHELL
def test_pods_are_not_judged(bare):
    add(bare, "k8s_api", LAGO, "./scripts/start.api.sh", labels={"io.kubernetes.pod.name": "lago-api-0"})
    facts = observe(bare)
    assert not facts.lagos and facts.others[0].service.labels["io.kubernetes.pod.name"] == "lago-api-0"


@ONE_SHELL
def test_a_container_by_hand_beside_a_project_of_its_name_has_another(bare):
    bare.add(rows("api1", LAGO, "./scripts/start.api.sh", labels={COMPOSE: "api"}))
    add(bare, "api", LAGO, "./scripts/start.api.sh", "other")
    assert set(observe(bare).lagos) == {"api", "api-"}


ELSEWHERE = {
    "DATABASE_URL": f"postgres://lago:{PASSWORD}@db.managed.test/lago?sslmode=require",
    "REDIS_URL": "rediss://:f00d-f00d@redis.managed.test:6380/2",
}


def test_stores_elsewhere_are_asked_from_lagos_own_container(bare):
    bare.add(rows("worker", LAGO, "./scripts/start.worker.sh", environment=ELSEWHERE))
    bare.add(rows("api", LAGO, "./scripts/start.api.sh", environment=ELSEWHERE))
    (bare.folder / "exec").write_text(
        """case "$*" in *" database 1 "*) printf 'directory\\t"/managed"\\n' ;; *" redis 1 "*) """
        """printf '@reply info\\nredis_version:7.4.0\\n' ;; *) echo '{}' ;; esac\n"""
    )
    facts = observe(bare)
    assert facts.elsewhere == {"db": "api", "redis": "api"}
    assert facts.database.directory == "/managed" and facts.redis.version == "7.4.0"
    given = (bare.folder / "given").read_text()
    assert PASSWORD not in given and "f00d-f00d" not in given, "its URL stays in Lago's container"
    assert "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY" in given


@ONE_SHELL
def test_stores_elsewhere_are_not_asked_where_no_lago_runs(bare):
    made = rows("api", LAGO, "./scripts/start.api.sh", environment=ELSEWHERE)
    bare.add([made[0].replace("\ttrue\t", "\tfalse\t"), *made[1:]])
    facts = observe(bare)
    assert facts.elsewhere == {"db": "", "redis": ""} and facts.database is None and facts.redis is None


@ONE_SHELL
def test_a_cache_beside_lago_is_not_the_redis_of_its_jobs(bare):
    bare.add(rows("api", LAGO, "./scripts/start.api.sh", environment=ELSEWHERE))
    bare.add(rows("cache", REDIS, "redis-server", networks={"production_default": ["cache"]}))
    (bare.folder / "exec").write_text("echo '{}'\n")
    facts = observe(bare)
    assert facts.elsewhere["redis"] == "api"
    lines = [line for line in (bare.folder / "given").read_text().splitlines() if line.startswith("exec ")]
    assert not [line for line in lines if "redis-cli" in line], "no password for the cache"


@ONE_SHELL
def test_sentinels_name_a_redis_elsewhere(bare):
    environment = {"LAGO_REDIS_SIDEKIQ_SENTINELS": "one:26379,two:26379"}
    bare.add(rows("api", LAGO, "./scripts/start.api.sh", environment=environment))
    bare.add(rows("redis", REDIS, "redis-server", networks={"production_default": ["redis"]}))
    assert observe(bare).elsewhere == {"redis": "api"}


@ONE_SHELL
def test_a_database_beside_lago_is_asked_in_its_own_container(bare):
    environment = {"DATABASE_URL": URL}
    bare.add(
        rows("api", LAGO, "./scripts/start.api.sh", environment=environment, networks={"n": ["api"]})
        + rows("db1", POSTGRES, "x", environment={"POSTGRES_PASSWORD": PASSWORD}, networks={"n": ["db"]})
    )
    assert observe(bare).elsewhere == {}


@ONE_SHELL
def test_podmans_program_gets_a_template_that_it_knows(bare):
    """It has no index into its fields, and other names for some."""
    seen = bare.folder / "template"
    bare.program(
        "docker",
        f"""#!/bin/sh
cat >/dev/null
case $1 in
    --version) echo podman version 4.3.1 ;;
    ps) echo api ;;
    inspect) printf '%s' "$5" >{shlex.quote(str(seen))}; cat {shlex.quote(str(bare.folder))}/table ;;
esac
""",
    )
    add(bare, "api", LAGO, "./scripts/start.api.sh", labels={"io.podman.compose.project": "billing"})
    assert observe(bare).project == "billing"
    template = seen.read_text()
    assert "{{.ID}}" in template and ".HostConfig.LogConfig.Path" in template
    assert ".Config.StopTimeout" in template and "with .State.Health" in template
    assert "index .Config" not in template and "index .State" not in template and ".Id" not in template


NO_DOCKER = "#!/bin/sh\necho 'docker: not found' >&2\nexit 127\n"


@ONE_SHELL
def test_what_runs_lago_without_docker_is_named(bare):
    bare.program("docker", NO_DOCKER)
    with pytest.raises(Unreachable, match="has no Docker"):
        observe(bare)
    (bare.tools / "cat").unlink(missing_ok=True)
    bare.program("cat", "#!/bin/sh\ncase $1 in /proc/*) echo k3s-server ;; *) exec /bin/cat ;; esac\n")
    with pytest.raises(Unreachable, match=r"runs Kubernetes \(k3s-server\), and Lago's pods are not judged"):
        observe(bare)

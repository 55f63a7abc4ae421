"""Which of a host's projects is judged; a host without it ends the run, in a sentence that says what there is."""

from __future__ import annotations

import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.model.deployment import Service
from lago_acceptance.targets.which_lago import must_be_there
from tests.support.facts import SETTINGS, container, facts, lago

WANTED = SETTINGS.deployment
START = f"cd {WANTED.directory} && docker compose -f {WANTED.compose_file} --env-file {WANTED.env_file} up -d"
OTHERS = {"billing": "/srv/billing", "test": ""}
POD = container(
    "api",
    project="",
    service=Service(
        name="k8s_api", image="getlago/api:v1", role="api", labels={"io.kubernetes.pod.name": "lago-api-0"}
    ),
)
ALL_IN_ONE = container(
    None, name="billing", project="", service=Service(name="billing", image="getlago/lago:v1.30.0", role=None)
)
STORES = [container("db"), container("redis")]


@pytest.mark.parametrize(
    "seen",
    [
        facts(*lago(), project="lago", lagos={"lago": "/srv/lago"}),
        # All that is left is judged: what is missing is red.
        facts(container("front"), project="lago", lagos={"lago": "/srv/lago"}),
        # Of a reading that did not list the projects.
        facts(container("worker"), project="lago"),
    ],
)
def test_a_project_with_a_container_of_lagos_own_is_judged(seen):
    must_be_there(seen, "h", "lago", WANTED)


@pytest.mark.parametrize(
    ("seen", "named", "words"),
    [
        (
            facts(project="nosuch", lagos=OTHERS),
            "nosuch",
            [
                "no container of Lago on h belongs to the project nosuch;",
                "Lago is there as billing (/srv/billing), test (no folder)",
                "name one of these with --project NAME",
            ],
        ),
        (facts(project="nosuch"), "nosuch", ["project nosuch; give the right host, or start", START]),
        (facts(), "", ["no container of Lago on h belongs to any project;", "right host", START]),
        (
            facts(*STORES, project="lago"),
            "lago",
            ["project lago, which has only lago-db-1, lago-redis-1; start it there:", START],
        ),
        (
            facts(project="lago", volumes=("lago_db", "lagoon_db", "lago_redis")),
            "lago",
            ["project lago, but its volumes exist (lago_db, lago_redis); start it there:", START],
        ),
        (
            facts(volumes=("lago_db", "x")),
            "",
            ["any project, but its volumes exist (lago_db); start it", START],
        ),
        (
            facts(instead={"kubernetes": ["k3s"]}),
            "",
            ["h runs Kubernetes (k3s)", "not judged", "upgrade-path"],
        ),
        (
            facts(instead={"systemd": ["lago-api.service"], "kubernetes": ["kubelet"]}),
            "",
            ["Lago on h is run by systemd (lago-api.service)", "not judged"],
        ),
        (facts(others=(POD,)), "", ["h runs Kubernetes (pods lago-api-0)"]),
        (facts(others=(ALL_IN_ONE,)), "", ["billing on h runs all of Lago in one container", "not judged"]),
        # A project that is named is looked for, whatever else is there.
        (facts(project="x", instead={"kubernetes": ["k3s"]}), "x", ["belongs to the project x;"]),
        (facts(lagos=OTHERS), "", ["2 Lago stacks are on h: billing (/srv/billing)", "--project NAME"]),
        (
            facts(project="x", lagos={f"p{each}": "/p" for each in range(9)}),
            "x",
            ["p4 (/p) and 4 more: name one"],
        ),
    ],
)
def test_a_host_without_it_ends_the_run_with_what_there_is_and_what_to_type(seen, named, words):
    with pytest.raises(Unreachable) as ended:
        must_be_there(seen, "h", named, WANTED)
    said = str(ended.value)
    assert [each for each in words if each not in said] == [], said
    assert "\n" not in said

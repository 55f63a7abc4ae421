"""A settings file made from what a deployment says of itself, and what contradicts itself there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.loader import load as read
from lago_acceptance.core.settings import Deployment, Limits, Settings, load
from lago_acceptance.lago import settings_file
from lago_acceptance.lago.contradictions import contradictions
from lago_acceptance.lago.derived import derived
from lago_acceptance.model.deployment import Model, Service
from tests.support.paths import DATA

API, FRONT = "getlago/api:v1.20.0", "getlago/front:v1.20.0"
LABELS = "com.docker.compose.project."
URLS = {"LAGO_FRONT_URL": "https://bill.acme.io", "LAGO_API_URL": "https://bill-api.acme.io"}


def api(name: str = "api", labels: dict[str, str] | None = None, **more: object) -> Service:
    return Service(name=name, image=API, role="api", labels=labels or {}, **{"environment": URLS, **more})


def front(name: str = "web", labels: dict[str, str] | None = None, **variables: str) -> Service:
    return Service(name=name, image=FRONT, role="front", labels=labels or {}, environment=variables)


def routed(name: str) -> dict[str, str]:
    return {"traefik.http.routers.r.rule": f"Host(`{name}`)"}


def of(*services: Service, observed: bool = False) -> Model:
    return Model(observed=observed, project="lago", services=services)


def text(model: Model, given: Settings | None = None, *, everything: bool = False) -> str:
    given = given or Settings()
    against = contradictions(model, given, "mine.toml")
    return settings_file.text(
        derived(model, given),
        against,
        of="compose.yml",
        source="mine.toml",
        placed=lambda said: f"compose.yml:{len(said.at)}" if said.at else "",
        everything=everything,
    )


def loaded(tmp_path: Path, made: str) -> Settings:
    file = tmp_path / "settings.toml"
    file.write_text(made)
    return load(file)


def entries(model: Model, given: Settings | None = None) -> list[str]:
    return [each.entry for each in contradictions(model, given or Settings(), "mine.toml")]


@pytest.mark.parametrize("everything", [False, True])
def test_it_can_be_used_as_it_is_and_says_what_was_derived(everything, tmp_path):
    model = of(api(labels=routed("bill-api.acme.io")), front(API_URL="https://bill-api.acme.io"))
    made = text(model, everything=everything)
    assert 'front = "https://bill.acme.io"  # LAGO_FRONT_URL of api (compose.yml:4)\n' in made
    own = loaded(tmp_path, made)
    assert (own.hosts, own.edge, own.deployment) == (
        derived(model, Settings()).settings.hosts,
        derived(model, Settings()).settings.edge,
        derived(model, Settings()).settings.deployment,
    )
    assert own.limits == Limits()
    assert ("# queue_age = 60  # default" in made) is everything
    assert "contradiction" not in made


def test_a_whole_settings_file_comes_back_as_it_was(tmp_path):
    given = load(DATA / "settings.toml")
    model = of(api(environment={}), front())
    assert loaded(tmp_path, text(model, given)).hosts == given.hosts
    more = given.__class__(limits=Limits(queue_age=90, free_swap=2.5), schema=given.schema)
    made = text(model, more)
    assert "queue_age = 90  # mine.toml" in made
    assert loaded(tmp_path, made).limits == more.limits and loaded(tmp_path, made).schema == given.schema


def test_what_nothing_says_is_a_comment_with_what_to_write(tmp_path):
    made = text(of(api(environment={"LAGO_FRONT_URL": "https://given-at-deploy-x/"})))
    for entry in ("directory", "env_file", "front", "api", "gateway"):
        (line,) = (line for line in made.splitlines() if line.startswith(f"# {entry} = "))
        assert line.count("#") == 2, line
    assert "has a variable that only the deploy knows" in made
    assert loaded(tmp_path, made).hosts.front == ""


@pytest.mark.parametrize("name", ["bill_ing.acme.io", "b\n[limits]\nqueue_age = 0", 'b"c', "\x7f\u202e"])
def test_what_no_settings_file_may_have_is_a_comment(name, tmp_path):
    made = text(of(api(environment={"LAGO_FRONT_URL": f"https://{name}"}, labels=routed(name))))
    assert loaded(tmp_path, made).hosts.front == "" and loaded(tmp_path, made).limits == Limits()


def test_a_secret_is_not_printed(tmp_path):
    urls = {"LAGO_FRONT_URL": "https://user:s3cret-pass@bill.acme.io"}
    assert "s3cret" not in text(of(api(environment=urls)))


# --- what runs on a host ---


def container(**labels: str) -> Service:
    return api(labels={LABELS + name: value for name, value in labels.items()}, container_name="lago-api-1")


def test_a_host_says_where_compose_was_started(tmp_path):
    seen = container(
        working_dir="/srv/lago", config_files="/srv/lago/compose.yml", environment_file="/srv/lago/prod.env"
    )
    made = text(of(seen, observed=True))
    assert loaded(tmp_path, made).deployment == Deployment("/srv/lago", "compose.yml", "prod.env", "v1.20.0")
    assert "# LAGO_FRONT_URL of container lago-api-1" in made


def test_without_a_label_compose_reads_its_own_env_file():
    seen = container(working_dir="/srv/lago", config_files="compose.yml")
    found = derived(of(seen, observed=True), Settings()).settings.deployment
    assert (found.compose_file, found.env_file) == ("compose.yml", ".env")


def test_of_several_compose_files_none_is_taken():
    seen = container(working_dir="/srv/lago", config_files="/srv/lago/a.yml,/srv/lago/b.yml")
    found = derived(of(seen, observed=True), Settings())
    assert found.settings.deployment.compose_file == ""
    (why,) = (each.why for each in found.unclear if each.entry == "deployment.compose_file")
    assert "a.yml, b.yml: write the one to deploy" in why


def test_a_file_does_not_say_where_it_lies():
    seen = container(working_dir="/srv/lago", config_files="/srv/lago/compose.yml")
    assert derived(of(seen), Settings()).settings.deployment.directory == ""


# --- contradictions ---


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"hosts": {"front": "bill.acme.io"}}, []),
        ({"hosts": {"front": "https://bill.acme.io"}}, []),
        ({"hosts": {"front": "http://bill.acme.io"}}, ["hosts.front"]),
        ({"hosts": {"front": "other.acme.io", "api": "bill-api.acme.io"}}, ["hosts.front"]),
        ({"deployment": {"version": "v1.21.0"}}, ["deployment.version"]),
        ({"edge": {"proxy": "caddy"}}, []),
    ],
)
def test_a_settings_file_against_the_deployment(given, found):
    import msgspec

    settings = msgspec.convert(given, Settings)
    assert entries(of(api(), front()), settings) == found


def test_both_sources_are_said():
    settings = Settings(deployment=Deployment(version="v1.21.0"))
    made = text(of(api(), front()), settings)
    assert "contradiction: mine.toml says v1.21.0, and the image of api (compose.yml:3) says v1.20.0" in made


def test_a_variable_against_the_router():
    model = of(api(), front(labels=routed("other.acme.io")))
    assert entries(model) == ["hosts.front"]
    (found,) = contradictions(model, Settings(), "mine.toml")
    assert (found.first.value, found.second.value) == ("other.acme.io", "https://bill.acme.io")
    assert entries(of(api(), front(labels=routed("bill.acme.io")))) == []


def test_two_apis_and_two_fronts():
    other = {**URLS, "LAGO_API_URL": "https://second.acme.io"}
    assert entries(of(api(), api("api2", environment=other), front())) == ["hosts.api"]
    assert entries(of(api(), api("api2", environment={}), front())) == ["hosts.api"]
    assert entries(of(api(), front(), front("web2"))) == ["hosts.front"]
    first, second = (front(name, API_URL=f"https://{name}.acme.io") for name in ("web", "web2"))
    assert entries(of(api(), first, second)) == ["hosts.front", "hosts.browser_api"]


def test_replicas_and_what_is_not_started_are_no_second_one():
    assert entries(of(api(), api("api2"), front())) == []
    assert (
        entries(of(api(container_name="api-1"), api(container_name="api-2", environment={}), observed=True))
        == []
    )
    assert entries(of(api(), api("api2", environment={}, replicas=0), front())) == []


def test_the_shipped_file_contradicts_nothing():
    model = read(Path("compose/docker-compose.lago.yml"), None).model
    assert entries(model, load(Path("settings.toml"))) == []

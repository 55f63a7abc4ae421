"""Services whose variables come from elsewhere."""

import pytest

from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.unseen_environment import unseen_notes, with_unseen_environments
from lago_acceptance.model.deployment import Model, Mount, Service


def judged(*services: Service, **files: str) -> Model:
    return with_unseen_environments(Model(observed=False, project="lago", services=services, files=files))


def api(*command: str, **other) -> Service:
    return Service(name="api", image="getlago/api:v1.16.0", role="api", command=command, **other)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("doppler", "run", "--", "./scripts/start.api.sh"), "from doppler"),
        (("sh", "-c", "exec /usr/bin/op run -- ./scripts/start.api.sh"), "from op"),
        (("sh", "-c", ". /run/secrets/env; ./scripts/start.api.sh"), "its command reads /run/secrets/env"),
        (("sh", "-c", 'eval "$(cat /x)"; ./scripts/start.api.sh'), "its command runs eval"),
        (("./scripts/start.api.sh",), ""),
        (("sh", "-c", ". ./scripts/start.api.sh"), ""),
    ],
)
def test_why_variables_may_come_from_elsewhere(command, why):
    (service,) = judged(api(*command, environment={"REDIS_URL": "redis://redis"})).services
    assert service.environment_elsewhere == why
    assert unknown(service.value("DATABASE_URL")) is bool(why)
    assert service.value("REDIS_URL") == "redis://redis"


def test_a_mounted_script_that_is_not_here_may_set_anything():
    mount = Mount("bind", "/srv/enter.sh", "/enter.sh")
    (service,) = judged(api("/enter.sh", mounts=(mount,))).services
    assert service.environment_elsewhere == "its script enter.sh is not read here"


def test_what_a_command_sets_is_in_its_environment():
    text = "export DATABASE_URL=postgres://db/lago SECRET_KEY_BASE=$(curl http://config/base); ./scripts/start.api.sh"
    (service,) = judged(api("sh", "-c", text, environment={"SECRET_KEY_BASE": ""})).services
    assert service.value("DATABASE_URL") == "postgres://db/lago"
    assert unknown(service.value("SECRET_KEY_BASE"))
    assert not service.value("REDIS_URL")


def test_one_note_for_each_reason():
    first = api("doppler", "run", "--", "./scripts/start.api.sh")
    model = judged(first, Service(name="front", image="getlago/front", role="front"), first)
    assert list(unseen_notes(model)) == [
        "not checked: missing variables of api, api, which may get them elsewhere (from doppler)"
    ]

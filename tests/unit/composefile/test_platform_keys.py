"""Keys that only a deploy platform knows."""

import pytest

from lago_acceptance.composefile.platform_keys import Refusal, platform_keys, platform_of, refused_keys


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [
        ("validating /x/a.yml: additional properties 'foo' not allowed", Refusal((), ("foo",))),
        (
            "validating /x/a.yml: services.api.volumes.0 additional properties 'content', 'is_directory' not allowed",
            Refusal(("services", "api", "volumes", 0), ("content", "is_directory")),
        ),
        (
            "validating a.yml: services.api.exclude_from_hc false schema",
            Refusal(("services", "api"), ("exclude_from_hc",)),
        ),
        (
            'service "app_proxy" has neither an image nor a build context specified',
            Refusal(("services",), ("app_proxy",)),
        ),
        ("services.api.ports must be a array", None),
    ],
)
def test_compose_names_the_keys_that_it_does_not_know(reason, refusal):
    assert refused_keys(reason) == refusal


@pytest.mark.parametrize(
    ("place", "key", "platform"),
    [
        (("services", "api"), "exclude_from_hc", "Coolify"),
        (("services", "api", "volumes", 0), "isDirectory", "Coolify"),
        ((), "captainVersion", "CapRover"),
        (("services", "api"), "dokploy-backup", "Dokploy"),
        ((), "exclude_from_hc", ""),
        (("services", "api"), "restart_policy", ""),
        (("services", "api", "deploy"), "content", ""),
    ],
)
def test_a_key_belongs_to_a_platform_where_it_knows_it(place, key, platform):
    assert platform_of(place, key) == platform


def test_the_keys_of_a_file():
    document = {
        "services": {
            "api": {"exclude_from_hc": "true", "volumes": ["a:/a", {"content": "x"}], "image": "x"},
            "broken": "text",
        },
        "volumes": None,
        "coolify": {},
    }
    assert set(platform_keys(document)) == {
        Refusal((), ("coolify",)),
        Refusal(("services", "api"), ("exclude_from_hc",)),
        Refusal(("services", "api", "volumes", 1), ("content",)),
    }

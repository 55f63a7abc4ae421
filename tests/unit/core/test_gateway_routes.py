"""Routes of a gateway in a settings file."""

from __future__ import annotations

import pytest

from lago_acceptance.core import settings
from lago_acceptance.core.gateway_routes import Route, route
from lago_acceptance.core.verdicts import UsageError


def load(tmp_path, text: str) -> settings.Settings:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return settings.load(file)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GET /v1/plans", Route("GET", "/v1/plans")),
        ("POST /v1/{tenant}/buy plan={plan}", Route("POST", "/v1/{tenant}/buy", {"plan": "{plan}"})),
        ("POST /buy a={plan} b=x=y", Route("POST", "/buy", {"a": "{plan}", "b": "x=y"})),
        ("PUT /buy?plan={plan}&x=1", Route("PUT", "/buy", {}, {"plan": "{plan}", "x": "1"})),
        ("GET /v1/plans?a=b", Route("GET", "/v1/plans", {}, {"a": "b"})),
        ("", None),
        ("/v1/plans", None),
        ("get /v1/plans", None),
        ("DELETE /v1/plans", None),
        ("GET v1/plans", None),
        ("GET https://x/v1", None),
        ("GET /v1/plans?a=b?c", None),
        ("POST /buy {plan}", None),
        ("POST /buy plan={pla}", None),
        ("POST /buy  plan={plan}", None),
        ("GET /a\nGET /b", None),
    ],
)
def test_what_a_route_is(text, found):
    assert route(text) == found


def test_routes_alone_need_no_place_of_the_key(tmp_path):
    own = load(tmp_path, '[gateway.routes]\nsubscribe = "POST /v1/buy plan={plan}"\n')
    assert own.gateway and own.gateway.routes and own.key_place is None
    both = load(
        tmp_path, '[gateway]\nenv_file = "/a"\nvariable = "KEY"\n[gateway.routes]\nplans = "GET /p"\n'
    )
    assert both.key_place == both.gateway


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gateway.routes]\n", "gateway.routes names no route"),
        (
            '[gateway.routes]\nplans = "/v1/plans"\n',
            "gateway.routes.plans is '/v1/plans': write method, path",
        ),
        ('[gateway.routes]\nplans = "POST /v1/plans"\n', "its method must be GET"),
        ('[gateway.routes]\nsubscribe = "GET /v1/plans"\n', "its method must be POST, PUT or PATCH"),
        ('[gateway.routes]\nbuy = "POST /v1"\n', "there is no entry 'buy'"),
        ("[gateway]\n", "gateway.env_file is ''"),
        ('[gateway]\nvariable = "KEY"\n[gateway.routes]\nplans = "GET /p"\n', "gateway.env_file is ''"),
        ('[plans]\nfile = ""\n', "plans.file is empty"),
        ("[plans]\n", "file is missing in [plans]"),
    ],
)
def test_what_can_not_be_meant(text, said, tmp_path):
    with pytest.raises(UsageError) as raised:
        load(tmp_path, text)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_catalogue_is_named_from_the_settings_file(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    own = load(tmp_path, '[plans]\nfile = "my-plans.yml"\n')
    assert own.plans and own.plans.file == str(tmp_path / "my-plans.yml")

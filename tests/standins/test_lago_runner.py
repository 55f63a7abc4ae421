"""`rails runner` of the stand-in does what a deployment's tools ask of Lago 1.16.0, and fails as Ruby does otherwise."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.support.standin.containers import world
from tests.support.standin.stack import API_KEY, PASSWORD, Stack

pytestmark = [pytest.mark.docker]

LOGIN = "mutation($input: LoginUserInput!){loginUser(input:$input){token}}"


@pytest.fixture(scope="module")
def lago() -> Iterator[Stack]:
    with world() as made:
        stack = Stack(made)
        stack.start()
        yield stack


def run(lago: Stack, code: str) -> tuple[int, str]:
    """How code from standard input ends, and what it prints."""
    return lago.execute("api", f"bin/rails runner - <<'RUBY'\n{code}\nRUBY")


def printed(lago: Stack, code: str) -> str:
    status, output = run(lago, code)
    assert status == 0, output
    return output.strip()


def status(lago: Stack, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{lago.url()}/api/v1/organizations"
    return httpx.get(url, headers=headers, timeout=30, trust_env=False).status_code


def test_code_is_taken_from_an_argument_and_from_standard_input(lago):
    assert lago.execute("api", "bin/rails runner 'puts Organization.count'") == (0, "1\n")
    assert printed(lago, "puts Organization.first.name") == "Acceptance"


def test_sql_gives_rows_with_numbers_and_booleans(lago):
    rows = printed(
        lago,
        "puts ActiveRecord::Base.connection.execute(\"SELECT 7 AS n, true AS b, 'x' AS t\").to_a.inspect",
    )
    assert rows == '[{"n"=>7, "b"=>true, "t"=>"x"}]'


@pytest.mark.parametrize(
    "code",
    [
        "Organization.find_by(name: 'Acceptance')",
        "Organization.find_by(id: Organization.first.id)",
        "Organization.order(:created_at).first",
        "Organization.all.to_a[0]",
    ],
)
def test_an_organization_is_found(lago, code):
    assert printed(lago, f"puts ({code}).api_keys.pluck(:value)") == API_KEY


def test_an_unknown_organization_is_nil(lago):
    assert printed(lago, "p Organization.find_by(name: 'of nobody')") == "nil"


@pytest.mark.parametrize(
    "create",
    [
        "ApiKey.create!(organization: organization, name: 'next')",
        "organization.api_keys.create!(name: 'next')",
    ],
)
def test_a_new_key_works_beside_the_old_one_until_it_expires(lago, create):
    made = json.loads(
        printed(
            lago,
            "require 'json'; organization = Organization.first\n"
            f"key = {create}\nputs JSON.generate([key.id, key.value, key.name, key.expires_at.inspect])",
        )
    )
    assert made[2:] == ["next", "nil"]
    assert (status(lago, made[1]), status(lago, API_KEY)) == (200, 200)
    assert printed(lago, f"p ApiKey.find('{made[0]}').update!(expires_at: Time.current)") == "true"
    assert (status(lago, made[1]), status(lago, API_KEY)) == (401, 200)
    assert printed(lago, f"p ApiKey.where(id: '{made[0]}').count") == "0"
    assert printed(lago, f"p ApiKey.unscoped.where(id: '{made[0]}').count") == "1"


def test_a_new_keys_value_is_lagos_own(lago):
    wanted = secrets.token_hex(16)
    value = printed(lago, f"puts ApiKey.create!(organization: Organization.first, value: '{wanted}').value")
    assert wanted not in value
    assert status(lago, value) == 200


def test_an_administrators_password_is_set_anew(lago):
    def logs_in(password: str) -> bool:
        wanted = {
            "query": LOGIN,
            "variables": {"input": {"email": "admin@example.test", "password": password}},
        }
        answer = httpx.post(f"{lago.url()}/graphql", json=wanted, timeout=30, trust_env=False)
        return answer.json().get("data") not in (None, {"loginUser": None})

    new = secrets.token_hex(8)
    assert logs_in(PASSWORD)
    printed(lago, f"user = User.find_by(email: 'admin@example.test'); user.password = '{new}'; user.save!")
    assert logs_in(new)
    assert not logs_in(PASSWORD)


@pytest.mark.parametrize(
    "code, error",
    [
        ("Customer.count", "uninitialized constant Customer"),
        ("Organization.first.wallets", "undefined method `wallets'"),
        ("ApiKey.create!(organisation: 1)", "unknown attribute 'organisation' for ApiKey"),
        ("ApiKey.create!(name: 'x')", "Validation failed: Organization must exist"),
        ("ActiveRecord::Base.connection.execute('SELECT 1 FROM nowhere')", "PG::UndefinedTable"),
        ("Organization.find('00000000-0000-4000-8000-000000000000')", "Couldn't find Organization"),
        ("User.first.update!(password: 'x' * 73)", "Password is too long"),
        ("puts (", "syntax error"),
    ],
)
def test_what_is_unknown_or_wrong_fails_as_ruby_does(lago, code, error):
    ended, output = run(lago, code)
    assert (ended, error in output) == (1, True), output


def test_an_unknown_name_in_an_argument_gets_rails_own_help(lago):
    ended, output = lago.execute("api", "bin/rails runner 'Customer.count'")
    assert ended == 1
    assert "Please specify a valid ruby command or the path of a script to run." in output

"""The shapes of values and the names of secrets: in Python and in the script that masks a host, from one table."""

from __future__ import annotations

import base64
import json
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lago_acceptance.core import urls, value_shapes
from lago_acceptance.core.secrets import masked_part
from lago_acceptance.core.value_shapes import given_later, shape, sounds_secret, unknown
from lago_acceptance.facts.scripts import render

HEADER, FOOTER = (f"-----{word} RSA PRIVATE KEY-----" for word in ("BEGIN", "END"))
PEM = f"{HEADER}\nMIIEowIBAAKCAQEA\n{FOOTER}\n"
BASE64 = base64.b64encode(PEM.encode()).decode()
TWICE = base64.b64encode(BASE64.encode()).decode()

VALUES = {
    "empty": ["", " ", '""', "''", "\n", ' " '],
    "pem": [PEM, PEM.strip(), PEM.replace("\n", "\r\n"), f'"{PEM}"', PEM.replace("RSA ", "ENCRYPTED ")],
    "pem-mangled": [
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", " "),
        PEM.replace("\n", ""),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", "\t"),
        f'"{PEM}"'.replace("\n", "\\n"),
        HEADER,
    ],
    "pem-public": ["-----BEGIN PUBLIC KEY-----\nMIIB\n", "-----BEGIN RSA PUBLIC KEY-----\\nMIIB"],
    "pem-other": ["-----BEGIN CERTIFICATE-----\\nMIIB"],
    "base64-public": ["LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0K"],
    "base64": [
        BASE64,
        f'"{BASE64}"',
        f"'{BASE64}'",
        f"\n {BASE64}",
        BASE64[:40] + "\n" + BASE64[40:],
        f"{BASE64}\\\nx",
    ],
    "base64-mangled": [BASE64[:40] + "\\n" + BASE64[40:], f'"{BASE64}\\n"', f"{BASE64}\\\\n"],
    "base64-twice": [TWICE, f'"{TWICE}"'],
    "der": ["MIIEowIBAAKCAQEAtest"],
    "unexpanded": ["${SECRET_KEY_BASE}", "$(openssl rand -hex 64)", "prefix-${A:-b}"],
    "placeholder": [
        "generate-with-openssl-rand-hex-64",
        "change_this_please",
        "change.me",
        "ChangeMe",
        "CHANGE-ME-NOW",
        "****",
        "<your key>",
        "your-secret-key-base-hex-64",
        "yourpassword",
        "YourSecret",
        "REPLACE_WITH_KEY",
        "an-example",
        "TODO",
        "xxxxxxxx",
        "insert key",
        "some_secret",
        "put-it-here",
        "secret-here",
        "a-key-goes-here\n",
        "dummy",
        "to-be-set",
        "a/placeholder/with/slashes",
    ],
    "default": [
        "lago",
        "lago123!",
        "billing_prod",
        "postgres",
        "Postgres",
        "lago_password",
        "changeit",
        "MySecretPassword",
        "my-super-secret-password",
        "admin2024",
        "123456",
        "1234567890",
        "lago-123456abc",
        "123456abc-lago",
        "qwerty",
        "password@1",
    ],
    "plain": [
        "k3j9x0q2",
        "awesome-output-center",
        "correct horse battery",
        "lago-billing-prod-db-password-of-ours",
        "lago12345",
        "billing_prod\n",
        "5ec5ec5ec5ec5ec5",
        "s%{x}",
        "a$b",
        "there",
        "12345",
        "back\\slash",
        'quo"te',
        "grüße",
        "schlüssel\u212a",
        "$$",
        "TFMwdExTMUNSVWRKVA",
    ],
}
SHAPES = [(value, name) for name, values in VALUES.items() for value in values]
SECRET_NAMES = [
    "SECRET_KEY_BASE",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    "POSTGRES_PASSWORD",
    "db_password",
    "SmtpPass",
    "SMTP_PASSPHRASE",
    "PASS_1",
    "LAGO_LICENSE",
    "SENTRY_DSN",
    "GCP_CREDENTIALS",
    "VAULT_DEV_ROOT_TOKEN_ID",
    "VAULT_SECRET_ID",
    "LAGO_AWS_S3_ACCESS_KEY_ID",
    "PASSWORD_USER",
    "KEYCLOAK_CLIENT_SECRET",
    "KEYCLOAK_ADMIN_PASSWORD",
    "PUBLIC_CLIENT_SECRET",
    "NEXT_PUBLIC_CLERK_SECRET_KEY",
    "PASSENGER_KEY",
    "smtp_password",
    "DB_PWD",
    "PWD_OF_THE_DATABASE",
    "WEBHOOK_HMAC",
    "HMAC_DIGEST",
    "GATEWAY_JWT",
    "BASIC_AUTH",
    "REDIS_AUTH",
    "redis.auth",
    "masterauth",
    "traefik.http.middlewares.admin.basicauth.users",
    "HTPASSWD",
    "SMTP_PASSWD",
    "GITHUB_PAT",
    "DB_PW",
    "RABBITMQ_ERLANG_COOKIE",
    "REQUEST_SIGNATURE",
    "GIT_CREDS",
    "AZURE_CONNECTION_STRING",
]
OTHER_NAMES = [
    "POSTGRES_USER",
    "DATABASE_NAME",
    "POSTGRES_PASSWORD_FILE",
    "LAGO_LICENSE_URL",
    "LAGO_RSA_PRIVATE_KEY_PATH",
    "KEY_DIR",
    "TOKEN_HOST",
    "SECRET_NAME",
    "TOKEN_TTL",
    "JWT_KEY_ALGORITHM",
    "TOKEN_EXPIRY",
    "JWT_SECRET_EXPIRES_IN",
    "TOKEN_MINUTES",
    "api_key_file",
    "KEYCLOAK_REALM",
    "KEYCLOAK_CLIENT_ID",
    "KEYCLOAK_USER",
    "CASSANDRA_KEYSPACE",
    "KAFKA_PARTITION_KEY",
    "MAX_TOKENS",
    "TOKENS_PER_MINUTE",
    "token_per_second",
    "STRIPE_PUBLIC_KEY",
    "STRIPE_PUBLISHABLE_KEY",
    "NEXT_PUBLIC_POSTHOG_PROJECT_KEY",
    "JWT_KEY_ID",
    "BYPASS_CACHE",
    "PWD",
    "OLDPWD",
    "AUTHOR",
    "AUTHENTICATION_METHOD",
    "OAUTH_ISSUER",
    "POSTGRES_HOST_AUTH_METHOD",
    "SMTP_AUTH",
    "ENABLE_AUTH",
    "REQUIRE_CLIENT_AUTH",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "HMAC_ALGORITHM",
    "COOKIE_DOMAIN",
    "SESSION_COOKIE_SECURE",
    "SIGNATURE_ALGORITHM",
    "PATH",
    "SPATIAL_REFERENCE",
    "COMPAT",
    "traefik.http.services.api.loadbalancer.passhostheader",
]
PAIRS = [(name, value) for name in SECRET_NAMES + OTHER_NAMES for value, _ in SHAPES]
# What random values are made of: any printable character, and words that shapes are found by.
WORDS = sorted(
    {word for value, _ in SHAPES for word in re.findall(r"[A-Za-z]+|[^A-Za-z]+", value) if len(word) < 20}
)
PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
RANDOM_VALUES = st.lists(
    st.one_of(
        st.text(PRINTABLE),
        st.lists(st.one_of(st.sampled_from(WORDS), st.text(PRINTABLE, max_size=2))).map("".join),
    ),
    min_size=1,
    max_size=200,
)


def escaped(value: str) -> str:
    """As Docker and Compose write a value into a string."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def assert_masked_as_judged(name: str, value: str, told: str) -> None:
    """What a host reports of a variable: as it is, or masked with the shape that the value has here."""
    has_key = re.search("-----BEGIN |LS0tLS1CRUdJTi|TFMwdExTMUNSVWRKVG", value)
    if value and (sounds_secret(name) or has_key):
        assert (told, shape(told)) == (masked_part(told), shape(value)), (name, value)
    else:
        assert told == value, name


@pytest.mark.parametrize(("value", "expected"), SHAPES)
def test_a_value_has_its_shape(value, expected):
    assert shape(value) == expected


def test_awk_finds_the_same_shapes(run_awk):
    told = run_awk(render.values_as_awk() + "{ print shape($0) }", [escaped(value) for value, _ in SHAPES])
    assert list(zip((value for value, _ in SHAPES), told, strict=True)) == SHAPES


def test_a_name_of_a_secret_is_recognized_and_no_other():
    assert [name for name in SECRET_NAMES if not sounds_secret(name)] == []
    assert [name for name in OTHER_NAMES if sounds_secret(name)] == []


def test_awk_recognizes_the_same_names(run_awk):
    names = SECRET_NAMES + OTHER_NAMES
    told = run_awk(render.values_as_awk() + "{ print sounds_secret($0) }", names)
    assert dict(zip(names, told, strict=True)) == {name: str(int(sounds_secret(name))) for name in names}


def test_a_host_reports_what_is_observed_as_it_is_judged_here(run_awk):
    lines = [f'E\town\t"{escaped(f"{name}={value}")}"' for name, value in PAIRS]
    told = run_awk(render.script("mask.awk"), lines, scope=" own ")
    for (name, value), line in zip(PAIRS, told, strict=True):
        begin = f"environment E\town\t{name}\t"
        assert line.startswith(begin)
        assert_masked_as_judged(name, value, json.loads(f'"{line.removeprefix(begin)}"'))


@pytest.mark.parametrize("name", ["SECRET_KEY_BASE", "POSTGRES_USER"])
def test_a_host_reports_what_is_declared_as_what_is_observed(run_awk, name):
    """Compose escapes more than Docker does, and doubles dollar signs: equal values have equal masks all the same."""
    values = [value for value, _ in SHAPES] + [
        "$$",
        "a$b<c>&d",
        "postgres://lago:a$b<c>&d@db/lago?x=$$&y=<1>",
    ]
    observed = [f'E\town\t"{escaped(f"{name}={value}")}"' for value in values]
    more = str.maketrans({"$": "$$", "<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})
    declared = [f'  "{name}": "{escaped(value).translate(more)}",' for value in values]
    told = run_awk(render.script("mask.awk"), [*observed, "declaration", *declared], scope=" own ")
    texts = [json.loads(f'"{line.split(chr(9), 3)[3]}"') for line in told[: len(values)]]
    begin = f'environment D\t  "{name}": '
    assert all(line.startswith(begin) for line in told[len(values) :])
    others = [json.loads(line.removeprefix(begin).removesuffix(",")) for line in told[len(values) :]]
    assert [other.replace("$$", "$") for other in others] == texts


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=RANDOM_VALUES)
def test_random_values_have_the_same_shape_on_both_sides(run_awk, values):
    told = run_awk(render.values_as_awk() + "{ print shape($0) }", [escaped(value) for value in values])
    assert told == [shape(value) for value in values]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(
        st.lists(
            st.sampled_from(
                [*re.findall("[a-z]+", value_shapes.SECRET_WORDS + value_shapes.HARMLESS_PHRASES), *"_aB1"]
            )
        )
        .map("".join)
        .filter(bool),
        min_size=1,
        max_size=200,
    )
)
def test_random_names_sound_alike_on_both_sides(run_awk, names):
    told = run_awk(render.values_as_awk() + "{ print sounds_secret($0) }", names)
    assert told == [str(int(sounds_secret(name))) for name in names]


def test_no_value_takes_long(run_awk):
    """Repeats inside of repeats took a minute for a value of 1,200 characters."""
    values = [
        "123456" * 200 + "~",
        "my123456_" * 300 + "~",
        "password" * 300 + "~",
        "<" * 2000,
        "lago-" * 500,
    ]
    started = sum(os.times()[:4])
    assert [shape(value) for value in values] == ["plain"] * len(values)
    assert run_awk(render.values_as_awk() + "{ print shape($0) }", values) == ["plain"] * len(values)
    assert sum(os.times()[:4]) - started < 5


def test_what_is_given_later_is_unknown_and_a_mask_carries_its_shape():
    assert given_later("SECRET_KEY_BASE") == "given-at-deploy-secret-key-base"
    assert (
        unknown(f"postgres://lago:{given_later('DB_PASSWORD')}@db")
        and not unknown("plain")
        and not unknown(None)
    )
    assert shape(given_later("SECRET_KEY_BASE")) == "unknown"
    assert shape("postgres://lago:<secret:3:default:4>@db/lago") == "default"
    assert shape(None) == "empty"


def test_expressions_are_such_that_every_awk_understands():
    """mawk takes intervals literally, and none knows Python's classes, lookarounds and lazy repeats."""
    expressions = [text for each in value_shapes.SHAPES for text in each.expressions]
    expressions += [value_shapes.SECRET_WORDS, value_shapes.HARMLESS_PHRASES, urls.UNESCAPED]
    assert [
        text for text in expressions if re.search(r"\\[A-Za-mo-qs-z]|\(\?|[*+?]\?|[^\[]\{[0-9]", text)
    ] == []

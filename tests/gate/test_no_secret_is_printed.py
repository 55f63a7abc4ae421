"""A secret in any place of a compose file, or of the files beside it, reaches no output; names are left as they are."""

from __future__ import annotations

import secrets
import string

import pytest

from lago_acceptance.composefile.error_messages import without_values
from lago_acceptance.composefile.loader import load
from lago_acceptance.composefile.secret_scan import looks_secret
from lago_acceptance.core.secrets import Redactor, redact
from lago_acceptance.gate.workers import TOO_LONG, TOO_MUCH_WORK
from tests.support import corpus, edits
from tests.support.gate import found, gate, gate_by_pytest
from tests.support.material import material

REFUSED = "compose-invalid"
# Where a secret stands by mistake: the change that puts it there, and the rule that reports the place, if any does.
MISPLACED = {
    "a limit": ("@api memory: 2G => memory: @HERE@", REFUSED),
    "a switch": ("external: true => external: @HERE@", "compose-interpolation-error"),
    "a duration": ("@clock healthcheck:\\n => healthcheck:\\n      interval: @HERE@\\n", REFUSED),
    "a port": ("@db restart: always => restart: always\\n    ports: ['5432:@HERE@']", REFUSED),
    "a part of a port": ("@db restart: always => restart: always\\n    ports: ['5432:5432/@HERE@']", REFUSED),
    "a mount": ("@api - files:/app/storage => - files:/app/storage:ro:@HERE@", REFUSED),
    "a policy": ("@pdf restart: always => restart: always\\n    pull_policy: @HERE@", REFUSED),
    "a host": ("@pdf restart: always => restart: always\\n    extra_hosts: [@HERE@]", REFUSED),
    "a device": ("@pdf restart: always => restart: always\\n    devices: ['/a:/b:r:@HERE@']", REFUSED),
    "a restart policy": ("@api restart: always => restart: @HERE@", None),
    "an image": ("@clock image: getlago/api:v1.16.0 => image: @HERE@", "image-version-drift"),
    "a tag": ("@clock getlago/api:v1.16.0 => getlago/api:@HERE@", "image-version-drift"),
    "a name": ("@pdf restart: always => container_name: @HERE@", "hardcoded-container-name"),
    "a directory": ("@db PGDATA=/data/postgres => PGDATA=@HERE@", "pgdata-not-on-volume"),
    "a user": ("@db POSTGRES_USER=lago => POSTGRES_USER=@HERE@", "db-password-drift"),
    "an entrypoint": ("@api entrypoints=websecure => entrypoints=@HERE@", "unknown-entrypoint"),
    "a resolver": ("@api certresolver=letsencrypt => certresolver=@HERE@", "wrong-certresolver"),
    "a server's port": ("@api server.port=3000 => server.port=@HERE@", "router-wrong-port"),
    "a URL": (
        "LAGO_API_URL=https://billing-api.bizoholic.net => LAGO_API_URL=http://@HERE@",
        "api-url-internal",
    ),
    "a variable": ("RAILS_ENV=production => RAILS_ENV=@HERE@", None),
    "a network": ("@api networks: [default, dokploy-network] => networks: [default, @HERE@]", REFUSED),
}


def made(kind: str) -> str:
    """A secret that was never seen before."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
    return {
        "a service's key": f"sk_live_{secrets.token_hex(12)}",
        "a password": f"Tr0ub4dor-{secrets.token_hex(4)}",
        "letters": letters,
    }[kind]


@pytest.mark.parametrize("kind", ["a service's key", "a password", "letters"])
def test_a_secret_in_the_wrong_place_is_in_no_output(kind, tmp_path):
    # What is but letters can't be told from a name, except where Compose says that it is none.
    places = {
        place: case
        for place, case in MISPLACED.items()
        if kind != "letters" or ((case[1] or "").startswith("compose-") and place != "a network")
    }
    planted = {place: made(kind) for place in places}
    paths = {
        place: edits.write(tmp_path / str(number), "list", (edit.replace("@HERE@", planted[place]),))
        for number, (place, (edit, _)) in enumerate(places.items())
    }
    reports = tmp_path / "reports"
    outputs = ("--alluredir", reports / "allure", "--junitxml", reports / "junit.xml")
    files = [word for path in paths.values() for word in ("--compose-file", path)]
    ended = gate_by_pytest(tmp_path, *files, *outputs, GITHUB_ACTIONS="true")
    written = [ended.stdout, ended.stderr] + [
        each.read_text("utf-8") for each in reports.rglob("*") if each.is_file()
    ]
    assert len(written) > 10
    for place, (_, rule) in places.items():
        told = {each["rule"] for each in found(tmp_path) if each["path"] == str(paths[place])}
        assert rule is None or rule in told, f"{place} was to be reported by {rule}, and was by {told}"
    everything = "\n".join(written).lower()
    assert [place for place, secret in planted.items() if secret.lower() in everything] == []


def test_the_line_that_compose_refuses_is_shown_without_its_value(tmp_path):
    path = edits.write(tmp_path, "list", ("@api memory: 2G => memory: hunter",))
    ended = gate(tmp_path, path)
    line = path.read_text("utf-8").splitlines().index("          memory: hunter") + 1
    assert f"{line} | memory: …\n" in ended.stdout and "hunter" not in ended.stdout, ended.stdout


def test_the_line_of_an_unset_variable_is_shown_as_it_is(tmp_path):
    path = edits.write(tmp_path, "list")
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=1\n", "utf-8")
    ended = gate(tmp_path, path)
    assert "| - SECRET_KEY_BASE=${SECRET_KEY_BASE:?}\n" in ended.stdout, ended.stdout


GIVEN = "".join(
    f"{name}=x\n"
    for name in (
        "SECRET_KEY_BASE",
        "LAGO_RSA_PRIVATE_KEY",
        "POSTGRES_PASSWORD",
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
)


@pytest.mark.parametrize(
    "beside",
    [
        {".env": f"{GIVEN}PORT=@HERE@\n", "use": "ports: ['5432:${PORT}']"},
        {"own.env": "FINE=1\n@HERE@ and more\n", "use": "env_file: own.env"},
        {"own.env": "API_USER=@HERE@\n", "use": "env_file: own.env\n    ports: ['@HERE@']"},
        {".env": f"{GIVEN}API_USER=@HERE@\nBROKEN='@HERE@\n", "use": "ports: ['5432:${API_USER}']"},
        {".env": f"{GIVEN}BROKEN=${{@HERE@\n", "use": "user: a"},
        {"own.env": "BROKEN: '@HERE@ and\n@HERE@ more\n", "use": "env_file: own.env"},
    ],
)
def test_a_secret_of_an_environment_file_is_in_no_output(beside, tmp_path):
    secret = made("letters")
    edit = "@db restart: always => restart: always\\n    " + beside["use"].replace("\n", "\\n")
    path = edits.write(tmp_path, "list", (edit.replace("@HERE@", secret),))
    for name in beside.keys() - {"use"}:
        (tmp_path / name).write_text(beside[name].replace("@HERE@", secret), "utf-8")
    ended = gate(tmp_path, path)
    assert REFUSED in {each["rule"] for each in found(tmp_path)}, ended.stdout
    assert secret not in ended.stdout + ended.stderr + (tmp_path / "reports" / "gate.json").read_text("utf-8")


@pytest.mark.parametrize("file", [".env", "own.env"])
def test_a_secret_that_a_later_line_overrides_is_in_no_output(file, tmp_path):
    secret = made("letters")
    use = "env_file: own.env\\n    " if file == "own.env" else ""
    path = edits.write(
        tmp_path,
        "list",
        (
            f"@db restart: always => {use}restart: always",
            f"@db PGDATA=/data/postgres => PGDATA={secret}",
        ),
    )
    (tmp_path / file).write_text(f"{GIVEN}API_SECRET={secret}\nAPI_SECRET=x\n", "utf-8")
    ended = gate(tmp_path, path)
    assert "pgdata-not-on-volume" in {each["rule"] for each in found(tmp_path)}, ended.stdout
    everything = ended.stdout + ended.stderr + (tmp_path / "reports" / "gate.json").read_text("utf-8")
    assert secret not in everything


@pytest.mark.parametrize("file", [".env", "own.env"])
def test_each_line_of_a_secret_is_in_no_output(file, tmp_path):
    lines = [made("letters") for _ in range(3)]
    use = "env_file: own.env\\n    " if file == "own.env" else ""
    path = edits.write(
        tmp_path,
        "list",
        (
            f"@db restart: always => {use}restart: always",
            f"@db PGDATA=/data/postgres => PGDATA={lines[1]}",
            f"@api entrypoints=websecure => entrypoints={lines[0]}",
            f"@db POSTGRES_USER=lago => POSTGRES_USER={lines[2]}",
        ),
    )
    (tmp_path / file).write_text(
        f'{GIVEN}API_SECRET="{lines[0]}\n{lines[1]}\nA=1"\nOTHER_SECRET: "{lines[2]}" # ours\n', "utf-8"
    )
    ended = gate(tmp_path, path)
    told = {each["rule"] for each in found(tmp_path)}
    assert {"pgdata-not-on-volume", "unknown-entrypoint", "db-password-drift"} <= told, ended.stdout
    everything = ended.stdout + ended.stderr + (tmp_path / "reports" / "gate.json").read_text("utf-8")
    assert [line for line in lines if line in everything] == []


@pytest.mark.parametrize("name", corpus.HEALTHY)
def test_nothing_but_secrets_is_taken_out_of_what_is_told(name, tmp_path, monkeypatch):
    monkeypatch.setattr(Redactor, "shared", Redactor())
    path = edits.write(tmp_path, name)
    load(path, None)
    made = set(material().values())
    text = "\n".join(line for line in path.read_text("utf-8").splitlines() if "://" not in line)
    assert redact(text) == text or any(value in text for value in made)


SECRETS = [
    "hunter2pass",
    "s3cr3t-p4ss",
    "Tr0ub4dor&3x",
    "Summer2024!",
    "passw0rd",
    "password123",
    "MySecretPassword",
    "k3j9x0q2",
    "5ec5ec5ec5ec5ec5",
    "aB3dE5gH7jK9",
]
NAMES = [
    "unless-stopped",
    "v1.16.0",
    "14.15-bookworm",
    "7.4.1-alpine3.20",
    "billing-api.bizoholic.net",
    "LAGO_API_V2",
    "1536m",
    "UTF-8",
    "en_US.UTF-8",
    "k8s-sidecar",
    "e2e-tests",
    "base64",
    "sha256sum",
    "x86_64",
    "amd64",
    "lago-db-data2",
    "postgres14db",
    "websecure",
    "http2",
    "20241119110219",
    "550e8400-e29b-41d4-a716-446655440000",
    "ed25519_key",
    "db_password",
    "POSTGRES_PASSWORD",
    "lago-secrets",
]


def test_secrets_are_told_from_names_by_their_looks():
    assert [word for word in SECRETS if not looks_secret(word)] == []
    assert [word for word in NAMES if looks_secret(word)] == []


REASONS = {
    'service "api" depends on undefined service "cache-2": invalid compose project': None,
    'service "api" refers to undefined network backend: invalid compose project': None,
    "validating compose.yml: services.api.restart must be a string": None,
    "validating compose.yml: services.api.type value must be one of 'bind', 'volume'": None,
    "services.api additional properties 'restart' not allowed": None,
    '\'services[api].restart\' time: unknown unit "sW" in duration "5sWord"': (
        "'services[api].restart' time: unknown unit '…' in duration '…'"
    ),
    "invalid proto: wordword": "invalid proto: …",
    "invalid boolean: wordword": "invalid boolean: …",
    "invalid spec: data:/x:Wordword: too many colons": "invalid spec: …: too many colons",
    'unexpected character "\\n" near "a b\\nKEY=\\"wordword\\"\\n"': ("unexpected character '…' near '…'"),
}


@pytest.mark.parametrize("said", REASONS)
def test_compose_is_quoted_without_values(said):
    text = "services:\n  api:\n    restart: Wordword\n    volumes: ['data:/x:Wordword']\n"
    assert without_values(said, [text]) == (REASONS[said] or said)


def test_thousands_of_secrets_are_learnt_within_seconds(tmp_path):
    lines = "".join(f"API_TOKEN_{number}={secrets.token_hex(24)}\n" for number in range(3900))
    path = edits.write(tmp_path, "list", ("@pdf restart: always => env_file: many.env",))
    (tmp_path / "many.env").write_text(lines, "utf-8")
    ended = gate(tmp_path, path)
    assert TOO_LONG not in ended.stdout and TOO_MUCH_WORK not in ended.stdout
    assert {each["rule"] for each in found(tmp_path)} == {"restart-policy-missing"}, ended.stdout

"""One defect is told once: all its services and lines, errors first, and nothing that only follows from it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from lago_acceptance.lago.release_table import newest
from tests.support import edits
from tests.support.gate import found, gate
from tests.support.paths import DATA

SEVERAL = (
    "@api restart: always => x-a: 1",
    "@worker restart: always => x-a: 1",
    "@db restart: always => privileged: true",
)


@pytest.fixture
def told(tmp_path):
    path = edits.write(tmp_path / "a", "list", SEVERAL)
    return path, gate(tmp_path, path, GITHUB_ACTIONS="true").stdout


def test_services_and_lines_of_one_defect_are_in_one_line(told, tmp_path):
    path, text = told
    [one] = [each for each in found(tmp_path) if each["rule"] == "restart-policy-missing"]
    assert one["services"] == ["db", "api", "worker"] and len({each["line"] for each in one["places"]}) == 3
    lines = ", ".join(str(each["line"]) for each in one["places"])
    assert f"  restart-policy-missing  {path}:{lines} (db, api, worker)\n" in text
    assert (one["service"], one["line"]) == ("db", one["places"][0]["line"])


def test_machines_are_told_once_too(told, tmp_path):
    _, text = told
    sarif = json.loads((tmp_path / "reports" / "gate.sarif").read_text("utf-8"))
    jsonschema.validate(sarif, json.loads((DATA / "schemas" / "sarif-2.1.0-rtm.5.json").read_text("utf-8")))
    [one] = [each for each in sarif["runs"][0]["results"] if each["ruleId"] == "restart-policy-missing"]
    assert len(one["locations"]) == 1 and len(one["relatedLocations"]) == 2
    annotations = [line for line in text.splitlines() if "title=restart-policy-missing::" in line]
    assert len(annotations) == 1 and "(db, api, worker)" in annotations[0]


def test_errors_come_first_and_phases_are_counted(told):
    _, text = told
    assert text.index("\nErrors\n") < text.index("privileged-container") < text.index("\nWarnings\n")
    assert text.index("\nWarnings\n") < text.index("restart-policy-missing") < text.index("\nNotes\n")
    assert "Phase 2, Services: 1 error, 1 warning\ngate: 1 file, 1 error, 1 warning\n" in text


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals(environment, colored, tmp_path):
    path = edits.write(tmp_path / "a", "list", SEVERAL)
    assert ("\x1b[31;1merror\x1b[0m" in gate(tmp_path, path, **environment).stdout) is colored


def test_the_rules_are_named_where_that_is_asked_for(tmp_path):
    path = edits.write(tmp_path / "a", "list", SEVERAL)
    text = gate(tmp_path, path, "-v").stdout
    assert "\n  restart-policy-missing: 3 places\n" in text and "\n  rsa-env-missing: 0 places\n" in text
    assert "Rules applied" not in gate(tmp_path, path).stdout


ORDINARY = """\
services:
  db:
    image: postgres:15.6
    environment: {{POSTGRES_USER: lago, POSTGRES_PASSWORD: {word}, POSTGRES_DB: lago}}
    networks: [{word}-network]
  api:
    image: getlago/api:v1.16.0
    environment:
      DATABASE_URL: postgres://lago:{word}@db:5432/lago
      SECRET_KEY_BASE: {word}
    networks: [{word}-network]
networks:
  default: {{}}
"""


@pytest.mark.parametrize("word", ["password", "postgres", "changeme", "database"])
def test_an_ordinary_word_is_a_secret_only_where_it_is_one(word, tmp_path):
    path = tmp_path / "compose.yml"
    path.write_text(ORDINARY.format(word=word), "utf-8")
    text = gate(tmp_path, path).stdout
    assert "the database's password is a default or a placeholder" in text
    assert f"refers to undefined network {word}-network" in text
    assert (
        f"POSTGRES_PASSWORD: {word}" not in text
        and f"lago:{word}@" not in text
        and f"BASE: {word}" not in text
    )
    assert "POSTGRES_PASSWORD: <secret>" in text


def test_a_remedy_for_another_deployment_has_none_of_our_names(tmp_path):
    path = tmp_path / "compose.yml"
    path.write_text(ORDINARY.format(word="backend"), "utf-8")
    gate(tmp_path, path)
    text = json.dumps(found(tmp_path))
    assert "billing-api.example.com" in text
    assert not [
        name for name in ("bizoholic", "dokploy", "brain-network", "docker-compose.lago") if name in text
    ]


MIGRATES_ITSELF = """\
x-env: &env
  RAILS_ENV: production
  DATABASE_URL: postgresql://lago:${POSTGRES_PASSWORD:-lago-first}@db:5432/lago
  REDIS_URL: redis://redis:6379
  SECRET_KEY_BASE: ${SECRET_KEY_BASE:-0a1b2c3d4e5f}
  LAGO_RSA_PRIVATE_KEY: ${LAGO_RSA_PRIVATE_KEY:?}
  LAGO_ENCRYPTION_PRIMARY_KEY: ${ENCRYPTION_KEY:-5f4e3d2c1b0a}
services:
  db: {image: "postgres:14", environment: {POSTGRES_USER: lago, POSTGRES_DB: lago, POSTGRES_PASSWORD: "${POSTGRES_PASSWORD:-lago-first}"}}
  redis: {image: "redis:7"}
  migrate: {image: "getlago/api:v1.13.1", command: ["./scripts/start.migrate.sh"], depends_on: [db], environment: *env}
  api: {image: "getlago/api:v1.16.0", command: ["./scripts/start.sh"], depends_on: [db, redis], environment: *env}
  worker:
    image: getlago/api:v1.16.0
    command: ["./scripts/start.worker.sh"]
    depends_on: {api: {condition: service_healthy}}
    environment: *env
"""


def judged(tmp_path, text: str, dotenv: str = "") -> dict[str, list[dict]]:
    """What the gate finds in a file, by rule."""
    path = tmp_path / "compose.yml"
    path.write_text(text, "utf-8")
    if dotenv:
        (tmp_path / ".env").write_text(dotenv, "utf-8")
    gate(tmp_path, path)
    every = found(tmp_path)
    return {each["rule"]: [other for other in every if other["rule"] == each["rule"]] for each in every}


def test_a_migration_beside_an_api_that_migrates_is_one_finding(tmp_path):
    every = judged(tmp_path, MIGRATES_ITSELF)
    [one] = every["migrates-twice"]
    assert one["severity"] == "error" and "it runs v1.13.1, and api runs v1.16.0" in one["message"]
    follows = {
        "image-version-drift",
        "migrate-exit-0-always",
        "one-shot-without-adopter",
        "no-migration-ordering",
    }
    assert not follows & every.keys() and "wrong-script-path" not in every


def test_published_defaults_are_one_finding_and_a_warning_where_they_are_not_used(tmp_path):
    [one] = judged(tmp_path, MIGRATES_ITSELF)["hardcoded-secret-defaults"]
    assert one["severity"] == "error" and len(one["places"]) == 4
    assert "POSTGRES_PASSWORD, ENCRYPTION_KEY, SECRET_KEY_BASE fall back to defaults" in one["message"]
    given = "POSTGRES_PASSWORD=a1b2c3d4e5f60718\nSECRET_KEY_BASE=b2c3d4e5f6071829\nENCRYPTION_KEY=c3d4e5f60718293a\n"
    [one] = judged(tmp_path, MIGRATES_ITSELF, given)["hardcoded-secret-defaults"]
    assert one["severity"] == "warning"


def test_a_guessable_password_beside_is_told_although_the_file_has_a_default(tmp_path):
    every = judged(tmp_path, MIGRATES_ITSELF, "POSTGRES_PASSWORD=lago\n")
    assert every["default-db-password"][0]["severity"] == "error"


BARE = ("SENTRY_DSN", "LAGO_AWS_S3_ENDPOINT", "LAGO_LICENSE", "GOOGLE_AUTH_CLIENT_ID", "LAGO_SIDEKIQ_WEB")


def test_variables_that_lago_can_do_without_are_one_warning(tmp_path):
    lines = "".join(f"  {name}: ${{{name}}}\n" for name in BARE)
    text = MIGRATES_ITSELF.replace("services:", f"{lines}services:", 1)
    [one] = judged(tmp_path, text, "LAGO_RSA_PRIVATE_KEY=x\n")["variable-unset"]
    assert one["severity"] == "warning" and all(name in one["message"] for name in BARE)


def test_a_missing_environment_file_is_one_finding(tmp_path):
    names = ("SECRET_KEY_BASE", "LAGO_API_URL", "LAGO_FRONT_URL", "LAGO_PDF_URL", "LAGO_REDIS_CACHE_URL")
    text = MIGRATES_ITSELF.replace("  SECRET_KEY_BASE: ${SECRET_KEY_BASE:-0a1b2c3d4e5f}\n", "")
    lines = "".join(f"  {name}: ${{{name}}}\n" for name in names)
    every = judged(tmp_path, text.replace("services:", f"{lines}services:", 1))
    [one] = every["no-environment-file"]
    assert all(name in one["message"] for name in names) and "${SECRET_KEY_BASE:?}" in one["fix"]
    follows = {"variable-unset", "secret-env-unguarded", "api-url-missing", "cors-front-url-missing"}
    assert not follows & every.keys() and "cache-url-missing" not in every


def test_no_remedy_for_an_image_without_a_version_names_an_older_one(tmp_path):
    text = MIGRATES_ITSELF.replace("v1.16.0", "latest").replace("v1.13.1", "latest")
    [one] = judged(tmp_path, text)["image-not-pinned"]
    assert f"such as getlago/api:{newest().tag}" in one["fix"]
    [one] = judged(tmp_path, text.replace("getlago/api:latest", "somebody/lago-api:latest"))[
        "image-not-pinned"
    ]
    assert one["fix"] == "pin the exact version that runs now"


def test_each_service_without_a_healthcheck_gets_one_of_its_own(tmp_path):
    [one] = judged(tmp_path, MIGRATES_ITSELF)["missing-healthcheck"]
    assert "db: pg_isready" in one["fix"] and "redis: redis-cli" in one["fix"]
    assert "api: curl -fsS http://localhost:3000/health" in one["fix"]

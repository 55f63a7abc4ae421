"""Files are moved to another release by small edits: Lago's images, and what a release needs beside. All else stays."""

from __future__ import annotations

import difflib

import pytest

from lago_acceptance.composefile.release_edits import moved
from lago_acceptance.core.resources import SHIPPED_COMPOSE_FILE
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import Release, releases
from lago_acceptance.lago.upgrades import numbers
from lago_acceptance.lago.workers import workers_of

FILE, ENV = "compose.yml", ".env"
DIGEST = "sha256:" + "0" * 64


def release(tag: str) -> Release:
    return releases()[numbers(tag)]


def edited(compose: str, new: str = "v1.26.0", old: str = "v1.16.0", env: str = "") -> dict[str, str]:
    """The texts of the changed files, by name."""
    files = {FILE: compose.encode(), **({ENV: env.encode()} if env else {})}
    changed = moved(files, FILE, ENV, release(old), release(new))
    return {name: text.decode() for name, text in changed.items()}


def changed_lines(compose: str, new: str = "v1.26.0", old: str = "v1.16.0") -> list[str]:
    """The lines that are there afterwards and were not before."""
    after = edited(compose, new, old).get(FILE, compose)
    lines = difflib.ndiff(compose.splitlines(), after.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ")]


def api(image: str) -> str:
    return f"services:\n  api:\n    image: {image}\n    command: ./scripts/start.api.sh\n"


# --- images ---


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("getlago/api:v1.16.0", "getlago/api:v1.26.0"),
        ('"getlago/api:v1.16.0"', '"getlago/api:v1.26.0"'),
        ("'getlago/api:v1.16.0' # ours", "'getlago/api:v1.26.0' # ours"),
        ("getlago/api:1.16.0", "getlago/api:1.26.0"),
        ("registry.example.com:5000/mirror/getlago/api:v1.16.0", "registry.example.com:5000/mirror/getlago/api:v1.26.0"),
        ("registry.example.com/acme/lago-api:v1.16.0", "registry.example.com/acme/lago-api:v1.26.0"),
        ("registry.example.com/billing:v1.16.0", "registry.example.com/billing:v1.26.0"),
        ("${REGISTRY:-docker.io}/getlago/api:v1.16.0", "${REGISTRY:-docker.io}/getlago/api:v1.26.0"),
        ("getlago/api:${LAGO_VERSION:-v1.16.0}", "getlago/api:${LAGO_VERSION:-v1.26.0}"),
        ("getlago/api:v${LAGO_VERSION-1.16.0}", "getlago/api:v${LAGO_VERSION-1.26.0}"),
        ("${LAGO_IMAGE:-getlago/api:v1.16.0}", "${LAGO_IMAGE:-getlago/api:v1.26.0}"),
        ("${A:-${B:-getlago/api:v1.16.0}}", "${A:-${B:-getlago/api:v1.26.0}}"),
        ("&image getlago/api:v1.16.0", "&image getlago/api:v1.26.0"),
        ("getlago/api:v1.17.0", "getlago/api:v1.26.0"),
    ],
)  # fmt: skip
def test_an_image_gets_the_tag_of_the_release(written, becomes):
    assert edited(api(written)) == {FILE: api(becomes)}


def test_each_image_of_lago_is_moved_and_no_other():
    text = """\
x-api: &api
  image: getlago/api:v1.16.0
x-unused: {image: "getlago/api:v1.16.0"}
x-image: &front getlago/front:v1.16.0
services:
  db: {image: "postgres:14"}
  pdf: {image: "getlago/lago-gotenberg:7.8.2"}
  migrate: {<<: *api, command: [./scripts/migrate.sh]}
  events: {<<: *api, command: [./scripts/start.events.worker.sh]}
  front: {image: *front}
  old: {image: "getlago/api:v1.16.0", profiles: [old]}
"""
    assert edited(text) == {FILE: text.replace("v1.16.0", "v1.26.0")}


def test_a_variable_is_changed_where_its_value_is_written():
    text = api("getlago/api:${LAGO_VERSION:-v1.15.0}")
    env = "# LAGO_VERSION=v1.0.0\nA=1\nexport LAGO_VERSION='v1.16.0' # since March\nB=v1.16.0\n"
    assert edited(text, env=env) == {ENV: env.replace("'v1.16.0'", "'v1.26.0'")}


def test_a_variable_that_is_made_of_another_one_is_followed():
    env = "NUMBER=1.16.0\r\nLAGO_VERSION=v${NUMBER}\r\n"
    assert edited(api("getlago/api:${LAGO_VERSION}"), env=env) == {ENV: env.replace("1.16.0", "1.26.0")}


def test_the_last_of_two_values_of_a_variable_counts():
    env = "LAGO_VERSION=v1.15.0\nLAGO_VERSION=v1.16.0\n"
    assert edited(api("getlago/api:$LAGO_VERSION"), env=env) == {ENV: env.replace("v1.16.0", "v1.26.0")}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_all_else_stays_byte_for_byte(mark):
    text = f"{mark}# ünïcode 🎉\r\nservices:\r\n  api:   # spaces \t\r\n    image:   getlago/api:v1.16.0\r\n\r\n    init: true"
    files = {FILE: text.encode()}
    changed = moved(files, FILE, ENV, release("v1.16.0"), release("v1.26.0"))
    assert changed == {FILE: text.replace("v1.16.0", "v1.26.0").encode()}


def test_nothing_changes_where_the_release_is_there_already():
    assert edited(api("getlago/api:v1.26.0")) == {}


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (f"getlago/api:v1.16.0@{DIGEST}", "pinned by its digest"),
        (f"getlago/api@{DIGEST}", "pinned by its digest"),
        ("getlago/api:latest", "names no release of Lago"),
        ("getlago/api", "names no release of Lago"),
        ("getlago/api:v1.16.0-acme", "names no release of Lago"),
        ("registry.example.com/lago-api:2024.1", "names no release of Lago"),
        ("getlago/api:${LAGO_VERSION}", "LAGO_VERSION has no value: give it with --env-file"),
        ("${LAGO_IMAGE}\n    command: ./scripts/start.api.sh", "LAGO_IMAGE has no value"),
        ("getlago/api:v1.${MINOR:-16}.0", "put together from several variables"),
        ("postgres:14", "has no image of Lago's API or front"),
    ],
)
def test_an_image_that_cannot_be_moved_says_why(image, says):
    with pytest.raises(UsageError) as refused:
        edited(f"services:\n  api:\n    image: {image}\n")
    assert says in str(refused.value)


def test_an_image_that_is_built_is_moved_in_its_dockerfile():
    with pytest.raises(
        UsageError, match=r"api builds its image: change the release of Lago in its Dockerfile to v1\.26\.0"
    ):
        edited("services: {api: {build: ., image: 'lago-api:v1.16.0'}}")


@pytest.mark.parametrize("text", ["", "services: [", "services: {a: &a {image: *a}}\n---\n" * 9, "\x00"])
def test_what_is_no_compose_file_is_refused(text):
    with pytest.raises(UsageError, match=r"compose\.yml"):
        edited(text)


def test_variables_that_multiply_each_other_end():
    env = "A=" + "${A}" * 500 + "\n" + "".join(f"V{n + 1}={f'${{V{n}}}' * 500}\n" for n in range(20))
    with pytest.raises(UsageError, match="names no release"):
        edited(api("getlago/api:${V20}"), env=env)
    with pytest.raises(UsageError, match="names no release"):
        edited(api("getlago/api:${A}"), env=env)


# --- commands ---


def worker(command: str) -> str:
    return f"services:\n  worker:\n    image: getlago/api:v1.16.0\n    command: {command}\n"


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("bundle exec sidekiq -C config/sidekiq.yml", "bundle exec sidekiq -C config/sidekiq/sidekiq.yml"),
        ('["sidekiq", "-C", "config/sidekiq.yml"]', '["sidekiq", "-C", "config/sidekiq/sidekiq.yml"]'),
        ("sidekiq --config=/app/config/sidekiq.yml", "sidekiq --config=/app/config/sidekiq/sidekiq.yml"),
        ("sidekiq -Cconfig/sidekiq_pdfs.yml", "sidekiq -Cconfig/sidekiq/sidekiq_pdfs.yml"),
        ("sidekiq -C config/sidekiq_events.yml", "sidekiq -C config/sidekiq/sidekiq_events.yml"),
        ("bundle exec sidekiq", "bundle exec sidekiq -C config/sidekiq/sidekiq.yml"),
        (
            '["bundle", "exec", "sidekiq"]',
            '["bundle", "exec", "sidekiq", "-C", "config/sidekiq/sidekiq.yml"]',
        ),
        ("bash -c 'exec sidekiq'", "bash -c 'exec sidekiq -C config/sidekiq/sidekiq.yml'"),
    ],
)
def test_a_worker_gets_the_path_of_its_configuration(written, becomes):
    assert edited(worker(written), "v1.17.1")[FILE] == worker(becomes).replace("v1.16.0", "v1.17.1")


@pytest.mark.parametrize(
    "command",
    [
        "./scripts/start.worker.sh",
        "bash -c '[ -e config/sidekiq.yml ] || more=config/sidekiq/sidekiq.yml; exec sidekiq -C ${more}'",
        "sidekiq -C config/ours.yml",
    ],
)
def test_a_worker_whose_configuration_is_there_keeps_its_command(command):
    assert changed_lines(worker(command), "v1.17.1") == ["image: getlago/api:v1.17.1"]


def test_a_configuration_that_is_mounted_stays():
    mounted = (
        worker("sidekiq -C config/sidekiq.yml") + "    volumes: ['./q.yml:/app/config/sidekiq.yml:ro']\n"
    )
    assert changed_lines(mounted, "v1.17.1") == ["image: getlago/api:v1.17.1"]


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("./scripts/start.payments.worker.sh", "./scripts/start.worker.sh"),
        ("sidekiq -C config/sidekiq/sidekiq_wallets.yml", "sidekiq -C config/sidekiq/sidekiq.yml"),
        ("./scripts/start.pdfs.worker.sh", "./scripts/start.pdfs.worker.sh"),
    ],
)
def test_a_worker_that_an_earlier_release_lacks_is_a_main_worker_there(written, becomes):
    text = worker(written).replace("v1.16.0", "v1.51.0")
    assert edited(text, "v1.25.0", "v1.51.0")[FILE] == worker(becomes).replace("v1.16.0", "v1.25.0")


@pytest.mark.parametrize("extends", ["base", "{service: base}"])
def test_a_service_has_what_it_extends(extends):
    text = (
        "services:\n  base:\n    image: getlago/api:v1.16.0\n    environment: {LAGO_CREATE_ORG: 'true', LAGO_API_KEY: k}\n"
        f"  jobs:\n    extends: {extends}\n    command: sidekiq -C config/sidekiq.yml\n    environment: [LAGO_ORG_API_KEY=set]\n"
    )
    assert changed_lines(text, "v1.19.1")[-2:] == [
        "command: sidekiq -C config/sidekiq/sidekiq.yml",
        "environment: [LAGO_ORG_API_KEY=k]",
    ]


def test_services_that_extend_each_other_end():
    loop = "services: {a: {extends: b, image: 'getlago/api:v1.16.0'}, b: {extends: a}}"
    assert edited(loop)[FILE] == loop.replace("v1.16.0", "v1.26.0")


def test_words_are_added_to_a_list_in_its_own_style():
    text = worker("\n    - bundle\n    - exec\n    - 'sidekiq'  # all queues")
    assert changed_lines(text, "v1.17.1")[1:] == ["- '-C'", "- 'config/sidekiq/sidekiq.yml'"]
    assert "    - 'sidekiq'  # all queues\n    - '-C'\n" in edited(text, "v1.17.1")[FILE]


def test_workers_that_name_their_queues_get_the_new_ones():
    queues = workers_of(release("v1.16.0"))[""].queues
    text = worker("sidekiq " + " ".join(f"-q {each}" for each in queues))
    assert changed_lines(text, "v1.22.0")[1].endswith(" -q low_priority -q high_priority -q long_running")
    listed = worker("[sidekiq, " + ", ".join(f"-q, {each}" for each in queues) + "]")
    assert changed_lines(listed, "v1.22.0")[1].endswith(
        ", -q, low_priority, -q, high_priority, -q, long_running]"
    )


def test_an_option_without_its_queue_does_no_harm():
    assert changed_lines(worker("[sidekiq, -q, default, -q]"), "v1.18.0") == ["image: getlago/api:v1.18.0"]


def migration(command: str, tag: str = "v1.16.0") -> str:
    return f"services:\n  migrate:\n    image: getlago/api:{tag}\n    command: {command}\n"


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (
            '[rails, "db:migrate", "signup:seed"]',
            '[rails, "db:migrate", "roles:seed_predefined", "signup:seed"]',
        ),
        ("bundle exec rails db:prepare", "bundle exec rails db:prepare roles:seed_predefined"),
        ("bash -c 'rails db:migrate && true'", "bash -c 'rails db:migrate roles:seed_predefined && true'"),
        (
            "\n      - rails\n      - db:migrate",
            "\n      - rails\n      - db:migrate\n      - roles:seed_predefined",
        ),
    ],
)
def test_a_migration_of_ones_own_seeds_the_roles_where_the_release_has_them(written, becomes):
    assert edited(migration(written), "v1.42.0")[FILE] == migration(becomes, "v1.42.0")
    assert edited(migration(becomes, "v1.40.1"), "v1.41.0", "v1.40.1")[FILE] == migration(written, "v1.41.0")


@pytest.mark.parametrize(
    "command", ["./scripts/migrate.sh", "rails db:migrate roles:seed_predefined", "rails db:migrate:up"]
)
def test_a_migration_that_seeds_the_roles_keeps_its_command(command):
    assert changed_lines(migration(command), "v1.42.0") == ["image: getlago/api:v1.42.0"]


def test_a_script_that_was_renamed_is_named_anew():
    text = migration("./scripts/start.migrate.sh", "v1.15.2")
    assert "./scripts/migrate.sh" in edited(text, "v1.26.0", "v1.15.2")[FILE]


@pytest.mark.parametrize(
    ("new", "asked"), [("v1.35.0", "/health"), ("v1.36.0", "/ready"), ("v1.51.0", "/ready")]
)
def test_a_healthcheck_asks_for_a_page_that_the_release_has(new, asked):
    check = "    healthcheck: {{test: [CMD, curl, -f, 'http://127.0.0.1:3000{}']}}\n"
    text = api("getlago/api:v1.42.0") + check.format("/ready")
    assert edited(text, new, "v1.42.0").get(FILE, text) == api(f"getlago/api:{new}") + check.format(asked)


# --- the seeded API key ---


def seeding(environment: str) -> str:
    return f"services:\n  migrate:\n    image: getlago/api:v1.16.0\n    command: ./scripts/migrate.sh\n    environment:{environment}\n"


MAPPING = '\n      LAGO_CREATE_ORG: "true"\n      LAGO_ORG_API_KEY: {}\n      LAGO_API_KEY: ${{KEY:?}}'
LIST = "\n      - LAGO_CREATE_ORG=true\n      - LAGO_ORG_API_KEY={}\n      - LAGO_API_KEY=${{KEY:?}}"


@pytest.mark.parametrize("form", [MAPPING, LIST])
def test_the_seeded_key_moves_to_the_variable_that_the_release_reads(form):
    text = seeding(form.format("true"))
    assert edited(text, "v1.19.1")[FILE] == seeding(form.format("${KEY:?}")).replace("v1.16.0", "v1.19.1")


@pytest.mark.parametrize("form", [MAPPING, LIST])
def test_a_seeded_key_that_both_variables_have_stays(form):
    assert changed_lines(seeding(form.format("${KEY:?}")), "v1.19.1") == ["image: getlago/api:v1.19.1"]


@pytest.mark.parametrize(
    ("environment", "added"),
    [
        ('\n      LAGO_CREATE_ORG: "true"\n      LAGO_API_KEY: "k"  # ours', 'LAGO_ORG_API_KEY: "k"'),
        ("\n      - LAGO_CREATE_ORG=true\n      - LAGO_API_KEY=k", "- LAGO_ORG_API_KEY=k"),
        ('\n      - LAGO_CREATE_ORG=true\n      - "LAGO_API_KEY=k"', '- "LAGO_ORG_API_KEY=k"'),
        (
            ' {LAGO_CREATE_ORG: "true", LAGO_API_KEY: k}',
            'environment: {LAGO_CREATE_ORG: "true", LAGO_API_KEY: k, LAGO_ORG_API_KEY: k}',
        ),
    ],
)
def test_a_variable_that_is_missing_is_written_beside_the_other_one(environment, added):
    assert changed_lines(seeding(environment), "v1.19.1")[1:] == [added]


def test_a_key_of_an_environment_file_stays_in_it():
    text = seeding("\n      LAGO_CREATE_ORG: 'true'\n      LAGO_ORG_API_KEY: 'true'\n    env_file: .env")
    changed = edited(text, "v1.19.1", env="LAGO_API_KEY=a-secret-key\n")
    assert "LAGO_ORG_API_KEY: ${LAGO_API_KEY}" in changed[FILE] and "a-secret-key" not in changed[FILE]
    both = seeding(" {LAGO_CREATE_ORG: 'true'}\n    env_file: .env")
    env = "LAGO_ORG_API_KEY=set\nLAGO_API_KEY=a-secret-key\n"
    assert edited(both, "v1.19.1", env=env)[ENV] == env.replace("=set", "=a-secret-key")


def test_quotes_of_a_mapping_do_not_get_into_a_list():
    text = seeding("\n      - LAGO_CREATE_ORG=true\n      - LAGO_ORG_API_KEY=set\n    extends: base")
    text += "  base:\n    environment:\n      LAGO_API_KEY: 'k'\n"
    assert changed_lines(text, "v1.19.1")[1:] == ["- LAGO_ORG_API_KEY=k"]


def test_a_key_in_a_file_of_the_container_alone_is_left_to_its_owner():
    text = seeding("\n      LAGO_CREATE_ORG: 'true'\n      LAGO_ORG_API_KEY: 'true'\n    env_file: lago.env")
    files = {FILE: text.encode(), "lago.env": b"LAGO_API_KEY=a-secret-key\n"}
    with pytest.raises(UsageError, match=r"LAGO_API_KEY is in lago\.env, .*yourself") as refused:
        moved(files, FILE, ENV, release("v1.16.0"), release("v1.19.1"))
    assert "a-secret-key" not in str(refused.value)


def test_where_no_organization_is_seeded_the_variables_stay():
    text = seeding("\n      LAGO_ORG_API_KEY: 'true'\n      LAGO_API_KEY: k")
    assert changed_lines(text, "v1.19.1") == ["image: getlago/api:v1.19.1"]


def test_a_value_that_others_share_is_not_changed():
    text = seeding(
        '\n      LAGO_CREATE_ORG: "true"\n      LAGO_ORG_API_KEY: &yes "true"\n      LAGO_API_KEY: k'
    )
    with pytest.raises(UsageError, match="shares its value with others"):
        edited(text, "v1.19.1")


# --- the shipped file ---


@pytest.mark.parametrize("tag", ["v1.17.1", "v1.19.1", "v1.26.0", "v1.32.0"])
def test_the_shipped_file_needs_its_tags_only_up_to_1_40(tag):
    text = SHIPPED_COMPOSE_FILE.read_text("utf-8")
    assert changed_lines(text, tag) == [f"image: getlago/api:{tag}", f"image: getlago/front:{tag}"]


def test_a_file_of_a_later_release_goes_back_to_its_stops():
    text = SHIPPED_COMPOSE_FILE.read_text("utf-8")
    later = edited(text, "v1.51.0")[FILE]
    assert edited(later, "v1.25.0", "v1.51.0")[FILE] == text.replace("api:v1.16.0", "api:v1.25.0").replace(
        "front:v1.16.0", "front:v1.25.0"
    )


def test_going_step_by_step_leads_to_the_same_file_as_going_at_once():
    text = SHIPPED_COMPOSE_FILE.read_text("utf-8")
    at, walked = "v1.16.0", text
    for tag in ("v1.25.0", "v1.29.0", "v1.40.1", "v1.41.0", "v1.51.0"):
        walked, at = edited(walked, tag, at)[FILE], tag
    assert walked == edited(text, "v1.51.0")[FILE]

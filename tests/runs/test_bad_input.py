"""Wrong options and files: one clear sentence, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import broken_deployments, suite_run
from tests.support.suite_run import assert_refused

SHIPPED = (broken_deployments.COMPOSE / "docker-compose.lago.yml").read_text()


@pytest.fixture
def file(tmp_path: Path):
    """Writes a compose file and gives the options that name it."""

    def write(text: str) -> list[str]:
        path = tmp_path / "docker-compose.yml"
        path.write_text(text)
        return ["--compose-file", str(path)]

    return write


def test_an_unknown_option(suite):
    assert_refused(suite("-m", "smoke", "--nonsense"), 4, "unrecognized arguments", "--nonsense")


def test_an_unknown_target(suite):
    assert_refused(suite("--target", "moon"), 4, "moon")


def test_an_unknown_marker_expression_checks_nothing(suite):
    assert suite("-m", "gate and browser").code == 5


def test_live_without_hosts(suite):
    assert_refused(suite("-m", "smoke", "--target", "live"), 4, "--target live needs --hosts")


def test_hosts_without_live(suite):
    assert_refused(suite("-m", "smoke", "--hosts", "ssh://root@127.0.0.1"), 4, "--hosts needs --target live")


def test_writes_are_allowed_to_a_live_host_alone(suite):
    assert_refused(suite("--allow-writes"), 4, "--target live")


def test_only_one_live_host_is_deployed_to(suite):
    assert_refused(suite("--deploy"), 4, "--deploy needs --target live and one of --hosts")
    several = ("--target", "live", "--hosts", "ssh://root@127.0.0.1,ssh://root@127.0.0.2")
    assert_refused(suite(*several, "--deploy"), 4, "--deploy needs --target live and one of --hosts")


def test_the_gate_alone_decides_on_no_deploy(suite):
    given = ("--target", "live", "--hosts", "ssh://root@127.0.0.1", "--deploy", "-m", "gate")
    assert_refused(suite(*given), 4, "--deploy needs checks that decide whether it stays")


def test_a_key_file_that_is_absent(suite, tmp_path):
    assert_refused(suite("--api-key-file", str(tmp_path / "none")), 4, "--api-key-file", "does not exist")


def test_a_deadline_that_is_no_time(suite):
    assert_refused(suite("-m", "smoke", "--deadline", "-3"), 4, "--deadline -3 is not a time limit")


def test_settings_that_are_not_toml(suite, tmp_path):
    (tmp_path / "settings.toml").write_text("hosts = [")
    assert_refused(suite("-m", "smoke", "--settings", str(tmp_path / "settings.toml")), 4, "is not TOML")


def test_settings_with_an_unknown_entry(suite, tmp_path):
    text = (suite_run.ROOT / "settings.toml").read_text() + "\n[more]\nx = 1\n"
    (tmp_path / "settings.toml").write_text(text)
    assert_refused(suite("-m", "smoke", "--settings", str(tmp_path / "settings.toml")), 4, "more")


def test_settings_that_are_absent(suite, tmp_path):
    assert_refused(
        suite("-m", "smoke", "--settings", str(tmp_path / "none.toml")), 4, "none.toml", "does not exist"
    )


def test_a_compose_file_that_is_absent(suite, tmp_path):
    assert_refused(
        suite("-m", "smoke", "--compose-file", str(tmp_path / "none.yml")), 4, "none.yml", "does not exist"
    )


def test_a_compose_file_that_is_a_folder(suite, tmp_path):
    assert_refused(suite("-m", "smoke", "--compose-file", str(tmp_path)), 4, "is a folder")


def test_a_compose_file_that_is_not_yaml(suite, file):
    assert_refused(suite("-m", "smoke", *file("services: [\n  a: {")), 4, "Compose can't read")


def test_a_compose_file_without_services(suite, file):
    assert suite("-m", "smoke", *file("services: {}\n")).code == 4


def test_a_missing_variable(suite, tmp_path):
    options = broken_deployments.write(tmp_path / "deployment")
    env_file = tmp_path / "deployment" / ".env.lago"
    env_file.write_text(
        "\n".join(line for line in env_file.read_text().splitlines() if "SECRET_KEY_BASE=" not in line)
    )
    assert_refused(suite("-m", "smoke", *options), 4, "SECRET_KEY_BASE")


def test_an_env_file_that_is_absent(suite, tmp_path):
    assert_refused(
        suite("-m", "smoke", "--env-file", str(tmp_path / "none")), 4, "--env-file", "does not exist"
    )


def test_a_daemon_that_does_not_answer(suite, tmp_path):
    assert_refused(
        suite("-m", "smoke", DOCKER_HOST=f"unix://{tmp_path}/none.sock"), 6, "Docker does not answer"
    )


def test_a_remote_daemon_is_refused(suite):
    assert_refused(suite("-m", "smoke", DOCKER_HOST="tcp://127.0.0.1:9"), 6, "Docker")

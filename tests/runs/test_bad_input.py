"""Wrong options and files: one clear sentence, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import broken_deployments, suite_run

SHIPPED = (broken_deployments.COMPOSE / "docker-compose.lago.yml").read_text()


@pytest.fixture
def file(tmp_path: Path):
    """Writes a compose file and gives the options that name it."""

    def write(text: str) -> list[str]:
        path = tmp_path / "docker-compose.yml"
        path.write_text(text)
        return ["--compose-file", str(path)]

    return write


def refused(result: suite_run.Result, code: int, *words: str) -> None:
    """Assert that a run ended with one sentence, and not with a traceback."""
    assert result.code == code, result.output[-2000:]
    assert "Traceback" not in result.output and "INTERNALERROR" not in result.output
    said = [line for line in result.output.splitlines() if all(word in line for word in words)]
    assert said, f"no line holds {words}: {result.output[-2000:]}"


def test_an_unknown_option(suite):
    refused(suite("-m", "smoke", "--nonsense"), 4, "unrecognized arguments", "--nonsense")


def test_an_unknown_target(suite):
    refused(suite("--target", "moon"), 4, "moon")


def test_an_unknown_marker_expression_checks_nothing(suite):
    assert suite("-m", "gate and browser").code == 5


def test_live_without_hosts(suite):
    refused(suite("-m", "smoke", "--target", "live"), 4, "--target live needs --hosts")


def test_hosts_without_live(suite):
    refused(suite("-m", "smoke", "--hosts", "ssh://root@127.0.0.1"), 4, "--hosts needs --target live")


def test_writes_are_allowed_to_a_live_host_alone(suite):
    refused(suite("--allow-writes"), 4, "--target live")


def test_a_key_file_that_is_absent(suite, tmp_path):
    refused(suite("--api-key-file", str(tmp_path / "none")), 4, "--api-key-file", "does not exist")


def test_a_deadline_that_is_no_time(suite):
    refused(suite("-m", "smoke", "--deadline", "-3"), 4, "--deadline -3 is not a time limit")


def test_settings_that_are_not_toml(suite, tmp_path):
    (tmp_path / "settings.toml").write_text("hosts = [")
    refused(suite("-m", "smoke", "--settings", str(tmp_path / "settings.toml")), 4, "is not TOML")


def test_settings_with_an_unknown_entry(suite, tmp_path):
    text = (suite_run.ROOT / "settings.toml").read_text() + "\n[more]\nx = 1\n"
    (tmp_path / "settings.toml").write_text(text)
    refused(suite("-m", "smoke", "--settings", str(tmp_path / "settings.toml")), 4, "more")


def test_settings_that_are_absent(suite, tmp_path):
    refused(suite("-m", "smoke", "--settings", str(tmp_path / "none.toml")), 4, "none.toml", "does not exist")


def test_a_compose_file_that_is_absent(suite, tmp_path):
    refused(
        suite("-m", "smoke", "--compose-file", str(tmp_path / "none.yml")), 4, "none.yml", "does not exist"
    )


def test_a_compose_file_that_is_a_folder(suite, tmp_path):
    refused(suite("-m", "smoke", "--compose-file", str(tmp_path)), 4, "is a folder")


def test_a_compose_file_that_is_not_yaml(suite, file):
    refused(suite("-m", "smoke", *file("services: [\n  a: {")), 4, "Compose can't read")


def test_a_compose_file_without_services(suite, file):
    assert suite("-m", "smoke", *file("services: {}\n")).code == 4


def test_a_missing_variable(suite, tmp_path):
    options = broken_deployments.write(tmp_path / "deployment")
    env_file = tmp_path / "deployment" / ".env.lago"
    env_file.write_text(
        "\n".join(line for line in env_file.read_text().splitlines() if "SECRET_KEY_BASE=" not in line)
    )
    refused(suite("-m", "smoke", *options), 4, "SECRET_KEY_BASE")


def test_an_env_file_that_is_absent(suite, tmp_path):
    refused(suite("-m", "smoke", "--env-file", str(tmp_path / "none")), 4, "--env-file", "does not exist")


def test_a_daemon_that_does_not_answer(suite, tmp_path):
    refused(suite("-m", "smoke", DOCKER_HOST=f"unix://{tmp_path}/none.sock"), 6, "Docker does not answer")


def test_a_remote_daemon_is_refused(suite):
    refused(suite("-m", "smoke", DOCKER_HOST="tcp://127.0.0.1:9"), 6, "Docker")


def test_images_upstream_without_a_registry(suite):
    result = suite("-m", "smoke", "--images", "upstream")
    if result.code in (0, 1):
        pytest.skip("upstream's images can be had on this machine")
    refused(result, 6, "can't be pulled", "--images upstream")


@pytest.mark.docker
def test_another_lago_or_traefik_on_the_daemon_is_refused(suite):
    from lago_acceptance.images import resolve

    for name in ("traefik", "lago-api"):
        foreign = f"somebody-elses/{name}:v1"
        subprocess.run(["docker", "tag", resolve.stand_in(name), foreign], check=True)
        command = ["docker", "run", "--rm", "--detach", "--entrypoint", "sleep", foreign, "60"]
        container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        try:
            refused(suite("-m", "smoke"), 6, foreign, "route customers into the test stack")
        finally:
            subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)
            subprocess.run(["docker", "rmi", foreign], capture_output=True, check=False)

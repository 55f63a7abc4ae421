"""The stand-ins of database, cache, front and PDF service behave as the images that they stand in for."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import Container, docker, running
from tests.support.patience import PATIENCE

FRONT_VARIABLES = [
    "API_URL",
    "LAGO_DOMAIN",
    "APP_ENV",
    "LAGO_OAUTH_PROXY_URL",
    "LAGO_DISABLE_SIGNUP",
    "NANGO_PUBLIC_KEY",
    "SENTRY_DSN",
]


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"selftest-{secrets.token_hex(4)}"
    docker("volume", "create", name)
    yield name
    docker("volume", "rm", name)


def database(volume: str, password: str):
    options = (
        "--env=POSTGRES_USER=lago",
        f"--env=POSTGRES_PASSWORD={password}",
        f"--volume={volume}:/var/lib/postgresql/data",
    )
    return running(resolve.stand_in("postgres"), options=options)


def logs_in(container: Container, password: str) -> subprocess.CompletedProcess[str]:
    """Through the container's address: the image trusts 127.0.0.1."""
    url = f"postgresql://lago@{container.address}/lago"
    return container.execute("psql", url, "-Atc", "select 'in'", environment={"PGPASSWORD": password})


def answers_on_tcp(container: Container) -> bool:
    return container.execute("pg_isready", "--host=127.0.0.1", "--quiet").returncode == 0


def test_an_old_volume_keeps_its_old_password(volume: str) -> None:
    with database(volume, "first") as container:
        assert until(lambda: answers_on_tcp(container), PATIENCE), container.logs()
        assert logs_in(container, "first").stdout == "in\n"
    with database(volume, "second") as container:
        assert until(lambda: answers_on_tcp(container), PATIENCE), container.logs()
        assert logs_in(container, "first").stdout == "in\n"
        refused = logs_in(container, "second")
        assert refused.returncode == 2
        assert 'password authentication failed for user "lago"' in refused.stderr


def test_a_database_without_a_password_does_not_start() -> None:
    with running(resolve.stand_in("postgres")) as container:
        assert docker("wait", container.name) == "1"
        assert "superuser password is not specified" in container.logs()


def test_the_database_takes_its_password_from_a_file_and_options_from_the_command(tmp_path) -> None:
    password = tmp_path / "password"
    password.write_text("from-a-file\n")
    options = (
        "--env=POSTGRES_USER=lago",
        "--env=POSTGRES_PASSWORD_FILE=/password",
        f"--volume={password}:/password:ro",
    )
    with running(
        resolve.stand_in("postgres"), "postgres", "-c", "max_connections=37", options=options
    ) as container:
        assert until(lambda: answers_on_tcp(container), PATIENCE), container.logs()
        assert logs_in(container, "from-a-file").stdout == "in\n"
        settings = container.execute(
            "psql", "-U", "lago", "-Atc", "show max_connections; show server_encoding; show fsync"
        )
        assert settings.stdout.split() == ["37", "UTF8", "on"]


def test_redis_takes_its_policy_from_the_command_and_others_reach_it() -> None:
    image = resolve.stand_in("redis")
    with (
        running(image, "redis-server", "--maxmemory-policy", "noeviction") as cache,
        running(image) as default,
    ):
        asked = ("redis-cli", "-h", cache.address, "--json", "config", "get", "maxmemory-policy")
        assert until(lambda: "noeviction" in default.execute(*asked).stdout, PATIENCE), cache.logs()
        assert cache.execute("stat", "-c", "%U", "/proc/1").stdout == "redis\n"


@pytest.fixture(scope="module")
def front() -> Iterator[Container]:
    options = ("--env=API_URL=https://billing-api.example.test", "--env=LAGO_DISABLE_SIGNUP=true")
    with running(resolve.stand_in("lago-front"), "nginx", "-v", options=options) as container:
        assert until(lambda: answers_http(container.address), PATIENCE), container.logs()
        yield container


def answers_http(address: str, port: int = 80, path: str = "/") -> bool:
    try:
        return httpx.get(f"http://{address}:{port}{path}", trust_env=False, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_the_front_writes_its_seven_variables_and_ignores_the_command(front: Container) -> None:
    answer = httpx.get(f"http://{front.address}/env-config.js", trust_env=False)
    assert answer.headers["content-type"] == "application/javascript"
    written = re.findall(r'^window\.(\w+) = "(.*)"$', answer.text, re.MULTILINE)
    assert [name for name, _ in written] == FRONT_VARIABLES
    values = dict(written)
    assert values["API_URL"] == "https://billing-api.example.test"
    assert values["LAGO_DISABLE_SIGNUP"] == "true"
    assert values["SENTRY_DSN"] == ""


def test_the_front_writes_them_again_at_every_start(front: Container) -> None:
    front.execute("sh", "-c", "echo changed > env-config.js")
    assert "changed" in httpx.get(f"http://{front.address}/env-config.js", trust_env=False).text
    docker("restart", "--time", "2", front.name)
    assert until(lambda: answers_http(front.address), PATIENCE), front.logs()
    assert "API_URL" in httpx.get(f"http://{front.address}/env-config.js", trust_env=False).text


@pytest.mark.parametrize("path", ["/health", "/api/v1/plans", "/no/such/page"])
def test_the_front_answers_every_path_with_its_page(front: Container, path: str) -> None:
    answer = httpx.get(f"http://{front.address}{path}", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert "<title>Lago - Cloud</title>" in answer.text


@pytest.mark.parametrize("path", ["/", "/undefined/graphql"])
def test_the_front_refuses_posts(front: Container, path: str) -> None:
    answer = httpx.post(f"http://{front.address}{path}", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html")


def test_a_front_that_can_not_write_does_not_start() -> None:
    with running(resolve.stand_in("lago-front"), options=("--read-only",)) as container:
        assert docker("wait", container.name) == "1"
        assert "Read-only file system" in container.logs()


@pytest.fixture(scope="module")
def pdf() -> Iterator[str]:
    with running(resolve.stand_in("lago-pdf")) as container:
        assert until(lambda: answers_http(container.address, 3000, "/health"), PATIENCE), container.logs()
        yield f"http://{container.address}:3000"


def test_the_pdf_service_renders(pdf: str) -> None:
    page = (
        "files",
        ("index.html", b"<link rel=stylesheet href=a.css><h1>Invoice</h1><h2>Next page</h2>", "text/html"),
    )
    style = ("files", ("a.css", b"h2 { break-before: page }", "text/css"))
    url = f"{pdf}/forms/chromium/convert/html"
    one, two = (
        httpx.post(
            url, files=files, data={"paperWidth": "8.27", "scale": "0.9"}, trust_env=False, timeout=PATIENCE
        )
        for files in ([page], [page, style])
    )
    assert (one.status_code, one.headers["content-type"]) == (200, "application/pdf")
    assert one.content.startswith(b"%PDF-")
    # The asset was used: its page break makes a second page.
    assert [len(re.findall(rb"/Type /Page\b", answer.content)) for answer in (one, two)] == [1, 2]


def test_the_pdf_service_refuses_a_form_without_a_page(pdf: str) -> None:
    files = {"files": ("other.html", b"<p>", "text/html")}
    answer = httpx.post(f"{pdf}/forms/chromium/convert/html", files=files, trust_env=False)
    assert answer.status_code == 400
    assert "index.html" in answer.text


def test_the_pdf_service_is_up(pdf: str) -> None:
    assert httpx.get(f"{pdf}/health", trust_env=False).json()["status"] == "up"

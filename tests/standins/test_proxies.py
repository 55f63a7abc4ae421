"""The stand-ins of Caddy and nginx behave as the official images: real programs behind the same contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import Container, docker, running
from tests.support.patience import PATIENCE


def get(container: Container, path: str = "/", **more) -> httpx.Response | None:
    try:
        return httpx.get(f"http://{container.address}{path}", trust_env=False, timeout=2, **more)
    except httpx.TransportError:
        return None


def answers(container: Container, path: str = "/", **more) -> httpx.Response:
    answer = until(lambda: get(container, path, **more), PATIENCE)
    assert answer is not None, container.logs()
    return answer


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """nginx with a template, a template in a folder, a script of its own and one that is not executable."""
    folder: Path = tmp_path_factory.mktemp("nginx")
    (folder / "deep").mkdir()
    (folder / "site.conf.template").write_text(
        "server { listen 80; server_name ${NAME}; http2 on;\n"
        "location / { resolver ${NGINX_LOCAL_RESOLVERS}; add_header X-Name $NAME; add_header X-Host $host;"
        " return 200 '${request_method} $UNSET_BY_NOBODY_'; }\n"
        "set $UNSET_BY_NOBODY_ kept; }\n"
    )
    (folder / "deep" / "x.conf.template").write_text("# $NAME\n")
    (folder / "script").write_text("#!/bin/sh\necho the script ran\n")
    (folder / "script").chmod(0o755)
    (folder / "closed").write_text("exit 1\n")
    options = (
        *("--env=NAME=a.example.test", "--env=NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1"),
        f"--volume={folder}:/etc/nginx/templates:ro",
        f"--volume={folder}/script:/docker-entrypoint.d/40-own.sh:ro",
        f"--volume={folder}/closed:/docker-entrypoint.d/50-closed.sh:ro",
    )
    with running(resolve.stand_in("nginx"), options=options) as container:
        answers(container)
        yield container


def test_templates_become_files_with_the_variables_that_are_set(nginx: Container) -> None:
    answer = answers(nginx, headers={"Host": "a.example.test"})
    assert (answer.headers["x-name"], answer.headers["x-host"]) == ("a.example.test", "a.example.test")
    assert answer.text == "GET kept"
    assert nginx.execute("cat", "/etc/nginx/conf.d/deep/x.conf").stdout == "# a.example.test\n"


def test_scripts_run_before_nginx_and_those_that_can_not_run_are_told(nginx: Container) -> None:
    told = nginx.logs()
    assert "the script ran\n" in told and "50-closed.sh is ignored, because it is not executable" in told


def test_the_default_server_answers_on_both_families_and_logs_to_docker(nginx: Container) -> None:
    answer = answers(nginx, "/?logged", headers={"Host": "localhost"})
    assert answer.status_code == 200 and "Welcome to nginx!" in answer.text
    assert until(lambda: '"GET /?logged HTTP/1.1" 200' in nginx.logs(), PATIENCE)
    families = nginx.execute(
        "sh",
        "-c",
        "test -e /proc/net/if_inet6 && grep -c 'listen \\[::]:80' /etc/nginx/conf.d/default.conf || echo 1",
    )
    assert families.stdout == "1\n"
    assert nginx.execute("wget", "-q", "--spider", "http://127.0.0.1/").returncode == 0
    assert nginx.execute("stat", "-c", "%U", "/proc/1").stdout == "root\n"
    assert "101" in nginx.execute("sh", "-c", "stat -c %u /proc/[0-9]*").stdout.split()


def test_a_reload_takes_what_has_changed(nginx: Container) -> None:
    nginx.execute("sh", "-c", "echo 'server { listen 8080; return 204; }' > /etc/nginx/conf.d/more.conf")
    reloaded = nginx.execute("nginx", "-s", "reload")
    assert reloaded.returncode == 0, reloaded.stderr
    asked = ("curl", "-so", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8080/")
    assert until(lambda: nginx.execute(*asked).stdout == "204", PATIENCE), nginx.logs()


def test_a_command_of_ones_own_may_fill_in_a_file_by_itself() -> None:
    command = (
        "echo 'server { listen 80; return 200 \"$NAME $host $OTHER\"; }' | envsubst '$NAME' | sed 's/\\$OTHER//' "
        "> /etc/nginx/conf.d/default.conf && exec nginx -g 'daemon off;'"
    )
    options = ("--env=NAME=mine", "--env=OTHER=no")
    with running(resolve.stand_in("nginx"), "/bin/sh", "-c", command, options=options) as container:
        assert answers(container, headers={"Host": "h"}).text == "mine h "
        assert container.execute("sh", "-c", "echo '$OTHER ${UNSET}.' | envsubst").stdout == "no .\n"


def test_nginx_runs_read_only_and_as_its_own_user(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(
        "events {}\nhttp { include mime.types; server { listen 80; return 200 plain; } }\n"
    )
    options = (
        *("--read-only", "--user=101:101", "--tmpfs=/var/cache/nginx:uid=101", "--tmpfs=/run"),
        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
        f"--volume={tmp_path}/nginx.conf:/etc/nginx/nginx.conf:ro",
    )
    with running(resolve.stand_in("nginx"), options=options) as container:
        assert answers(container).text == "plain"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("location / { stub_status; }", "this stand-in for nginx has no stub_status"),
        ("nonsense on;", 'unknown directive "nonsense"'),
    ],
)
def test_a_file_that_nginx_refuses_ends_the_container(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "default.conf").write_text(f"server {{ listen 80; {line} }}\n")
    options = (f"--volume={tmp_path}:/etc/nginx/conf.d:ro",)
    with running(resolve.stand_in("nginx"), options=options) as container:
        assert docker("wait", container.name) == "1"
        assert told in container.logs() and "[emerg]" in container.logs()
        assert ("stand-in" in container.logs()) == ("stub_status" in line)


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """Caddy with one site under its own CA, one without TLS, and a proxy to the latter."""
    folder: Path = tmp_path_factory.mktemp("caddy")
    (folder / "Caddyfile").write_text(
        "{$SITE:wrong.example.test} {\n\ttls internal\n\trespond inside\n}\n"
        "http://plain.example.test {\n\trespond {env.SITE}\n}\n"
        "http://proxy.example.test {\n\treverse_proxy 127.0.0.1:80 {\n\t\theader_up Host plain.example.test\n\t}\n}\n"
    )
    options = ("--env=SITE=a.example.test", f"--volume={folder}/Caddyfile:/etc/caddy/Caddyfile:ro")
    with running(resolve.stand_in("caddy"), options=options) as container:
        answers(container)
        yield container


def test_caddy_serves_its_caddyfile_with_its_variables(caddy: Container) -> None:
    assert answers(caddy, headers={"Host": "plain.example.test"}).text == "a.example.test"
    assert answers(caddy, headers={"Host": "proxy.example.test"}).text == "a.example.test"


def test_caddy_redirects_to_https_and_serves_it_by_its_own_ca(caddy: Container) -> None:
    answer = answers(caddy, "/x", headers={"Host": "a.example.test"})
    assert (answer.status_code, answer.headers["location"]) == (308, "https://a.example.test/x")
    root = "/data/caddy/pki/authorities/local/root.crt"
    asked = ("curl", "-sS", "--cacert", root, "--resolve", "a.example.test:443:127.0.0.1")
    assert until(lambda: caddy.execute(*asked, "https://a.example.test/").stdout == "inside", PATIENCE), (
        caddy.logs()
    )
    saved = ("test", "-f", "/config/caddy/autosave.json")
    assert until(lambda: caddy.execute(*saved).returncode == 0, PATIENCE), caddy.logs()


def test_caddy_has_the_program_that_healthchecks_call(caddy: Container) -> None:
    site = ("--header", "Host: plain.example.test", "http://127.0.0.1/")
    assert caddy.execute("wget", "-qO-", *site).stdout == "a.example.test"
    assert caddy.execute("wget", "-nv", "--tries=1", "--spider", *site).returncode == 0
    assert (
        caddy.execute("wget", "-q", "-T", "5", "-O", "/dev/null", "http://127.0.0.1:2019/no").returncode != 0
    )
    assert caddy.execute("wget", "--nonsense", *site).returncode != 0


def test_without_a_file_caddy_shows_its_own_page() -> None:
    with running(resolve.stand_in("caddy")) as container:
        assert "Caddy works!" in answers(container).text


def test_a_caddyfile_that_is_wrong_ends_the_container(tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text("a.example.test {\n\tnonsense\n}\n")
    options = (f"--volume={tmp_path}/Caddyfile:/etc/caddy/Caddyfile:ro",)
    with running(resolve.stand_in("caddy"), options=options) as container:
        assert docker("wait", container.name) == "1"
        assert "unrecognized directive: nonsense" in container.logs()

"""What is read of a Caddyfile and of nginx's configuration, and what is left open."""

from __future__ import annotations

import pytest

from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.model.proxy_files import ProxyFiles, proxy_files


def read(target: str, text: str | None) -> ProxyFiles | None:
    mount = Mount("bind", "/srv/file", target)
    service = Service(name="web", image="caddy:2", role=None, mounts=(mount,))
    return proxy_files(
        Model(observed=False, project="p", services=(service,), files={"/srv/file": text}), service
    )


def caddy(text: str) -> ProxyFiles:
    found = read("/etc/caddy/Caddyfile", text)
    assert found
    return found


def nginx(text: str) -> ProxyFiles:
    found = read("/etc/nginx/conf.d/default.conf", text)
    assert found
    return found


def targets(files: ProxyFiles) -> list[tuple[str, int, int]]:
    return [(each.host, each.port, each.line) for each in files.targets]


def test_sites_and_targets_of_a_caddyfile():
    files = caddy(
        "{\n  email a@b.io\n}\n(common) {\n  encode gzip\n}\n"
        "https://Billing.acme.io:443,\nwww.acme.io {\n"
        "  # reverse_proxy old:1\n  @api path /api/*\n  reverse_proxy @api api:3000 {\n    header_up X a\n  }\n"
        "  reverse_proxy /docs* {\n    to docs:8000 http://more:8001\n  }\n  reverse_proxy front\n}\n"
    )
    assert files.names == {"billing.acme.io", "www.acme.io"} and files.whole
    assert targets(files) == [("api", 3000, 11), ("docs", 8000, 15), ("more", 8001, 15), ("front", 80, 17)]


def test_a_caddyfile_without_braces_has_one_site():
    files = caddy("billing.acme.io\nreverse_proxy front:80\n")
    assert files.names == {"billing.acme.io"} and targets(files) == [("front", 80, 2)]


@pytest.mark.parametrize("site", [":80", "http://", ":443"])
def test_a_site_without_a_name_serves_all(site):
    assert caddy(f"{site} {{\n  reverse_proxy front:80\n}}\n").serves("billing.acme.io")


@pytest.mark.parametrize(
    "text",
    [
        "import sites/*\n",
        "{$NAME} {\n  reverse_proxy front:80\n}\n",
        "a.io {\n  reverse_proxy {$UPSTREAM}\n}\n",
        "a.io {\n  reverse_proxy unix//run/front.sock\n}\n",
        "a.io {\n  respond <<END\n    text\n    END\n}\n",
    ],
)
def test_what_a_caddyfile_leaves_to_others_is_known_to_be_open(text):
    assert not caddy(text).whole


def test_servers_upstreams_and_names_of_nginx():
    files = nginx(
        "upstream lago { server api:3000 max_fails=0; server api-2:3000; }\nupstream unused { server x:1; }\n"
        "server {\n  listen 80; server_name billing.acme.io www.acme.io;\n"
        "  location / { proxy_pass http://front; }  # proxy_pass http://old;\n}\n"
        "server { server_name *.acme.io; location / { proxy_pass http://lago/; } }\n"
    )
    assert targets(files) == [("front", 80, 5), ("api", 3000, 1), ("api-2", 3000, 1)]
    assert files.serves("api.acme.io") and files.serves("www.acme.io") and not files.serves("acme.com")
    assert files.whole


@pytest.mark.parametrize(
    "text",
    [
        "server { server_name a.io; location / { proxy_pass http://$backend; } }",
        "server { server_name ${NAME}; location / { proxy_pass http://front; } }",
        "include /etc/nginx/sites/*.conf;\nserver { server_name a.io; }",
    ],
)
def test_what_nginx_leaves_to_others_is_known_to_be_open(text):
    assert not nginx(text).whole


@pytest.mark.parametrize(
    "text", ["server { listen 80; }", "server { server_name _; }", "server { server_name ~^b; }"]
)
def test_a_server_without_a_name_serves_all(text):
    assert nginx(text).serves("billing.acme.io")


@pytest.mark.parametrize(
    "text", ["{", "}}}}", "a {\n{\n{", "server {", "upstream x {", '"', "reverse_proxy", "a,\n"]
)
def test_a_broken_file_breaks_nothing(text):
    caddy(text)
    nginx(text)


def test_no_file_says_nothing():
    assert read("/etc/caddy/Caddyfile", None) is None and read("/srv/other.conf", "a") is None

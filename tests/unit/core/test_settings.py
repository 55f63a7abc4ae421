"""settings.toml: what can't be used is one sentence that names the entry, before anything is done with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.core import settings
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.verdicts import UsageError
from tests.support.paths import DATA

SHIPPED = (DATA / "settings.toml").read_text()
BACKUP = '[backup]\nfiles = "{files}"\nhours = {hours}\n'


def load(tmp_path: Path, text: str) -> settings.Settings:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return settings.load(file)


def refused(tmp_path: Path, text: str, *words: str) -> None:
    assert text != SHIPPED, "nothing was changed"
    with pytest.raises(UsageError) as raised:
        load(tmp_path, text)
    said = str(raised.value)
    assert (
        said.startswith(f"the settings file {tmp_path}/settings.toml has an invalid entry: ")
        and "\n" not in said
    )
    assert not [word for word in words if word not in said], said


def test_the_shipped_file_is_usable():
    assert settings.load(SETTINGS).hosts.front


@pytest.mark.parametrize(
    "name",
    [
        "Billing.example.com",
        "billing example.com",
        "billing.example.com\\n",
        "ftp://billing.example.com",
        "https://billing example.com",
        "billing.example.com:443",
        "billing.example.com.",
        "billing..example.com",
        "-billing.example.com",
        "bücher.example.com",
        "*.example.com",
        "billing`) || Host(`x",
        f"{'b' * 64}.example.com",
        ".".join(["b" * 60] * 5),
    ],
)
@pytest.mark.parametrize("role", ["front", "api", "gateway"])
def test_a_host_that_is_none(role, name, tmp_path):
    old = next(line for line in SHIPPED.splitlines() if line.startswith(f"{role} = "))
    refused(tmp_path, SHIPPED.replace(old, f'{role} = "{name}"'), f"hosts.{role}", "write ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("billing.example.com", "https://billing.example.com"),
        ("https://billing.example.com/api/", "https://billing.example.com/api"),
        ("http://192.0.2.7:8080", "http://192.0.2.7:8080"),
        ("http://[2001:db8::7]:3000", "http://[2001:db8::7]:3000"),
        ("https://billing.example.com:443", "https://billing.example.com"),
        ("", "None"),
    ],
)
def test_a_host_is_a_name_or_a_url(written, meant, tmp_path):
    old = next(line for line in SHIPPED.splitlines() if line.startswith("api = "))
    assert str(load(tmp_path, SHIPPED.replace(old, f'api = "{written}"')).url("api")) == meant


def test_a_file_may_have_nothing(tmp_path):
    assert load(tmp_path, "") == settings.Settings()
    assert load(tmp_path, "[limits]\nqueue_age = 90\n").limits.free_disk_mib == 2048


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("ftp://billing.example.com", "leave out ftp://, and write billing.example.com"),
        (
            "ftp://me@Billing.example.com:21/api",
            "leave out ftp:// and the user and the port and what follows the host name, and write billing.example.com",
        ),
        ("billing.example.com:443", "leave out the port, and write billing.example.com"),
        ("Billing.Example.com", "write billing.example.com, in lower case"),
        ("billing.example.com.", "write billing.example.com, in lower case and without a dot"),
        ("https://bücher.example.com", "as DNS has it"),
    ],
)
def test_what_to_write_instead_of_a_host(name, instead, tmp_path):
    old = next(line for line in SHIPPED.splitlines() if line.startswith("front = "))
    refused(tmp_path, SHIPPED.replace(old, f'front = "{name}"'), "hosts.front", instead)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "certificate_warning_days = 25",
            "certificate_warning_days = 5",
            "the warning needs the larger number",
        ),
        ("[3000, 3010", "[3000, 3000", "edge.closed_ports has 3000 twice"),
        ("[3000,", "[443,", "edge.closed_ports has 443, on which the proxy has to answer"),
        ('"8.8.8.8"', '"1.1.1.1"', "edge.resolvers has 1.1.1.1 twice"),
        ('"websecure"', '"web"', "edge.http_entrypoint and edge.https_entrypoint are both 'web'"),
        ("free_disk_mib = 2048", "free_disk_mib = 0", "limits.free_disk_mib is 0"),
        ("log_mib = 512", "log_mib = 0", "limits.log_mib is 0"),
        ("queue_age = 60", "queue_age = 0", "limits.queue_age is 0"),
        ('version = "v1.16.0"', 'version = "v1.16.0 "', "write the tag of Lago's image"),
        (
            "queue_age = 60",
            "queue_ages = 60",
            "there is no entry 'queue_ages' in [limits]; did you mean queue_age?",
        ),
        ("[limits]", "[limit]", "there is no entry 'limit'; did you mean limits?"),
        ("queue_age = 60", 'queue_age = "a minute"', "limits.queue_age must be a whole number, but is text"),
        ("[3000,", '["3000",', "edge.closed_ports (entry 1) must be a whole number, but is text"),
        ("[hosts]", "[[hosts]]", "[hosts] must be a table, but is a list"),
        ("migrations = 408", "migrations = 0", "must be a whole number of at least 1"),
    ],
)
def test_what_can_not_be_meant(old, new, words, tmp_path):
    assert old in SHIPPED
    refused(tmp_path, SHIPPED.replace(old, new, 1), words)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_editors_on_windows_write(line_end, tmp_path):
    text = "\ufeff" + SHIPPED.replace("\n", line_end)
    (tmp_path / "settings.toml").write_bytes(text.encode())
    assert settings.load(tmp_path / "settings.toml").hosts.front


def test_a_file_without_end_is_not_read(tmp_path):
    with (tmp_path / "settings.toml").open("wb") as huge:
        huge.truncate(2**40)
    with pytest.raises(UsageError, match="larger than 1024 KiB"):
        settings.load(tmp_path / "settings.toml")
    deep = f"{SHIPPED}\n[more]\nx = {'[' * 5000}{']' * 5000}"
    with pytest.raises(UsageError, match="nested too deeply"):
        load(tmp_path, deep)


@pytest.mark.parametrize(
    "resolver", ["", "dns.example.com", "1.1.1", "1.1.1.1:53", "fe80::1%eth0", "1.1.1.1 "]
)
def test_a_resolver_that_is_no_address(resolver, tmp_path):
    refused(tmp_path, SHIPPED.replace('"8.8.8.8"', f'"{resolver}"'), "edge.resolvers", repr(resolver))


def test_no_resolver_at_all(tmp_path):
    none = SHIPPED.replace('resolvers = ["1.1.1.1", "8.8.8.8"]', "resolvers = []\nsystem_resolver = false")
    refused(tmp_path, none, "edge.resolvers", "no DNS server")


@pytest.mark.parametrize("address", ["2606:4700::1111", "9.9.9.9"])
def test_addresses_of_both_kinds_are_usable(address, tmp_path):
    assert address in load(tmp_path, SHIPPED.replace("8.8.8.8", address)).edge.resolvers


@pytest.mark.parametrize("origin", ["origin.example.com", "203.0.113.7:443", "fe80::1%eth0"])
def test_an_origin_that_is_no_address(origin, tmp_path):
    refused(tmp_path, SHIPPED.replace("[edge]", f'[edge]\norigin = "{origin}"'), "edge.origin", origin)


@pytest.mark.parametrize("port", ["0", "-1", "70000", "1.5", '"80"', "true"])
def test_a_port_that_is_none(port, tmp_path):
    refused(tmp_path, SHIPPED.replace("[3000,", f"[{port},"), "edge.closed_ports")


@pytest.mark.parametrize("old", ["certificate_warning_days = 25", "certificate_error_days = 14"])
@pytest.mark.parametrize("days", ["-1", "100000", "nan", "1e400"])
def test_days_that_are_none(old, days, tmp_path):
    refused(tmp_path, SHIPPED.replace(old, f"{old.split()[0]} = {days}"), old.split()[0])


@pytest.mark.parametrize(
    "old", ["free_disk_mib = 2048", "queue_age = 60", "log_mib = 512", "clock_drift = 5"]
)
@pytest.mark.parametrize("limit", ["-1", "nan", "inf", '"5"', "[]"])
def test_limits_that_are_none(old, limit, tmp_path):
    refused(tmp_path, SHIPPED.replace(old, f"{old.split()[0]} = {limit}"), f"limits.{old.split()[0]}")


@pytest.mark.parametrize("directory", ["  ", "lago", "/root/lago\\n/etc", "/root\\u001b[2J"])
def test_a_directory_that_is_none(directory, tmp_path):
    refused(tmp_path, SHIPPED.replace('"/root/lago"', f'"{directory}"'), "deployment.directory")


@pytest.mark.parametrize("entry", ["compose_file", "env_file", "version"])
def test_a_text_that_is_empty_or_more_than_a_line(entry, tmp_path):
    old = next(line for line in SHIPPED.splitlines() if line.startswith(f"{entry} = "))
    for text in (" ", "a\\nb", "a\\tb"):
        refused(tmp_path, SHIPPED.replace(old, f'{entry} = "{text}"'), f"deployment.{entry}")


@pytest.mark.parametrize(
    "entry", ["http_entrypoint", "https_entrypoint", "resolver", "proxy_network", "gateway_network"]
)
@pytest.mark.parametrize("name", ["two words", "a`b", "-x", "a\\nb"])
def test_a_name_that_is_none(entry, name, tmp_path):
    old = next(line for line in SHIPPED.splitlines() if line.startswith(f"{entry} = "))
    refused(tmp_path, SHIPPED.replace(old, f'{entry} = "{name}"'), f"edge.{entry}")


@pytest.mark.parametrize(("migrations", "latest"), [("0", "20241119110219"), ("408", "2024"), ("408", "x")])
def test_a_schema_that_is_none(migrations, latest, tmp_path):
    text = SHIPPED.replace("migrations = 408", f"migrations = {migrations}")
    refused(tmp_path, text.replace('"20241119110219"', f'"{latest}"'), 'schema."…"')


@pytest.mark.parametrize(
    ("files", "hours"), [("", "26"), ("/a\\nb", "26"), ("/dumps/*", "0"), ("/dumps/*", "nan")]
)
def test_a_backup_that_is_none(files, hours, tmp_path):
    refused(tmp_path, SHIPPED + BACKUP.format(files=files, hours=hours), "backup")


GATEWAY = {"env_file": "/root/gateway/.env", "variable": "LAGO_API_KEY"}


def gateway(**entries: str) -> str:
    lines = [f'{name} = "{value}"' for name, value in (GATEWAY | entries).items()]
    return f"{SHIPPED}\n[gateway]\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"env_file": "gateway/.env"}, ["gateway.env_file", "starting with /"]),
        ({"env_file": "/root/\\n.env"}, ["gateway.env_file"]),
        ({"variable": ""}, ["gateway.variable is ''"]),
        ({"variable": "LAGO-API-KEY"}, ["gateway.variable is 'LAGO-API-KEY'"]),
        ({"url_variable": "1URL"}, ["gateway.url_variable is '1URL'"]),
        ({"container": "gate way"}, ["gateway.container is 'gate way'"]),
        ({"project": "gateway"}, ["gateway.project and gateway.service belong together"]),
        ({"service": "api"}, ["gateway.project and gateway.service belong together"]),
        (
            {"container": "a", "project": "b", "service": "c"},
            ["gateway.container names the container already"],
        ),
    ],
)
def test_a_gateway_that_can_not_be_used(entries, words, tmp_path):
    refused(tmp_path, gateway(**entries), *words)


@pytest.mark.parametrize(
    "entries", [{}, {"container": "gateway-1"}, {"project": "gateway", "service": "api"}]
)
def test_a_gateway_may_be_named_in_several_ways(entries, tmp_path):
    assert load(tmp_path, gateway(**entries)).gateway == settings.Gateway(**GATEWAY, **entries)


def test_bounds_of_signs(tmp_path):
    assert load(tmp_path, f"{SHIPPED}\n[signs]\ntopup_hours = 72\n").signs == settings.Signs(topup_hours=72)
    assert settings.load(SETTINGS).signs == settings.Signs()
    for name in settings.Signs.__struct_fields__:
        assert f"# {name} = {getattr(settings.Signs(), name)}\n" in SHIPPED


@pytest.mark.parametrize("bound", ["-1", "1.5", "nan", '"1; DROP TABLE events"', "[]", "1000000", "true"])
def test_bounds_of_signs_that_are_none(bound, tmp_path):
    refused(tmp_path, f"{SHIPPED}\n[signs]\ntopup_hours = {bound}\n", "signs.topup_hours")

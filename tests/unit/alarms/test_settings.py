"""The alarms file: where it is looked for, and that each mistake in it is one sentence without its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.alarms.settings import VARIABLE, load
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import UsageError

SECRET = "s3cr3tTokenOfOurs99"
GOOD = f'targets = ["json://user:{SECRET}@127.0.0.1:9/hooks/x"]\n'


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in (VARIABLE, "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path):
    def written(content: str, mode: int = 0o600, name: str = "alarms.toml") -> Path:
        path = tmp_path / name
        path.write_text(content)
        path.chmod(mode)
        return path

    return written


def test_nothing_configured_is_nothing():
    assert load(None) is None


def test_all_entries_are_read(file):
    settings = load(
        file(
            'targets = ["json://127.0.0.1:9/a", "mailto://127.0.0.1:2525?from=a@example.com&to=b@example.com"]\n'
            'heartbeat = "https://hc-ping.com/5b9ff4a8-91a7-4b2f-9f4e-0123456789ab"\n'
            'page = "https://status.example.com/"\nrepeat_hours = 12\npushgateway = "http://push.example.com:9091"\n'
        )
    )
    assert [target.reveal()[:7] for target in settings.targets] == ["json://", "mailto:"]
    assert settings.heartbeat.reveal().endswith("ab")
    assert (settings.page, settings.repeat_hours) == ("https://status.example.com/", 12)
    assert settings.pushgateway == "http://push.example.com:9091" and settings.warnings == ()


def test_the_option_comes_before_the_variable_and_that_before_systemd(file, monkeypatch, tmp_path):
    paths = {hours: file(f"{GOOD}repeat_hours = {hours}\n", name=f"{hours}.toml") for hours in (1, 2)}
    file(f"{GOOD}repeat_hours = 3\n", name="alarms")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load(None).repeat_hours == 3
    monkeypatch.setenv(VARIABLE, str(paths[2]))
    assert load(None).repeat_hours == 2
    assert load(paths[1]).repeat_hours == 1


def test_a_folder_of_other_credentials_is_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load(None) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("targets = [", "is not TOML"),
        ("", "names no targets, no heartbeat and no pushgateway"),
        (f'target = ["json://{SECRET}@x"]', "there is no entry 'target'; did you mean targets?"),
        (f'targets = "json://{SECRET}@x"', "[targets] must be a list, but is text"),
        (
            f'targets = ["json://x", "slak://{SECRET}/x"]',
            "number 2 of targets (slak://…) is not a notification URL",
        ),
        (f'targets = ["{SECRET}"]', "number 1 of targets is not a notification URL"),
        (f'targets = ["tgram://{SECRET}"]', "number 1 of targets (tgram://…)"),
        (f'heartbeat = "ftp://x/{SECRET}"', "heartbeat is not the address of a web server"),
        (f'heartbeat = "https://x:99999/{SECRET}"', "heartbeat is not the address of a web server"),
        (f'{GOOD}page = "index.html"', "page is not the address of a web server"),
        (f'{GOOD}page = "https://u:{SECRET}@x/"', "page contains a user or a password"),
        (f"{GOOD}repeat_hours = 0", "repeat_hours"),
        (f'"json://{SECRET}" = 1', "there is no entry 'json://…; known are targets"),
        (f"targets = {'[' * 100_000}", "it is nested too deeply"),
        (f"{GOOD}#{'x' * 2**20}", "is larger than 1024 KiB"),
        (f"{GOOD}repeat_hours = nan", "repeat_hours"),
        (f"{GOOD}repeat_hours = inf", "repeat_hours"),
    ],
)
def test_a_mistake_is_one_sentence_that_shows_no_secret(file, content, said, capfd):
    with pytest.raises(UsageError) as raised:
        load(file(content))
    text = str(raised.value)
    assert said in text and "\n" not in text
    assert SECRET not in text + repr(raised.value.__cause__)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_can_not_be_read_is_one_sentence(tmp_path, name):
    with pytest.raises(UsageError, match=r"can't be read: .*; choose another with --alarms"):
        load(tmp_path / name)


def test_bytes_that_are_no_text_are_one_sentence(tmp_path):
    (tmp_path / "alarms.toml").write_bytes(b"targets = ['\xff']")
    with pytest.raises(UsageError, match="is not TOML: it is not UTF-8"):
        load(tmp_path / "alarms.toml")


def test_a_byte_order_mark_is_no_mistake(file):
    assert len(load(file(f"\ufeff{GOOD}")).targets) == 1


def test_a_device_without_end_is_not_read_to_it():
    with pytest.raises(UsageError, match="/dev/zero is larger than 1024 KiB"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o600, ""), (0o640, ""), (0o644, "read the secrets"), (0o622, "change the alarms file")],
)
def test_a_file_that_is_open_to_everybody_is_a_warning(file, mode, said):
    warnings = load(file(GOOD, mode)).warnings
    assert bool(warnings) == bool(said)
    assert not said or f"every user of this machine can {said}" in warnings[0]


def test_no_part_of_a_url_shows_up_in_a_text_and_names_of_hosts_do(file):
    load(
        file(
            'targets = ["json://u:hunter2hunter@hooks.example.com/T0k3n/aB3dE5gH7jK9mN1p"]\n'
            'heartbeat = "https://hc-ping.com/5b9ff4a8-91a7-4b2f-9f4e-0123456789ab"\n'
        )
    )
    text = "hunter2hunter aB3dE5gH7jK9mN1p 5b9ff4a8-91a7-4b2f-9f4e-0123456789ab hooks.example.com hc-ping.com"
    assert redact(text) == "<secret> <secret> <secret> hooks.example.com hc-ping.com"

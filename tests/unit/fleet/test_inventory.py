"""Inventories: Ansible's, by Ansible's own parser, and lists in TOML. What can't be used is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet import inventory

INI = """
[web]
web[08:11].example.org ansible_user=root ansible_port=2222
[single]
db ansible_host=10.0.0.1 ansible_ssh_private_key_file=keys/db
six ansible_host=2001:db8::1
[production:children]
web
single
[production:vars]
lago_acceptance_settings=production.toml
"""
YAML = """
all:
  children:
    web:
      hosts:
        a[1:3]: {ansible_user: root}
      vars: {lago_acceptance_project: lago}
"""
TOML = """
[[host]]
address = "ssh://root@a"
settings = "a.toml"
groups = ["production"]
[[host]]
address = "ssh://b:22"
project = "lago"
ca_file = "/etc/roots.pem"
"""


def written(tmp_path: Path, text: str, name: str = "hosts") -> Path:
    """An inventory of this text."""
    file = tmp_path / name
    file.write_text(text, "utf-8", "surrogateescape")
    return file


def test_an_inventory_in_ini_with_groups_ranges_and_variables(tmp_path):
    found = {each.address: each for each in inventory.read(written(tmp_path, INI))}
    webs = [f"ssh://root@web{number}.example.org:2222" for number in ("08", "09", "10", "11")]
    assert set(found) == {*webs, "ssh://10.0.0.1", "ssh://[2001:db8::1]"}
    assert [address for address in found if "web" in address] == webs
    assert {each.settings for each in found.values()} == {tmp_path / "production.toml"}
    assert found["ssh://10.0.0.1"].identity == tmp_path / "keys" / "db"


def test_an_inventory_in_yaml(tmp_path):
    found = inventory.read(written(tmp_path, YAML, "hosts.yml"))
    assert [each.address for each in found] == ["ssh://root@a1", "ssh://root@a2", "ssh://root@a3"]
    assert {each.project for each in found} == {"lago"}


def test_variables_of_groups_in_files_beside_it(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("ansible_user: deploy\n")
    (found,) = inventory.read(written(tmp_path, "a\n"))
    assert found.address == "ssh://deploy@a"


@pytest.mark.parametrize(("limit", "count"), [("web", 4), ("production:!web", 2), ("db", 1), ("web08*", 1)])
def test_a_group_of_it(limit, count, tmp_path):
    assert len(inventory.read(written(tmp_path, INI), limit)) == count


def test_a_host_that_is_in_it_twice_is_looked_at_once(tmp_path):
    assert len(inventory.read(written(tmp_path, "a\na\n[group]\na\n"))) == 1


def test_a_list_in_toml(tmp_path):
    file = written(tmp_path, TOML, "hosts.toml")
    a, b = inventory.read(file)
    assert (a.address, a.settings) == ("ssh://root@a", tmp_path / "a.toml")
    assert (b.address, b.project, b.ca_file) == ("ssh://b:22", "lago", Path("/etc/roots.pem"))
    assert inventory.read(file, "production") == (a,)


REFUSED = {
    "names no host": ("hosts", "", ""),
    "names no host of nosuch": ("hosts", "a\n", "nosuch"),
    "can't be read by Ansible's parser": ("hosts.yml", "a: [b", ""),
    "and no plugin is run": ("aws_ec2.yml", "plugin: amazon.aws.aws_ec2\n", ""),
    "ansible_host of a in .* is computed by Ansible": ("hosts", "a ansible_host='{{ b }}'\n", ""),
    "a in .* is reached by local": ("hosts", "a ansible_connection=local\n", ""),
    "a file of names is not read": ("hosts", "a\n", "@/etc/passwd"),
    "Section .p:children. includes undefined group 'b'": ("hosts", "[p:children]\nb\n", ""),
    "Expected key=value host variable assignment$": ("hosts", "a ansible_password=x hunter2\n", ""),
    "YAML parsing failed": ("hosts.yaml", "a: [b", ""),
    "names no host of --version": ("hosts", "a\n", "--version"),
    "has a comma in its path": ("hosts,old", "a\n", ""),
    "is not UTF-8 text .byte 2.": ("hosts", "a\udcff\n", ""),
    "is not TOML: .*; write ..host..": ("hosts.toml", "[[host]\n", ""),
    "is not TOML: it is not UTF-8": ("hosts.toml", "\udcff", ""),
    "no entry 'adress' in host .entry 1.; did you mean address": (
        "hosts.toml",
        '[[host]]\nadress = "ssh://a"\n',
        "",
    ),
    "groups of host .entry 1. must be a list": (
        "hosts.toml",
        '[[host]]\naddress = "ssh://a"\ngroups = "g"\n',
        "",
    ),
    "it is nested too deeply": ("hosts.toml", f"a = {'[' * 100_000}", ""),
    "has no such group; there are: production": ("hosts.toml", TOML, "test"),
    "has no such group, because no host names any groups": (
        "hosts.toml",
        '[[host]]\naddress = "ssh://a"\n',
        "test",
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_can_not_be_used_is_one_sentence(words, tmp_path):
    name, text, limit = REFUSED[words]
    with pytest.raises(UsageError, match=words) as refused:
        inventory.read(written(tmp_path, text, name), limit)
    assert "\n" not in str(refused.value) and "Traceback" not in str(refused.value)


def test_a_list_in_toml_as_editors_of_windows_write_it(tmp_path):
    (found,) = inventory.read(written(tmp_path, '\ufeff[[host]]\naddress = "ssh://a"\n', "hosts.toml"))
    assert found.address == "ssh://a"


def test_the_home_of_a_user_that_is_not_there(tmp_path):
    """The file is missing then, which is said of it as of any other."""
    text = '[[host]]\naddress = "ssh://a"\nsettings = "~no-such-user/x"\n'
    (found,) = inventory.read(written(tmp_path, text, "hosts.toml"))
    assert found.settings == tmp_path / "~no-such-user" / "x"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="--inventory .* does not exist"):
        inventory.read(tmp_path / "nowhere")


def test_a_script_is_not_run(tmp_path):
    script = written(tmp_path, f"#!/bin/sh\ntouch {tmp_path}/ran\necho '{{}}'\n")
    script.chmod(0o755)
    with pytest.raises(UsageError, match="no script"):
        inventory.read(script)
    assert not (tmp_path / "ran").exists()


def test_plugins_beside_it_are_not_run(tmp_path, monkeypatch):
    """Neither those of the current folder, nor those that a configuration there or a variable names."""
    for folder in ("vars_plugins", "inventory_plugins"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (tmp_path / "ansible.cfg").write_text(
        "[defaults]\nvars_plugins = vars_plugins\nvars_plugins_enabled = own\n"
    )
    monkeypatch.setenv("ANSIBLE_VARS_PLUGINS", str(tmp_path / "vars_plugins"))
    monkeypatch.chdir(tmp_path)
    inventory.read(written(tmp_path, "a\n"))
    assert not (tmp_path / "ran").exists()


def test_a_range_that_would_take_all_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(inventory, "AT_MOST_MIB", 600)
    with pytest.raises(UsageError, match="names too many hosts: it takes more than 600 MiB to read"):
        inventory.read(written(tmp_path, "a[1:99999999]\n"))

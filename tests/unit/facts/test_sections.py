"""Each section's parser, on what GNU's and BusyBox's tools print, and on output that is empty, odd or cut."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.dump import Dump
from lago_acceptance.facts.host_state import Inodes, Machine
from lago_acceptance.facts.sections import (
    clock,
    disk,
    dumps,
    files,
    images,
    inodes,
    log_sizes,
    machine,
    mounts,
    sections,
)
from lago_acceptance.facts.sections.clock import Clock
from lago_acceptance.facts.sections.networks import networks
from lago_acceptance.facts.sections.projects import lagos, project
from lago_acceptance.facts.sections.volumes import volumes
from lago_acceptance.facts.types import ComposeText, Disk, Facts, Image, KeyFile
from tests.support.facts import facts

GNU_DF = """Filesystem     1024-blocks      Used Available Capacity Mounted on
/dev/sda1         41152736  12345678  26683420      32% /
/dev/sda1         41152736  12345678  26683420      32% /
"""
BUSYBOX_DF = """Filesystem           1024-blocks    Used Available Capacity Mounted on
/dev/mapper/vg-root   41152736  12345678  26683420  32% /
"""
PRIVATE = "Private-Key: (2048 bit, 2 primes)"
DIGEST = "a" * 64
NOTHING_HASHED = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_each_section_fills_a_field_of_facts_of_its_own():
    fields = [each.field for each in sections()]
    known = {field.name for field in msgspec.structs.fields(Facts)} | {"clock"}
    assert len(set(fields)) == len(fields) and set(fields) <= known
    assert all(each.parse.__doc__ for each in sections())


def test_all_sections_but_the_clock_survive_a_host_that_prints_nothing():
    for each in sections():
        if each.field != "clock":
            assert not each.parse("")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GNU_DF, [Disk("/", 26058), Disk("/", 26058)]),
        (BUSYBOX_DF, [Disk("/", 26058)]),
        ("//nas/My Share 100 1 2048 2% /mnt/my disk\n", [Disk("/mnt/my disk", 2)]),
        # More than root's reserve is taken.
        ("/dev/sda1 100 104 -4096 104% /\n", [Disk("/", -4)]),
        ("df: /var/lib/docker: No such file or directory\n", []),
        ("/dev/sda1 41152736 12345", []),
    ],
)
def test_disks(text, found):
    assert list(disk.disks(text)) == found


def test_names_of_networks_and_volumes():
    assert networks('"bridge"\n"lago_default"\n') == ("bridge", "lago_default")
    assert volumes('"lago_pgdata"\n["x"]\n"cut') == ("lago_pgdata",)


def test_an_image_has_all_its_names_and_stands_there_once():
    line = "sha256:1 getlago/api:v1.16.0 getlago/api@sha256:2\n"
    assert images.images(f"{line}{line}sha256:3\n \n") == (
        Image("sha256:1", ("getlago/api:v1.16.0", "getlago/api@sha256:2")),
        Image("sha256:3", ()),
    )


def test_dumps_with_odd_names():
    text = "1795000000\t10\t/srv/a b.dump\n1795000001\t0\t/srv/tab\there.dump\n1795000002\t5\t/srv/line\nfeed\n17950"
    assert dumps.dumps(text) == (
        Dump("/srv/a b.dump", 1795000000.0, 10),
        Dump("/srv/tab\there.dump", 1795000001.0, 0),
        Dump("/srv/line", 1795000002.0, 5),
    )


def test_a_logs_rotated_files_count_and_what_is_hidden_is_left_out():
    text = (
        "log\ta\t/c/a/a-json.log\nlog\tb\t/c/b/b-json.log\nlog\tab\t/c/a/a-json.log2\n"
        "size\t100\t/c/a/a-json.log\nsize\t20\t/c/a/a-json.log.1\nsize\t3\t/c/a/a-json.log2\nsize\t\nsize\tx\t/c/b/b-json.log\n"
    )
    assert log_sizes.log_sizes(text) == {"a": 120, "ab": 3}


def test_projects():
    assert lagos("production\t/srv/lago\nswarm\t\nold\n") == {
        "production": "/srv/lago",
        "swarm": "",
        "old": "",
    }
    assert project("production\n") == "production"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("/srv/compose.yml\t644 0 regular file\t", ComposeText("/srv/compose.yml", "644", ())),
        ("/srv/.env\t600 0 regular file\t3 14 ", ComposeText("/srv/.env", "600", (3, 14))),
        ("/srv/gone.yml\t\t", ComposeText("/srv/gone.yml", "", ())),
        ("/srv/cut.yml", ComposeText("/srv/cut.yml", "", ())),
        ("/srv/cut.yml\t644 0 regular file\t3 x", ComposeText("/srv/cut.yml", "644", (3,))),
    ],
)
def test_files(line, found):
    assert files.texts(f"{line}\n") == (found,)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            f"/srv/key.pem\t600\t0\t1704\tregular file\tBEGIN PRIVATE KEY\t{PRIVATE}\tyes\t{DIGEST}",
            KeyFile(
                "/srv/key.pem",
                "600",
                "0",
                1704,
                "regular file",
                "-----BEGIN PRIVATE KEY-----",
                PRIVATE,
                True,
                DIGEST,
            ),
        ),
        (
            f"/srv/no.key\t644\t0\t3\tregular file\t\t\tno\t{NOTHING_HASHED}",
            KeyFile("/srv/no.key", "644", "0", 3, "regular file"),
        ),
        (
            "/srv/key.pem\t600\t0\t1704\tregular file\t\tunreadable\t\t",
            KeyFile("/srv/key.pem", "600", "0", 1704, "regular file", text="unreadable"),
        ),
        ("/srv/data\t755\t0\t4096\tdirectory\t", KeyFile("/srv/data", "755", "0", 4096, "directory")),
        ("/srv/none\t-\t-\t-\tabsent\t", KeyFile("/srv/none", "-", "-", 0, "absent")),
        (
            "/srv/cut\t600\t0\t1704\tregular file\tBEGIN",
            KeyFile("/srv/cut", "600", "0", 1704, "regular file"),
        ),
    ],
)
def test_mounts(line, found):
    assert mounts.sources(f"{line}\n/srv/cut\t600\n") == (found,)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1795600000.5 1795600001.25\n", Clock(1795600000.5, 1795600001.25, False)),
        ("1795600000.%N 1795600001.%N\n", Clock(1795600000.0, 1795600001.0, True)),
        ("1795600000. 1795600001.\n", Clock(1795600000.0, 1795600001.0, True)),
        ("1795600000.N 1795600001.N\n", Clock(1795600000.0, 1795600001.0, True)),
        ("1795600000 1795600001\n", Clock(1795600000.0, 1795600001.0, True)),
    ],
)
def test_a_clock_with_or_without_fractions(text, found):
    assert clock.clock(text) == found


@pytest.mark.parametrize("text", ["", "1795600000.5\n", "date: not found\n", "one two\n"])
def test_a_clock_that_says_nothing_is_no_verdict(text):
    with pytest.raises(Unreachable, match="clock can't be read"):
        clock.clock(text)


@pytest.mark.parametrize(
    ("read", "asked", "answered", "drift"),
    [
        # Within what the way there and back takes.
        (Clock(100.2, 101.2, False), 100.0, 101.5, 0.0),
        (Clock(110.0, 111.0, False), 100.0, 101.5, 9.5),
        (Clock(90.0, 91.0, False), 100.0, 101.5, -10.0),
        # 99 may have been 99.9.
        (Clock(99.0, 100.0, True), 99.9, 100.5, 0.0),
        (Clock(90.0, 91.0, True), 100.0, 101.5, -9.0),
    ],
)
def test_only_what_the_way_does_not_explain_is_drift(read, asked, answered, drift):
    assert read.drift(asked, answered) == drift


PROC = "load 7.21\nMemTotal: 8130000\nMemAvailable: 409600\nSwapTotal: 0\nSwapFree: 0\nprocessors 2\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PROC, Machine(7.21, 2, 7939, 400, 0, 0)),
        ("load 0.10\nprocessors \nMemTotal: x\n", Machine(load=0.1)),
        ("load nan\nprocessors 0\n", None),
        ("awk: not found\n", None),
    ],
)
def test_processors_and_memory(text, found):
    assert machine.machine(text) == found


def test_the_load_is_told_in_words_where_it_is_known():
    assert Machine(7.21, 2).load_text == "the host's load is 7.2 on 2 cores"
    assert Machine(0.5, 1).load_text == "the host's load is 0.5 on 1 core"
    assert [facts(machine=each).load_text() for each in (None, Machine(), Machine(1.0))] == ["", "", ""]


GNU_INODES = """Filesystem      Inodes  IUsed   IFree IUse% Mounted on
/dev/sda1      2621440 500000 2121440   20% /
/dev/sdb       0 0 0 - /btrfs
/dev/sda1      2621440 500000 2121440   20% /
"""


def test_inodes_of_file_systems_that_have_a_number_of_them():
    assert inodes.inodes(GNU_INODES) == (Inodes("/", 2621440, 2121440),)
    assert inodes.inodes("df: unrecognized option: i\n/dev/sda1 26214") == ()

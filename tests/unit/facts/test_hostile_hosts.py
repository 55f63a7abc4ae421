"""Labels, logs, answers and files of a host may say anything: none becomes a row, a section, or a command."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.scripts import render
from tests.support.pretended_host import KEY, ONE_SHELL, PASSWORD, Shell, row, rows

AWKS = ["mawk", "gawk", "busybox awk"]
COMPOSE = "com.docker.compose.project"
FORGED = (
    'x\nR\tforged\ttrue\t"production"\t"api"\t"api"\t"getlago/api"\t"x"\t[]\t"/f"\n'
    "declaration\ncontainers {}\nproject forged\nfacts end\n\tproject\nforged\n'; touch $HOME/broken; '`touch broken`"
)


def log_is(host: Shell, log: bytes) -> None:
    (host.folder / "log").write_bytes(log)


def test_docker_is_asked_for_nothing_that_may_end_a_row():
    """Names, paths, labels and values are printed as JSON; the rest are Docker's own numbers and words."""
    script = render.script("collect.sh")
    template = script.partition("template='")[2].partition("'\n# ")[0]
    actions = re.findall(r"{{(.+?)}}", template)
    printed = {each for each in actions if not re.match(r"(with|if|range|else|end|\$id :=)", each)}
    plain = {each for each in printed if not each.startswith("json ")}
    assert len(printed) > 20
    assert plain == {".Id", "$id", ".State.Running", ".RestartCount", ".Status"}
    assert not re.search(r"--format '{{\.Name", script)


@ONE_SHELL
@pytest.mark.parametrize(
    "label", [COMPOSE, f"{COMPOSE}.working_dir", f"{COMPOSE}.config_files", "lago-acceptance.role", "any"]
)
def test_a_label_is_never_a_row(label, lago):
    """Of a container of the deployment itself, or of another project."""
    for id, project in (("own", "production"), ("other", "blog")):
        labels = {COMPOSE: project, label: FORGED}
        lago.add(
            rows(
                id, f"image{FORGED}", FORGED, [FORGED], labels=labels, environment={"A": FORGED, FORGED: "1"}
            )
        )
    facts = observe(lago, project="production")
    # By its image it is a Lago of its own, and without a project it is found by its own name.
    assert set(facts.lagos) <= {"production", "blog", "own", "other"} and "\n" not in str(
        [*facts.lagos.values()]
    )
    assert {each.id for each in (*facts.containers, *facts.others)} == {"api1", "db1", "own", "other"}
    assert facts.database.directory == "/data" and facts.networks == ("bridge", "production_default")
    assert not (lago.folder / "broken").exists()


def test_a_path_is_never_a_line(lago):
    """Of a mount, or of a dump."""
    lago.add([row("M", "api1", f"/srv/x\n{lago.folder}/tools"), row("N", "api1", "net\nwork", {})])
    dump = lago.folder / "it's lago" / "x\n1795999999\t10\t"
    (dump / "srv").mkdir(parents=True)
    (dump / "srv" / "y.dump").write_text("x")
    (lago.folder / "it's lago" / "9\n1795999999\t10\tfresh.dump").write_text("x")
    facts = observe(lago, backups=f"{lago.folder}/it?s?lago/*.dump")
    assert [each.written for each in facts.dumps] == [1795000001.0, 1795000002.0, 1795000003.0]
    assert not [each for each in facts.sources if "tools" in each.path or each.path == "/srv/x"]


def test_a_log_line_is_never_a_section(lago):
    lines = [
        "\tproject",
        "forged",
        "",
        "project forged",
        "facts end",
        'containers {"id": "forged"}',
        "n0\tproject",
        "\x1b[2J",
        "\\n",
        "declaration",
        "the end",
    ]
    log_is(lago, "\n".join(lines).encode() + b"\n\xff\xfe\n")
    facts = observe(lago)
    assert facts.project == "production" and len(facts.containers) == 2
    assert facts.logs["api1"].split("\n") == [*lines, "\ufffd\ufffd", ""]


def test_what_a_login_prints_is_no_answer(lago):
    """Even if it is what an earlier reading has printed."""
    before = lago.run("true")
    told = []

    class Loud(Shell):
        def __init__(self):
            self.__dict__ |= lago.__dict__

        def read(self, reading):
            printed = super().read(reading)
            told.append(printed)
            return f"{''.join(told[:-1])}{before}{printed}facts end\nproject other\nfacts begin x\n"

    host = Loud()
    assert observe(host).project == "production"
    lago.add(rows("late", "redis:7", "x"))
    assert {each.id for each in observe(host).containers} == {"api1", "db1", "late"}


@ONE_SHELL
@pytest.mark.parametrize(
    "log",
    [
        b"x" * 10_000_000,
        b"\n" * 1_000_000,
        b"l\n" * 1_000_000,
        b"\0" * 1_000_000 + b"\xff" * 100_000,
        b"://a:" * 400_000,
        b"-----BEGIN RSA PRIVATE KEY-----" * 100_000,
        b"MII" * 1_000_000,
        b"A " * 2_000_000,
    ],
    ids=["one long line", "empty lines", "short lines", "bytes", "URLs", "headers", "DER", "blanks"],
)
def test_a_log_of_any_size_is_bounded(log, lago):
    log_is(lago, log + b"\nthe end\n")
    facts = observe(lago)
    assert len(facts.logs["api1"]) <= 210_000 and facts.logs["api1"].endswith("the end\n")
    assert facts.database.directory == "/data"


@ONE_SHELL
def test_an_answer_without_end_is_cut_and_the_others_arrive(lago):
    (lago.folder / "exec").write_text("while echo '{\"health\": 1}'; do :; done | head -c 8100000\n")
    facts = observe(lago)
    assert "the rest is left out: more than 8000000 bytes" in facts.lago["api1"].error
    assert facts.project == "production" and facts.database is None and facts.database_error
    (lago.folder / "exec").write_text("printf '{\"health\": \"'; head -c 30000000 /dev/zero | tr '\\0' x\n")
    assert "the rest is left out" in observe(lago).lago["api1"].error


@pytest.mark.parametrize("name", AWKS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(
        st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")), min_size=1
    )
)
def test_what_the_shell_is_given_is_what_docker_said(name, texts):
    """Quotes, backslashes, ampersands and blanks of any text go through awk and the shell's eval unchanged."""
    awk = name.split()
    if shutil.which(awk[0]) is None:
        pytest.skip(f"{name} is not on this machine")
    functions = render.script("plan.awk").partition("BEGIN { FS")[0]
    program = functions + '{ assign("told" NR, decoded($0, 1) ".") }'
    written = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts)
    ended = subprocess.run(
        [*awk, program], input=written.encode(), capture_output=True, check=True, env={"LC_ALL": "C"}
    )
    assert not ended.stderr
    shown = "".join(f'printf "%s\\0" "$told{number + 1}"\n' for number in range(len(texts)))
    told = subprocess.run(
        ["sh", "-s"], input=ended.stdout + shown.encode(), capture_output=True, check=True
    ).stdout
    assert [each.decode() for each in told.split(b"\0")[:-1]] == [f"{text}." for text in texts]


@pytest.fixture
def asked(lago: Shell):
    """The arguments and variables that Compose was given, in a file."""
    file = lago.folder / "asked"
    lago.program("docker-compose", f'#!/bin/sh\necho "$*" >>{file}\nenv >>{file}\necho "{{}}"\n')
    return file


def names_files(lago: Shell, files: str, env_files: str = "", directory: str = "") -> None:
    """Have the API's labels name these files."""
    table = (lago.folder / "table").read_text().splitlines()
    kept = [line for line in table if not line.startswith("P\tapi1")]
    (lago.folder / "table").write_text(
        "\n".join([*kept, row("P", "api1", directory, files, env_files)]) + "\n"
    )


@ONE_SHELL
@pytest.mark.parametrize(
    "address",
    ["https://evil.example/x.git", "git@evil.example:x/y", "oci://evil.example/x", "github.com/x/y", "-"],
)
def test_compose_is_never_given_an_address(address, lago, asked):
    names_files(lago, f"{address},{lago.folder}/x", directory="https://evil.example/x")
    observe(lago)
    words = asked.read_text().split("\n")[0].split()
    assert [words[number + 1][0] for number, word in enumerate(words) if word == "-f"] == ["/", "/"]
    assert "--project-directory" not in words


@ONE_SHELL
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("device", "is a file of the kernel's"),
        ("kernel", "is a file of the kernel's"),
        ("pipe", "is not a regular file"),
        ("folder", "is not a regular file"),
        ("large", "is larger than 1 MiB"),
    ],
)
@pytest.mark.parametrize("label", ["files", "env_files"])
def test_what_is_no_small_file_is_not_read(kind, said, label, lago, asked):
    path = lago.folder / "named"
    match kind:
        case "device":
            path.symlink_to("/dev/zero")
        case "kernel":
            path.symlink_to("/proc/kmsg")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "large":
            with path.open("wb") as file:
                file.truncate(100 * 2**30)
    usual = f"{lago.folder}/it's lago/compose.yml"
    names_files(lago, str(path) if label == "files" else usual, str(path) if label == "env_files" else "")
    lago.add([row("M", "api1", str(path))])
    facts = observe(lago)
    assert facts.declaration is None and f"{path} {said}: it was not read" in facts.declaration_error
    assert not asked.exists() and not [text for text in facts.texts if text.key_lines]


@ONE_SHELL
@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("include:\n  - git://evil.example/x.git\n", True),
        ('include: ["https://evil.example/x.git"]\n', True),
        ("include:\n  - path:\n      - oci://evil.example/x\n", True),
        ("include:\n  - path: git@evil.example:x/y\n", True),
        ("services:\n  a:\n    extends:\n      file: https://evil.example/x.git\n", True),
        ("services: {a: {extends: {file: 'ssh://evil.example/x', service: b}}}\n", True),
        ("include:\n  - github.com/x/y\n", True),
        (
            "include:\n  - ./other.yml\nservices:\n  a:\n    environment:\n      URL: https://lago.example\n",
            False,
        ),
        (
            "services:\n  a:\n    healthcheck:\n      test:\n        - CMD\n        - http://localhost/x\n",
            False,
        ),
        ("services:\n  a:\n    build:\n      context: https://git.example/x.git\n", False),
    ],
)
def test_what_compose_would_fetch_it_does_not_get(text, refused, lago, asked):
    (lago.folder / "it's lago" / "compose.yml").write_text(text)
    facts = observe(lago)
    assert (
        "includes a file from the network: it was not given to Compose" in facts.declaration_error
    ) is refused
    assert asked.exists() is not refused


def test_compose_gets_no_variable_that_nobody_meant_for_it(lago, asked):
    class Login(Shell):
        def __init__(self):
            self.__dict__ |= lago.__dict__

        def start(self, script: str):
            return super().start(f"export AWS_SECRET_ACCESS_KEY=x DOCKER_AUTH=y\n{script}")

    observe(Login(), environment={"LAGO_VERSION": "v1.16.0"})
    names = set(re.findall(r"(?m)^(\w+)=", asked.read_text()))
    assert {"LAGO_VERSION", "PATH", "HOME"} <= names and not names & {"AWS_SECRET_ACCESS_KEY", "DOCKER_AUTH"}
    assert "COMPOSE_EXPERIMENTAL_GIT_REMOTE=false\n" in asked.read_text()
    assert "COMPOSE_EXPERIMENTAL_OCI_REMOTE=false\n" in asked.read_text()


def test_a_file_that_the_login_completes_is_not_taken_for_what_is_declared(lago):
    warning = 'level=warning msg="The \\"{}\\" variable is not set. Defaulting to a blank string."'

    class Login(Shell):
        def __init__(self):
            self.__dict__ |= lago.__dict__

        def start(self, script: str):
            return super().start(f"export LAGO_VERSION=v1.16.0\n{script}")

    for name, read in (("OTHER", True), ("LAGO_VERSION", False)):
        lago.program(
            "docker-compose", f"#!/bin/sh\necho '{warning.format(name)}'\necho '{{\"services\": {{}}}}'\n"
        )
        facts = observe(Login())
        assert (facts.declaration is not None) is read, facts.declaration_error
    assert "takes LAGO_VERSION from the environment of the login" in facts.declaration_error


@ONE_SHELL
def test_a_compose_that_fills_the_memory_is_ended(lago):
    """Such as one that reads an env_file without end."""
    lago.program("docker-compose", "#!/bin/sh\nexec tail /dev/zero\n")
    facts = observe(lago)
    assert facts.declaration is None and re.search("exit |400 MB", facts.declaration_error)
    assert KEY not in str(facts) and PASSWORD not in shlex.quote(str(facts))

"""What readings write side by side into one pipe arrives whole, and nothing is taken for it that is not."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.collect import observe, reading
from lago_acceptance.facts.containers import environments
from lago_acceptance.facts.script_output import ScriptOutput, begin, end
from lago_acceptance.facts.scripts import render
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.hosts.process import text_of
from tests.support.patience import PATIENCE

MASK, PLAN = render.script("mask.awk"), render.script("plan.awk")
AWKS = ["mawk", "gawk", "busybox awk"]
PARTS, LINES = 12, 60
NONCE = "n0"


def awk_of(name: str) -> list[str]:
    if shutil.which(name.split()[0]) is None:
        pytest.skip(f"{name} is not on this machine")
    return name.split()


def masked(awk: list[str], text: bytes, secrets: str | None = None, **variables: str) -> str:
    """What mask.awk sends out of a text, or out of sections behind the secrets that it is to know."""
    given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    environment = {"LC_ALL": "C"}
    if secrets is not None:
        text = f"{secrets}{NONCE}\n".encode() + text
        environment["nonce"] = NONCE
    ended = subprocess.run(
        [*awk, *given, MASK], input=text, capture_output=True, check=True, env=environment, timeout=PATIENCE
    )
    return text_of(ended.stdout)


def sections(told: str) -> ScriptOutput:
    """What mask.awk has printed, as Python reads it."""
    return ScriptOutput("somewhere", f"{begin(NONCE)}{told}{end(NONCE)}", NONCE)


@pytest.mark.parametrize("name", AWKS)
def test_long_lines_of_many_writers_arrive_whole(name):
    """Lines as long as a whole listing of plans, and short ones between them."""
    awk = awk_of(name)
    texts = {
        f"part:{part}": "".join(f"{part} {line} {'ü' * (1 + line * 211 % 9000)}\n" for line in range(LINES))
        for part in range(PARTS)
    }
    script = "\n".join(
        f"{' '.join(awk)} -v name={name} \"$mask\" <<'END' &\n{text}END" for name, text in texts.items()
    )
    with subprocess.Popen(
        ["sh"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"LC_ALL": "C", "mask": MASK, "PATH": "/usr/bin:/bin"},
    ) as shell:
        told, _ = shell.communicate(f"{script}\nwait\n".encode(), timeout=PATIENCE)
    output = sections(text_of(told))
    assert {each: output.text(each) for each in texts} == texts


@pytest.mark.parametrize("name", AWKS)
def test_of_a_log_the_last_lines_are_kept(name):
    text = "".join(f"line {number}\n" for number in range(1000))
    told = masked(awk_of(name), f"{NONCE}\tlogs:1\t100\tlast\n{text}".encode(), secrets="")
    kept = sections(told).text("logs:1")
    assert text.endswith(kept) and 80 < len(kept) <= 100


@pytest.mark.parametrize("name", AWKS)
def test_sections_of_one_stream_are_told_apart_and_cut_each_for_itself(name):
    begins = [f"\n{NONCE}\tlogs:{number}\t60\tlast\n" for number in (1, 2, 3)]
    old = "old line\n" * 50
    text = f"{begins[0]}{old}its last word{begins[1]}{begins[2]}red://u:word@h\n"
    output = sections(masked(awk_of(name), text.encode(), secrets=""))
    assert output.text("logs:1").endswith("old line\nits last word\n")
    assert len(output.text("logs:1")) <= 60
    assert (output.text("logs:2"), output.text("logs:3")) == ("", "red://u:<secret>@h\n")


@pytest.mark.parametrize("name", AWKS)
def test_no_section_of_the_host_lets_a_secret_out(name):
    """Whatever somebody's section may print."""
    text = "url=redis://u:word@h\n-----BEGIN RSA PRIVATE KEY-----\nKEY=LS0tLS1CRUdJTiBSU0Eg\n"
    output = sections(masked(awk_of(name), f"\n{NONCE}\tnew-fact\n{text}".encode(), secrets=""))
    assert output.text("new-fact") == "url=redis://u:<secret>@h\n<key material>\nKEY=<key material>\n"


@pytest.mark.parametrize("name", AWKS)
@pytest.mark.parametrize(
    ("image", "health", "asked"),
    [
        ("postgres:15", "healthy", False),
        ("postgres:15", "starting", True),
        ("postgres:15", "", True),
        ("redis:7", "healthy", False),
        ("getlago/api:v1.16.0", "healthy", True),
        ("busybox", "healthy", True),
    ],
)
def test_what_is_well_and_not_lagos_own_is_not_asked_for_its_log(name, image, health, asked):
    table = (
        f'R\tid1\ttrue\t"production"\tnull\t"one"\t"{image}"\t"run"\t["x"]\t"/one"\n'
        f'L\tid1\t"/var/lib/docker/containers/id1/id1-json.log"\t"/srv/docker/containers/id1/hostname"\t{health}\n'
    )
    ended = subprocess.run(
        [*awk_of(name), PLAN],
        input=table.encode(),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "wanted_project": "production"},
        timeout=PATIENCE,
    )
    lines = text_of(ended.stdout).splitlines()
    assert f"talkers='{'id1 ' if asked else ''}'" in lines
    assert "docker_root='/srv/docker'" in lines


@pytest.mark.parametrize("name", AWKS)
@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("redis://redis:6379", 0),
        ("redis://redis:6379/", 0),
        ("redis://:a%2F7@redis:6379/12", 12),
        ("rediss://redis/3?timeout=1", 3),
        ("redis://redis/x", 0),
    ],
)
def test_lagos_database_of_redis_is_the_urls(name, url, database):
    table = (
        'R\tid1\ttrue\t"lago"\tnull\t"api"\t"getlago/api:v1.16.0"\t"./scripts/start.sh"\t["x"]\t"/api"\n'
        f'E\tid1\t"REDIS_URL={url}"\n'
    )
    ended = subprocess.run(
        [*awk_of(name), PLAN],
        input=table.encode(),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "wanted_project": "lago"},
        timeout=PATIENCE,
    )
    assert f"redis_database='{database}'" in text_of(ended.stdout).splitlines()


@pytest.mark.parametrize("name", AWKS)
@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ("", "public"),
        ("POSTGRES_SCHEMA=billing", "billing"),
        ("DATABASE_URL=postgresql://l:w@db/lago?search_path=own", "own"),
    ],
)
def test_the_search_path_is_the_one_that_lago_sets(name, variables, path):
    table = (
        'R\tid1\ttrue\t"production"\tnull\t"one"\t"getlago/api:v1.16.0"\t"run"\t["x"]\t"/one"\n'
        f'E\tid1\t"{variables}"\n'
    )
    ended = subprocess.run(
        [*awk_of(name), PLAN],
        input=table.encode(),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "wanted_project": "production"},
        timeout=PATIENCE,
    )
    assert f"search_path='{path}'" in text_of(ended.stdout).splitlines()


@pytest.mark.parametrize("name", AWKS)
def test_bytes_that_are_no_text_harm_nothing(name):
    told = sections(masked(awk_of(name), b"a \xff\xfe b\r\nnext\x0b\x1c line\n", name="logs:1"))
    assert told.text("logs:1") == "a \ufffd\ufffd b\r\nnext\x0b\x1c line\n"


@pytest.mark.parametrize("name", AWKS)
def test_secrets_of_the_table_stay_and_others_containers_are_left_out(name):
    table = 'C\town\t{"id":"own"}\nE\town\t"LAGO_API_KEY=very-secret"\nE\tother\t"LAGO_API_KEY=elsewhere"\n'
    declared = 'declaration\n{\n  "LAGO_API_KEY": "very-secret",\n  "PORT": "3000"\n'
    output = sections(masked(awk_of(name), (table + declared).encode(), scope=" own "))
    values, declaration = environments(output.text("environment"))
    assert output.text("containers") == '{"id":"own"}\n'
    assert values == {"own": {"LAGO_API_KEY": "<secret:1:plain:11>"}}
    assert '"LAGO_API_KEY": "<secret:1:plain:11>",' in declaration and '"PORT": "3000"' in declaration


class Telling(Host):
    """A host that prints the given text, with the nonce that it was given in the place of NONCE."""

    name, compose_command = "somewhere", ""

    def __init__(self, output: str):
        self.output = output

    def read(self, reading: ReadCommand) -> str:
        return self.output.replace(NONCE, reading.variables["nonce"])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "did not arrive whole: nothing came"),
        ("Welcome!\n", "did not arrive whole: Welcome!"),
        (f"{begin(NONCE)}info {{}}\n", "did not arrive whole: the output broke off"),
        (
            f"{begin(NONCE)}docker-error Got permission denied\n{end(NONCE)}",
            "does not let this user talk to Docker",
        ),
    ],
)
def test_what_is_not_whole_is_no_verdict(output, words):
    with pytest.raises(Unreachable, match=words):
        observe(Telling(output))


def test_the_words_of_a_deployment_are_quoted():
    """A folder may be called anything."""
    asked = reading(Telling(""), directory="/srv/it's $(reboot); `x`", project='a"b')
    head = asked.script().partition("host_sections()")[0]
    told = subprocess.run(
        ["sh", "-s"],
        input=f'{head}\nprintf "%s|%s" "$directory" "$project"\n}}',
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "/srv/it's $(reboot); `x`|a\"b"


TABLE = r"""C	one	{"command":["redis-server","--requirepass","f00d\u0026 d00d","--save","60"]}
C	two	{"args":["-c","redis-server --requirepass f00d --masterauth=\"beef\" && redis-cli -a $PASSWORD ping"]}
C	three	{"test":["CMD","redis-cli","-a","f00d","ping"],"args":["--passphrase","open","-a","all"]}
C	four	{"args":["sh","-c","PGPASSWORD=f00d psql -c 'x'; MY_TOKEN=$(cat /x) API_TOKEN=\"beef\" y"],"cmd":["--password","f00d"]}
E	one	"REDIS_PASSWORD=f00d\u0026 d00d"
declaration
      "--requirepass",
      "f00d",
      "--save",
"""


@pytest.mark.parametrize("name", AWKS)
def test_passwords_of_redis_in_commands_are_masked_by_class(name):
    told = masked(awk_of(name), TABLE.encode(), scope=" one two three four ")
    containers, environment = (sections(told).text(section) for section in ("containers", "environment"))
    assert containers.splitlines() == [
        '{"command":["redis-server","--requirepass","<secret:1:plain:10>","--save","60"]}',
        '{"args":["-c","redis-server --requirepass <secret:2:plain:4> --masterauth=\\"<secret:3:plain:4>\\"'
        ' && redis-cli -a $PASSWORD ping"]}',
        '{"test":["CMD","redis-cli","-a","<secret:2:plain:4>","ping"],"args":["--passphrase","open","-a","all"]}',
        '{"args":["sh","-c","PGPASSWORD=<secret:2:plain:4> psql -c \'x\'; MY_TOKEN=$(cat /x)'
        ' API_TOKEN=\\"<secret:3:plain:4>\\" y"],"cmd":["--password","<secret:2:plain:4>"]}',
    ]
    assert environment.splitlines() == [
        "E\tone\tREDIS_PASSWORD\t<secret:1:plain:10>",
        'D\t      "--requirepass",',
        'D\t      "<secret:2:plain:4>",',
        'D\t      "--save",',
    ]

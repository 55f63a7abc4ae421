"""Rules about a change of values: secrets, and the database that Lago uses.

Each rule yields Violations about the new version. A value that is only set at deploy time is compared by the
variable that it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import given_later, unknown
from lago_acceptance.lago.key_loading import KEY, NATIVE_FILE, key_reading
from lago_acceptance.model.changes import comparable_names, pairs
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import nested
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import at_deploy, reference, variable
from lago_acceptance.rules.helpers.hosts import named


def _changed(
    before: Service, after: Service, name: str, old: Model, new: Model
) -> tuple[str, Severity | None] | None:
    """How a variable changed, and how severe that is; None where it is the same, or only the deploy can tell.

    A literal that becomes a variable of the deploy may keep its value: a warning. If the literal was that
    variable's default, nothing is reported, because without the variable Compose now stops.
    """
    was, is_ = before.value(name), after.value(name)
    if not was or was == is_:
        return None
    if not is_:
        return None if at_deploy(new, after, name) else ("is no longer set", None)
    if unknown(is_) and not unknown(was):
        text = old.source.text(before.name, name) if old.source else None
        default = any(given_later(use.name) in is_ for use in nested(text or ""))
        return None if default else ("was in the file; now it is set at deploy time", Severity.WARNING)
    return "has changed", None


def _value_changed(
    old: Model, new: Model, names: tuple[str, ...], impact: str, fix: str
) -> Iterator[Violation]:
    before, after = reference(old), reference(new)
    for name in names:
        if before and after and (change := _changed(before, after, name, old, new)):
            yield Violation(
                service=after,
                at=variable(after, name),
                severity=change[1],
                problem=f"{name} {change[0]}",
                impact=impact,
                fix=fix,
            )


@rule(phase=0, needs_base=True)
def secret_key_base_changed(old: Model, new: Model, settings: Settings) -> Iterable[Violation]:
    """SECRET_KEY_BASE keeps its value.

    Lago signs every session and every customer portal link with it.
    """
    return _value_changed(
        old,
        new,
        ("SECRET_KEY_BASE",),
        "every user is logged out, and links to the customer portal stop working",
        "keep the old SECRET_KEY_BASE",
    )


@rule(phase=0, needs_base=True)
def encryption_key_changed(old: Model, new: Model, settings: Settings) -> Iterable[Violation]:
    """The encryption keys keep their values.

    What was encrypted with the old keys can't be decrypted with new ones.
    """
    names = (
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    return _value_changed(
        old,
        new,
        names,
        "the stored credentials of payment providers can no longer be decrypted",
        "keep the old encryption keys",
    )


@rule(phase=0, needs_base=True)
def rsa_key_changed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The RSA key stays the same.

    Webhook receivers verify signatures with the public half of the old key.
    """
    before, after = reference(old), reference(new)
    if before is None or after is None:
        return
    had, has = key_reading(before, old, settings), key_reading(after, new, settings)
    comparable = comparable_names(old, new)
    kinds = [reading.identity.partition(" ") for reading in (had, has)]
    files = [bool(blank) for _, blank, _ in kinds]
    names = [comparable(name) if blank else digest for digest, blank, name in kinds]
    differs = all(names) and files[0] == files[1] and names[0] != names[1]
    if has.via == "file" and had.via != "file" and before.mount_at(NATIVE_FILE):
        yield Violation(
            service=after,
            at=has.at,
            severity=Severity.WARNING,
            problem=f"from v1.23.0 on Lago reads its key from {NATIVE_FILE} where that file is there, and no longer from "
            f"{KEY}",
            impact="if the file holds another key, webhook receivers reject signatures made with it",
            fix=f"put the key of {KEY} into that file, or unmount it",
        )
        return
    by_variable = has.via == had.via == "variable" and after.value(KEY)
    change = _changed(before, after, KEY, old, new) if by_variable and not all(names) else None
    if differs or change:
        yield Violation(
            service=after,
            at=has.at,
            severity=change[1] if change and not differs else None,
            problem=f"{KEY} {change[0]}" if change and not differs else "Lago's RSA key has changed",
            impact="webhook receivers reject signatures made with the new key",
            fix="keep the old key, or send every webhook receiver the new public key before you deploy",
        )


def _is_own_database(model: Model, host: str) -> bool:
    return any(service.role == DB for service in named(model, host))


@rule(phase=0, needs_base=True)
def db_password_changed(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The database keeps its password, user and name.

    PostgreSQL reads POSTGRES_PASSWORD, POSTGRES_USER and POSTGRES_DB only when it initializes an empty
    volume. On an existing volume they have to be changed inside the database as well.
    """
    for before, after in pairs(old, new, DB):
        for name in ("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"):
            if change := _changed(before, after, name, old, new):
                yield Violation(
                    service=after,
                    at=variable(after, name),
                    severity=change[1],
                    problem=f"{name} {change[0]}",
                    impact="PostgreSQL keeps the old value on its existing volume: password "
                    "authentication failed",
                    fix="keep the old value, or change it in the database first (ALTER USER lago PASSWORD "
                    "...)",
                )
    for before, after in pairs(old, new, API):
        was, is_ = service_url(before.value("DATABASE_URL")), service_url(after.value("DATABASE_URL"))
        if was is None or is_ is None or (was.host, was.database) == (is_.host, is_.database):
            continue
        own = _is_own_database(old, was.host) and _is_own_database(new, is_.host)
        if not own or was.database != is_.database:
            yield Violation(
                service=after,
                at=variable(after, "DATABASE_URL"),
                problem=f"Lago's database was {was.database} on {was.host}, now it is {is_.database} on "
                f"{is_.host}",
                impact="Lago comes up healthy on another, possibly empty, database",
                fix="dump and restore the data before you deploy, or keep the old DATABASE_URL",
            )

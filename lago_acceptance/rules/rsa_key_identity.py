"""Rules about whose RSA key it is: the same in all of Lago's containers, nobody else's, and not another's public half."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.key_loading import KEY, KeyReading, key_reading
from lago_acceptance.lago.key_parsing import State, public_digest
from lago_acceptance.lago.published import published_key
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, readings, variable


@rule(phase=1)
def rsa_key_published(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key is the deployment's own, not one that a public template ships.

    Whoever has the template can sign webhooks as this Lago. Known keys are recognised by the digest of their public
    half.
    """
    for service, reading in readings(model, settings):
        if where := published_key(reading.identity):
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"its RSA key is published ({where})",
                impact="anybody can sign webhooks as this Lago, and receivers can't tell the difference",
                fix="generate a new key (`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`), keep it out of "
                "the repository, and let receivers fetch the new public key",
            )


@rule(phase=1, follows=("two-deployments",))
def rsa_key_drift_api_worker(model: Model, settings: Settings) -> Iterator[Violation]:
    """migrate, api, worker and clock have the same key.

    The worker signs webhooks and the API serves the public key. If their keys differ, no receiver can verify
    a webhook.
    """
    known = [(service, reading) for service, reading in readings(model, settings) if reading.identity]
    if known:
        first, expected = next((each for each in known if each[0].role == API), known[0])
    for service, reading in known:
        comparable = _is_file(reading) == _is_file(expected)
        if comparable and reading.identity != expected.identity:
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"its key differs from that of {first.name}",
                impact="webhooks are signed with one key, and the API serves the public half of the "
                "other: no receiver can verify them",
                fix="set the same key for all of Lago's services: a YAML anchor or one variable",
            )
    yield from _keys_from_other_variables(model, settings)


def _is_file(reading: KeyReading) -> bool:
    return reading.identity.startswith("file ")


def _keys_from_other_variables(model: Model, settings: Settings) -> Iterator[Violation]:
    """The services whose key comes from another variable than the API's; their values may differ."""
    given = [
        (service, service.value(KEY))
        for service, reading in readings(model, settings)
        if reading.via == "variable" and unknown(service.value(KEY)) and not service.environment_elsewhere
    ]
    first = next((each for each in given if each[0].role == API), None)
    if first is None:
        return
    for service, value in given:
        if value != first[1]:
            yield Violation(
                service=service,
                at=("services", service.name, "environment", KEY),
                severity=Severity.WARNING,
                problem=f"its key comes from another variable than that of {first[0].name}",
                impact="if the two values differ, no receiver can verify a webhook",
                fix="set the same key for all of Lago's services: a YAML anchor or one variable",
            )


@rule(phase=1, declared_only=True)
def rsa_public_key_mismatch(model: Model, settings: Settings) -> Iterator[Violation]:
    """A public key that is set matches the private key.

    Lago derives the public key itself and reads no variable for it, so it is better not to set one.
    """
    for service in lago(model):
        for name in ("LAGO_RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY"):
            value = service.value(name)
            if not value:
                continue
            reading = key_reading(service, model, settings)
            digest = public_digest(value) if reading.state is State.GOOD and reading.identity else ""
            if digest and " " not in reading.identity and digest != reading.identity:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} is not the public half of the private key",
                    impact="whoever verifies webhooks with it rejects them all; Lago itself never reads it",
                    fix=f"remove {name}, and fetch the public key from /api/v1/webhooks/public_key",
                )

"""Which migrations a Lago needs: those of its image, else those that settings.toml knows of its version."""

from __future__ import annotations

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.settings import Schema, Settings
from lago_acceptance.facts.types import Facts


def wanted(facts: Facts, settings: Settings) -> Schema | None:
    """The schema of the Lago that runs."""
    image = facts.process(facts.running(API))
    if image.migration_count and image.migrations:
        return Schema(image.migration_count, image.migrations[-1])
    return settings.schema.get(settings.deployment.version)


def is_not_the_images(facts: Facts, settings: Settings) -> bool:
    """Whether the database has other migrations than the Lago that runs; False where either is not known."""
    needed, has = wanted(facts, settings), facts.database.migrations if facts.database else None
    if facts.database is None or needed is None:
        return False
    return has is None or (has.count, has.latest) != (needed.migrations, needed.latest)


def finding(problem: str) -> Finding:
    """The finding for a schema that is not the image's."""
    return Finding(
        id="schema-not-the-images",
        role=DB,
        problem=problem,
        impact="/health stays green, and requests that touch what is missing answer 500",
        fix="docker exec lago-api bundle exec rails db:migrate, and read its first error; migrate.sh's exit code proves nothing",
    )

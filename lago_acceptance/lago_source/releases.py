"""What a release starts, reads and leaves open: the rows of releases.tsv."""

from __future__ import annotations

import re

from lago_acceptance.lago_source.history import History, Snapshot

# From it on Sidekiq's pages are loaded in every process (docs/lago-facts.md, section 7).
_LOADS_WEB = "    sidekiq-throttled ("
_CONFIG = re.compile(r"sidekiq\b.*?-C\s+(\S+)")
_SEEDED = re.compile(r"""(?:value:|api_key =) ENV\[["'](LAGO_\w*API_KEY)["']\]""")


def rows(history: History) -> list[dict[str, str]]:
    """One row for each release, in the order of their numbers."""
    return [_row(each) for each in history.all]


def _row(snapshot: Snapshot) -> dict[str, str]:
    texts = snapshot.texts
    worker, migrate = texts.get("scripts/start.worker.sh", ""), texts.get("scripts/migrate.sh")
    routes, seeding = texts.get("config/routes.rb", ""), texts.get("lib/tasks/signup.rake", "")
    seeded, config = _SEEDED.search(seeding), _CONFIG.search(worker)
    guarded = "LAGO_SIDEKIQ_WEB" in routes or _LOADS_WEB not in texts.get("Gemfile.lock", "")
    return {
        "tag": snapshot.tag,
        "committed": snapshot.release.committed,
        "migrations": str(len(snapshot.migrations)),
        "newest_migration": snapshot.newest_migration,
        "worker_config": config[1] if config else "",
        "worker_exec": _yes(re.search(r"^\s*exec ", worker, re.MULTILINE) is not None),
        "seeded_key_is_value_of": seeded[1] if seeded else "",
        "migrate_seeds_roles": _yes("roles:seed" in migrate) if migrate is not None else "no script",
        "sidekiq_console": "option" if guarded else "always open",
        "metrics_open": _yes(bool(_path(routes, "/metrics"))),
        "ready_path": _path(routes, "/ready") or "none",
        "health_path": _path(routes, "/health"),
    }


def _path(routes: str, path: str) -> str:
    return path if re.search(rf"""["']{path}["']""", routes) else ""


def _yes(so: bool) -> str:
    return "yes" if so else "no"

"""What callers of Lago see of a release: fields of REST answers, types of webhooks, routes. The rows of api_changes.tsv."""

from __future__ import annotations

import re

from lago_acceptance.lago_source import routes
from lago_acceptance.lago_source.history import History, Snapshot
from lago_acceptance.lago_source.ruby import without_comments

_SERIALIZERS = "app/serializers/v1/"
# A line of a hash, or an assignment to one.
_FIELD = re.compile(r"^\s+(\w+):(?=[\s,]|$)|\[:(\w+)\]\s*=[^=]", re.MULTILINE)
_COLLECTION = re.compile(r"""collection_name: ["'](\w+)["']""")
# Arguments of calls look like fields, unless they are merged into the answer.
_CALL = re.compile(r"(?<!merge)(?<!merge!)\([^(){}]*\)")
_ARGUMENTS = frozenset(("collection_name", "includes", "root_name"))
# Fields that a model makes since v1.40.0.
_ELSEWHERE = frozenset((("fee", "from_date"), ("fee", "to_date")))
_WEBHOOK = re.compile(r"""^\s+["']([a-z_]+\.[a-z_]+)["']\s*=>""", re.MULTILINE)

# Area, place, name.
Seen = set[tuple[str, str, str]]


def rows(history: History) -> list[dict[str, str]]:
    """One row for each release, area, place and change, in the order of the releases."""
    rows: list[dict[str, str]] = []
    before: Seen | None = None
    for snapshot in history.in_order:
        now = seen(snapshot)
        if before is not None:
            rows += _changes(snapshot.tag, before, now)
        before = now
    return rows


def seen(snapshot: Snapshot) -> Seen:
    """All that callers see of a release."""
    found: Seen = set()
    for path, text in snapshot.below(_SERIALIZERS):
        place = path.removeprefix(_SERIALIZERS).removesuffix(".rb").removesuffix("_serializer")
        text = without_comments(text)
        names = {one or other for one, other in _FIELD.findall(_without_calls(text))}
        names |= set(_COLLECTION.findall(text))
        found |= {("answer", place, name) for name in names - _ARGUMENTS if (place, name) not in _ELSEWHERE}
    services = snapshot.texts.get("app/jobs/send_webhook_job.rb", "")
    found |= {("webhook", "", name) for name in _WEBHOOK.findall(without_comments(services))}
    paths = routes.paths(without_comments(snapshot.texts.get("config/routes.rb", "")))
    found |= {("route", path, method) for method, path in paths}
    return found


def _without_calls(text: str) -> str:
    while (less := _CALL.sub("", text)) != text:
        text = less
    return text


def _changes(tag: str, before: Seen, now: Seen) -> list[dict[str, str]]:
    rows: dict[tuple[str, str, str], list[str]] = {}
    for change, different in (("added", now - before), ("removed", before - now)):
        for area, place, name in different:
            rows.setdefault((area, place, change), []).append(name)
    return [
        {"tag": tag, "area": area, "place": place, "change": change, "names": " ".join(sorted(names))}
        for (area, place, change), names in sorted(rows.items())
    ]

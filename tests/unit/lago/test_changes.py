"""What differs between two releases for those who run Lago and those who call it."""

from __future__ import annotations

import pytest

from lago_acceptance.lago import changes
from lago_acceptance.lago.changes import ApiChange, between, notices
from lago_acceptance.lago.release_table import Release, is_misnumbered, releases
from lago_acceptance.lago.upgrades import numbers


def release(tag: str) -> Release:
    return releases()[numbers(tag)]


def told(had: str, has: str, word: str) -> list[str]:
    return [each.since for each in between(release(had), release(has)).notices if word in each.what]


def test_a_notice_holds_from_a_release_on_until_a_later_one():
    for each in notices():
        assert not is_misnumbered(release(each.since))
        assert not each.until or release(each.until).age > release(each.since).age
    assert [numbers(each.since) for each in notices()] == sorted(numbers(each.since) for each in notices())


@pytest.mark.parametrize(
    ("field", "word", "before", "after"),
    [
        ("sidekiq_console", "/sidekiq is open", "option", "always open"),
        ("worker_config", "configuration files", "config/sidekiq.yml", "config/sidekiq/sidekiq.yml"),
        ("worker_exec", "uses exec", False, True),
        ("seeded_key", "seeded API key", "LAGO_API_KEY", "LAGO_ORG_API_KEY"),
        ("metrics_open", "/metrics is open", False, True),
        ("ready_path", "/ready answers", "", "/ready"),
        ("seeds_roles", "seeds the roles", False, True),
    ],
)
def test_notices_agree_with_the_table_of_releases(field, word, before, after):
    notice = next(each for each in notices() if word in each.what)
    first = release(notice.since)
    earlier = [each for each in releases().values() if numbers("v1.16.0") <= each.numbers < first.numbers]
    former = [each for each in earlier if not is_misnumbered(each)][-1]
    assert (getattr(former, field), getattr(first, field)) == (before, after)
    if notice.until:
        assert getattr(release(notice.until), field) == before


def test_what_begins_on_the_way_is_told():
    assert told("v1.16.0", "v1.25.0", "/sidekiq is open") == ["v1.17.0"]
    assert told("v1.17.0", "v1.25.0", "/sidekiq is open") == []


def test_what_came_and_went_on_the_way_is_not():
    found = between(release("v1.16.0"), release("v1.32.0"))
    assert not [each for each in (*found.notices, *found.ended) if "/sidekiq is open" in each.what]


def test_what_ends_on_the_way_is_told_too():
    found = between(release("v1.29.0"), release("v1.32.0"))
    assert [each.until for each in found.ended] == ["v1.30.0"]


def test_a_release_that_is_newer_than_its_number_counts_as_what_it_is():
    assert told("v1.16.1", "v1.29.0", "/sidekiq is open") == []
    assert told("v1.16.0", "v1.16.1", "/sidekiq is open") == ["v1.17.0"]


def test_names_that_came_and_went_are_left_out(monkeypatch):
    monkeypatch.setattr(
        changes,
        "api_changes",
        lambda: (
            ApiChange("v1.17.0", "answer", "fee", "added", ("came", "went")),
            ApiChange("v1.18.0", "answer", "fee", "removed", ("went", "old")),
            ApiChange("v1.19.0", "answer", "fee", "added", ("old",)),
            ApiChange("v1.20.0", "webhook", "", "added", ("later",)),
        ),
    )
    found = between(release("v1.16.0"), release("v1.19.0"))
    assert [each for each in found.api if each.area != "variable"] == [
        ApiChange("v1.17.0", "answer", "fee", "added", ("came",))
    ]


def test_fields_webhooks_routes_and_variables_are_told():
    found = between(release("v1.16.0"), release("v1.26.0")).api
    told = {(each.area, each.place, each.change, name) for each in found for name in each.names}
    assert {
        ("answer", "customer", "added", "skip_invoice_custom_sections"),
        ("answer", "customers/charge_usage", "removed", "groups"),
        ("webhook", "", "added", "wallet.created"),
        ("route", "/payments", "added", "GET"),
        ("variable", "", "removed", "LAGO_API_KEY"),
        ("variable", "front", "added", "LAGO_DISABLE_PDF_GENERATION"),
    } <= told


def test_nothing_differs_between_a_release_and_itself():
    found = between(release("v1.32.0"), release("v1.32.0"))
    assert (found.notices, found.ended, found.api) == ((), (), ())

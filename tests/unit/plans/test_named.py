"""Which plans Lago must hold: those of a catalogue that somebody names, and no other deployment's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fixtures import plans as fixtures
from lago_acceptance.core.settings import Plans, Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.plans.catalogue import OWN, _troubles

FILE = "plans:\n- {code: gold, name: Gold, interval: monthly, amount_cents: 100, amount_currency: EUR, pay_in_advance: true}\n"


def called(fixture, *given):
    return fixture._get_wrapped_function()(*given)


def named(settings: Settings, stash: dict | None = None):
    return called(fixtures.named_catalogue, SimpleNamespace(stash=stash or {}), settings)


def test_the_settings_name_a_catalogue(tmp_path):
    file = tmp_path / "plans.yml"
    file.write_text(FILE)
    found = named(Settings(plans=Plans(str(file))))
    assert [each.code for each in found.plans] == ["gold"]
    assert called(fixtures.catalogue, found) is found is called(fixtures.to_seed, found)


def test_an_option_comes_before_the_settings():
    assert named(Settings(plans=Plans("/none.yml")), {fixtures.CATALOGUE: OWN}) is OWN


def test_without_a_catalogue_nothing_is_missing_and_a_stack_has_plans_all_the_same():
    assert named(Settings()) is None
    with pytest.raises(Unknown, match="no plan catalogue is named") as raised:
        called(fixtures.catalogue, None)
    assert raised.value.why == "no plan catalogue is named" and "--plans" in raised.value.fix
    assert called(fixtures.to_seed, None) is OWN and list(_troubles(OWN)) == []


@pytest.mark.parametrize("asked", [False, True])
def test_a_live_host_is_not_seeded_with_plans_of_the_suite(asked):
    request = SimpleNamespace(config=SimpleNamespace(option=SimpleNamespace(seed=asked, reseed=False)))
    found = called(fixtures.seeded, request, SimpleNamespace(target="live"), None, OWN)
    assert "no plan catalogue is named" in str(found.failure)
    assert isinstance(found.failure, Unknown) is not asked

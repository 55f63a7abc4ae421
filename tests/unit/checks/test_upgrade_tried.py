"""A stack starts with an empty database: it never says that an upgrade of the deployment's own was tried."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import upgrade_tried
from lago_acceptance.core.verdicts import Unknown
from tests.support import marks

TEST = "suites/phase0_predeployment/test_upgrade.py"


@pytest.mark.parametrize(
    ("deployed", "stack_runs"), [("v1.16.0", "v1.16.0"), ("v1.26.1", "v1.16.1"), ("v9.9.9", "v9.9.9")]
)
def test_on_the_release_that_is_deployed_there_is_nothing_to_try(deployed, stack_runs):
    assert list(upgrade_tried.is_tried(stack_runs, deployed)) == []


@pytest.mark.parametrize(
    ("deployed", "stack_runs", "said", "fix"),
    [
        ("v1.16.0", "v1.26.0", "upgrade from 1.16.0 not tried", "lago-acceptance rehearse HOST --to v1.26.0"),
        # A tag that looks like a patch.
        ("v1.16.0", "v1.16.1", "upgrade from 1.16.0 not tried", "lago-acceptance rehearse HOST --to v1.16.1"),
        ("v1.20.0", "v1.20.1", "upgrade from 1.20.0 not tried", "lago-acceptance rehearse HOST --to v1.20.1"),
        ("v1.26.0", "v1.16.0", "going back from 1.26.0 to 1.16.0 not tried", "lago-acceptance rollback HOST"),
        ("v1.16.0", "main", "upgrade from 1.16.0 not tried", "use an image whose tag is a release"),
        ("", "v1.26.0", "upgrade from what runs not tried", "lago-acceptance rehearse HOST --to v1.26.0"),
        ("v1.16.0", "", "upgrade from 1.16.0 not tried", "use an image whose tag is a release"),
    ],
)
def test_another_release_is_not_judged(deployed, stack_runs, said, fix):
    with pytest.raises(Unknown) as unknown:
        list(upgrade_tried.is_tried(stack_runs, deployed))
    assert str(unknown.value) == unknown.value.why == f"{said}: the database was empty"
    assert unknown.value.fix.count(fix) == 1


def test_a_live_host_has_nothing_to_say_about_it():
    """What runs there runs on its own database."""
    assert TEST in marks.collect(TEST)
    assert TEST + "::" not in marks.collect(TEST, "--target", "live", "--hosts", "ssh://root@host")


def test_a_stack_takes_of_the_base_its_release_alone(tmp_path):
    """What a change of files breaks is the gate's."""
    base = tmp_path / "base.yml"
    base.write_text("services:\n  lago-api:\n    image: getlago/api:v1.15.1\n")
    change = "suites/phase0_predeployment/test_change.py"
    collected = marks.collect(TEST, change, "--target", "stack", "--base", str(base))
    assert TEST in collected
    assert change + "::" not in collected

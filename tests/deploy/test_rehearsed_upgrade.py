"""Rehearsed upgrades: the dump of a Lago 1.16.0 with data walked to later releases, beside the Lago that it is of."""

from __future__ import annotations

import json

import msgspec
import pytest

from lago_acceptance.cli.suite import main
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED, UNREACHABLE, USAGE
from lago_acceptance.deploy import rehearsed_path
from lago_acceptance.deploy.rehearsal import PROJECT
from lago_acceptance.lago.release_table import releases
from lago_acceptance.lago.upgrades import Leg, stops
from tests.support.containers import docker
from tests.support.deploy.billed import put_every_kind
from tests.support.standin.releases import tagged_releases

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_is_left")]
ON_THE_WAY = ("v1.16.0", "v1.25.0", "v1.26.0")
A_FEE_OF_ZERO = (
    "INSERT INTO fees (invoice_id, subscription_id, fee_type, amount_cents, amount_currency, units, from_datetime, to_datetime) "
    "SELECT invoice_id, subscription_id, 'charge', 0, amount_currency, 0, from_datetime, to_datetime FROM fees LIMIT 1"
)


@pytest.fixture(scope="module")
def repository():
    """Where the images of the releases are."""
    with tagged_releases() as tagged:
        references = [tagged.api(each) for each in ON_THE_WAY]
        yield references[0].rpartition(":")[0]


@pytest.fixture(scope="module")
def every_kind(lago):
    """All that billing makes, in two currencies."""
    for currency in ("USD", "EUR"):
        put_every_kind(lago.client(), currency)


@pytest.fixture
def a_fee_of_zero(lago):
    """A fee that the migrations of v1.20.0 delete."""
    lago.sql(A_FEE_OF_ZERO)
    yield
    lago.sql("DELETE FROM fees WHERE amount_cents = 0 AND units = 0")


def arguments(lago, repository, *more):
    """The command line of a rehearsal on the host."""
    host = ["local", "--project", lago.project, "--settings", str(lago.settings)]
    return ["rehearse", *host, "--to", "v1.26.0", "--image-repository", repository, *more]


def test_an_upgrade_over_a_stop_arrives(lago, every_kind, a_fee_of_zero, dump, repository, tmp_path, capsys):
    file = tmp_path / "report.json"
    ended = main(arguments(lago, repository, "--report", str(file)))
    printed = capsys.readouterr().out
    assert ended == ACCEPTED, printed
    report = json.loads(file.read_text())
    assert (report["had"], report["to"], report["accepted"]) == ("v1.16.0", "v1.26.0", True)
    # Every fee lacks an organization and a billing entity at first.
    fees = report["before"]["rows"]["fees"] - 1
    stop, last = report["legs"]
    assert (stop["tag"], stop["rows"], last["tag"], last["rows"]) == ("v1.25.0", 2 * fees, "v1.26.0", 0)
    assert stop["fill_seconds"] > 0
    assert min(each["migrate_seconds"] for each in report["legs"]) > 0
    assert report["after"]["rows"] == report["before"]["rows"] | {"fees": fees}
    sums = [
        {(each["what"], each["currency"]): each["cents"] for each in report[side]["amounts"]}
        for side in ("before", "after")
    ]
    assert sums[0] == sums[1]
    kinds = {"invoices", "fees", "credits", "credit notes", "applied coupons", "wallets"}
    assert {(what, currency) for what in kinds for currency in ("USD", "EUR")} <= sums[0].keys()
    assert sums[0].pop(("applied coupons", "no currency")) == 0
    assert min(sums[0].values()) > 0
    counted = report["before"]["rows"]
    assert (
        min(counted[each] for each in ("charges", "coupons", "billable metrics", "wallet transactions")) > 1
    )
    assert "fees without units and amount are gone: 1" in " ".join(report["explained"])
    differences = {
        (each["how"], each["of"], each["field"]): each["known"] for each in report["answers"]["differences"]
    }
    assert ("added", "customer", "billing_entity_code") in differences
    assert "always 0" in differences["changed", "plan", "active_subscriptions_count"]
    assert report["answers"]["same"] > 100
    assert "the last invoice" in report["billing"]["done"]
    tried = " ".join(report["tried_outside"])
    assert "internet" in tried
    assert "production: lago-db" in tried
    assert "this host at" in tried
    assert report["webhooks_made"] == 0
    key = lago.live.stack.api_key.reveal()
    customer = lago.sql("SELECT external_id FROM customers LIMIT 1")
    for text in (printed, file.read_text()):
        assert key not in text
        assert customer not in text


@pytest.mark.exhaustive
def test_a_stop_without_an_image_is_walked_with_that_of_the_next_release(lago, dump, capsys):
    with tagged_releases() as tagged:
        references = [tagged.api(each) for each in ("v1.16.0", "v1.26.0")]
        ended = main(arguments(lago, references[0].rpartition(":")[0]))
    printed = capsys.readouterr().out
    assert ended == ACCEPTED, printed
    assert "the image of v1.25.0 can't be pulled, so v1.26.0's takes its place" in printed
    assert "v1.25.0: 72 migrations in " in printed


def test_a_jump_over_the_stop_is_not_accepted(lago, dump, repository, monkeypatch, capsys):
    straight = (Leg(releases()[1, 26, 0], None),)
    monkeypatch.setattr(rehearsed_path, "legs", lambda had, has: straight)
    assert main(arguments(lago, repository)) == NOT_ACCEPTED
    first = next(line for line in capsys.readouterr().out.splitlines() if "could not be migrated" in line)
    assert first.startswith("the restored database could not be migrated to v1.26.0: PG::CheckViolation")
    assert 'check constraint "fees_billing_entity_id_null"' in first


def test_one_step_over_a_stop_is_refused_with_the_path_as_the_fix(lago, dump, repository, capsys):
    line = ["rehearse", "local", "--project", lago.project, "--settings", str(lago.settings)]
    assert main([*line, "--image", f"{repository}:v1.26.0"]) == USAGE
    said = capsys.readouterr().err
    assert "v1.25.0" in said
    assert "--to v1.26.0" in said


def test_an_image_that_is_missing_is_named_before_anything_starts(lago, dump, repository, capsys):
    missing = f"localhost:1/{repository}"
    assert main(arguments(lago, missing)) == UNREACHABLE
    said = capsys.readouterr().err
    assert f"{missing}:v1.25.0" in said
    assert "nothing was started" in said


@pytest.mark.exhaustive
def test_a_dump_here_is_walked_with_the_images_of_its_compose_file(lago, dump, capsys):
    ended = main(["rehearse", str(dump), "--settings", str(lago.settings), "--to", "v1.26.0", "--json"])
    printed = capsys.readouterr()
    assert ended == ACCEPTED, printed.err
    assert json.loads(printed.out)["accepted"]
    assert "getlago/api:v1.25.0 can't be had, and a stand-in runs in its place" in printed.err


@pytest.mark.exhaustive
def test_jobs_that_fail_are_said_with_what_is_left(lago, dump, repository, monkeypatch, capsys):
    [stop] = [each for each in stops() if each.tag == "v1.25.0"]
    broken = msgspec.structs.replace(
        stop,
        task=(msgspec.structs.replace(stop.task[0], command="bundle exec rails runner 'raise %q(no room)'"),),
    )
    legs = (Leg(releases()[1, 25, 0], broken), Leg(releases()[1, 26, 0], None))
    monkeypatch.setattr(rehearsed_path, "legs", lambda had, has: legs)
    assert main(arguments(lago, repository)) == NOT_ACCEPTED
    printed = capsys.readouterr().out
    assert "at v1.25.0, what this release needs was not filled in" in printed
    assert "no row of fees without" in printed


@pytest.mark.exhaustive
def test_a_rehearsal_that_reaches_production_ends(lago, dump, repository, monkeypatch, capsys):
    monkeypatch.setattr(
        rehearsed_path.RehearsedPath, "_take", leaking(rehearsed_path.RehearsedPath._take, lago)
    )
    assert main(arguments(lago, repository)) == NOT_ACCEPTED
    printed = capsys.readouterr().out
    assert "the rehearsal reaches " in printed
    assert "production: lago-db at " in printed
    assert "none could be reached" not in printed


def leaking(take, lago):
    """The same steps; when Lago first runs, production's database is in its network too."""

    def taken(self, session, step):
        done = take(self, session, step)
        database = (f"{PROJECT}{session.id}", lago.container("lago-db"))
        if step.name == "rehearse_restore":
            docker("network", "connect", *database)
        elif step.name == "walk_before":
            docker("network", "disconnect", *database)
        return done

    return taken

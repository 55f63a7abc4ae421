"""A rehearsed upgrade without Docker: the way that is found, what ends it, and its report."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.core.exit_codes import USAGE
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy import rehearsed_path
from lago_acceptance.deploy.rehearsal import NotRestored, Rehearsal
from lago_acceptance.deploy.rehearsal_report import LegReport, Lock, Report, lines, locks
from lago_acceptance.deploy.rehearsal_source import Source
from lago_acceptance.deploy.rehearsed_path import INSIDE, RehearsedPath
from lago_acceptance.deploy.room import GIB, MIB
from lago_acceptance.deploy.session import Outcome
from lago_acceptance.deploy.steps import at
from lago_acceptance.deploy.totals import Amount, Totals
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.lago.upgrade_path import named
from tests.support.deploy.shell_program import Program

OF_1_16_0, OF_1_25_0, OF_1_26_0 = "20241119110219", "20250402135038", "20250425130412"


class PretendedSession:
    """Answers questions and steps from a dictionary, an empty success where it has nothing."""

    id = "1"

    def __init__(self, **answers):
        self.answers, self.asked, self.files = answers, [], {}

    def give(self, path, content):
        self.files[path] = content.decode()

    def ask(self, question, seconds=120):
        self.asked.append(question)
        found = self.answers.get(question, ())
        return found if isinstance(found, Outcome) else Outcome(0, tuple(found))

    def step(self, step):
        return self.ask(step.name)


def path(to="v1.26.0", running="v1.16.0", **given):
    said = []
    made = RehearsedPath(
        host=LocalHost(),
        permit=Permit("test"),
        settings=load(SETTINGS),
        directory="/srv/lago",
        dump="/srv/lago.dump",
        source=source(),
        say=said.append,
        to=named(to),
        running=running,
        image_of=lambda tags: {each: f"getlago/api:{each}" for each in tags},
        report=Report(dump="/srv/lago.dump"),
        **given,
    )
    return made, said


def source(reference="getlago/api:v1.16.0"):
    return Source(
        db_image="postgres:14", redis_image="redis:7", lago_image="sha256:1", lago_reference=reference
    )


def schema(*migrations, server="15.3"):
    return [f"server\t{server}", *(f"migration\t{each}" for each in migrations)]


# --- the way ---


def test_the_way_begins_at_the_dumps_schema_and_all_its_images_are_looked_for():
    made, said = path()
    session = PretendedSession(schema=schema(OF_1_16_0))
    made._look_at_schema(session, "15.3")
    assert [leg.tag for leg in made.way.legs] == ["v1.25.0", "v1.26.0"]
    assert session.files["images"].split() == [
        f"getlago/api:{each}" for each in ("v1.16.0", "v1.25.0", "v1.26.0")
    ]
    assert "v1.25.0 (each fee's organization and billing entity), v1.26.0" in said[-1]


def test_a_dump_of_a_stop_is_filled_there_before_it_goes_on():
    made, _ = path(running="v1.25.0")
    made._look_at_schema(PretendedSession(schema=schema(OF_1_25_0)), "15.3")
    assert [leg.tag for leg in made.way.legs] == ["v1.25.0", "v1.26.0"]


@pytest.mark.parametrize(("to", "by"), [("v1.26.0", "v1.26.0"), ("v1.30.0", "v1.29.0")])
def test_a_later_image_does_the_work_of_a_stop_whose_own_is_missing(to, by):
    made, said = path(to=to)
    session = PretendedSession(schema=schema(OF_1_16_0), images=["getlago/api:v1.25.0\tmanifest unknown"])
    made._look_at_schema(session, "15.3")
    assert made.way.replaced == {"v1.25.0": by}
    stop, *_, last = made.way.legs
    made._leg(session, stop.tag, stop)
    assert f"lago_image=getlago/api:{by}" in session.files["leg"]
    assert f"migrate_to={OF_1_25_0}" in session.files["leg"]
    made._leg(session, last.tag, last)
    assert "migrate_to=''" in session.files["leg"]
    assert any("the image of v1.25.0 can't be pulled" in line for line in said)


@pytest.mark.parametrize("missing", ["v1.16.0", "v1.26.0"])
def test_no_other_image_takes_the_place_of_the_one_that_is_rehearsed(missing):
    made, _ = path()
    session = PretendedSession(schema=schema(OF_1_16_0), images=[f"getlago/api:{missing}\tmanifest unknown"])
    with pytest.raises(Unreachable, match=r"manifest unknown\); nothing was started"):
        made._look_at_schema(session, "15.3")


def test_an_image_that_is_missing_is_named():
    made, _ = path(to="v1.32.0")
    session = PretendedSession(schema=schema(OF_1_16_0), images=["getlago/api:v1.29.0\tmanifest unknown"])
    with pytest.raises(Unreachable, match=r"getlago/api:v1\.29\.0 \(manifest unknown\); nothing was started"):
        made._look_at_schema(session, "15.3")


@pytest.mark.parametrize(
    ("to", "migrations", "said"),
    [
        ("v1.16.0", [OF_1_26_0], "is older than"),
        ("v1.26.0", [OF_1_26_0], "nothing to walk"),
        ("v1.26.0", ["20250402152100"], "half-way"),
        ("v1.26.0", ["20990101000000"], "newer than that, or a fork's"),
        ("v1.26.0", ["20210101000000"], "the oldest release known here"),
    ],
)
def test_what_can_not_be_walked_is_refused(to, migrations, said):
    made, _ = path(to)
    with pytest.raises(UsageError, match=said):
        made._look_at_schema(PretendedSession(schema=schema(*migrations)), "15.3")


def test_a_dump_of_a_newer_postgresql_is_refused_and_an_older_one_told():
    made, said = path()
    with pytest.raises(NotRestored, match=r"the dump is of PostgreSQL 16\.1, and postgres:14 is 15\.3"):
        made._look_at_schema(PretendedSession(schema=schema(OF_1_16_0)), "16.1")
    made._look_at_schema(PretendedSession(schema=schema(OF_1_16_0)), "13.9")
    assert "PostgreSQL 13.9, and is restored into 15.3" in said[0]


@pytest.mark.parametrize(
    ("image", "refused"),
    [
        ("getlago/api:v1.26.0", True),
        ("getlago/api:v1.24.0", False),
        ("getlago/api:latest", False),
        ("sha256:1", False),
    ],
)
def test_one_step_over_a_stop_is_refused(image, refused):
    made = Rehearsal(
        host=LocalHost(),
        permit=Permit("test"),
        settings=load(SETTINGS),
        directory="",
        dump="",
        source=source(image),
        say=print,
    )
    session = PretendedSession(schema=schema(OF_1_16_0))
    if refused:
        with pytest.raises(UsageError, match=r"filled in at v1\.25\.0 before; .* --to v1\.26\.0"):
            made._look_at_schema(session, "15.3")
    else:
        made._look_at_schema(session, "15.3")


def test_a_walk_needs_more_room_than_one_step():
    made, _ = path(identity={"size": str(10 * MIB)})
    assert "31 MiB" in made._lack(MIB, 31 * MIB - 1, 4 * GIB)
    assert "2 GiB of memory" in made._lack(MIB, 31 * MIB, 2 * GIB - 1)
    assert made._lack(MIB, 31 * MIB, 2 * GIB) == ""


# --- a leg ---


@pytest.fixture
def walked():
    """A path whose way is known, and a session in which all goes well."""
    made, said = path()
    session = PretendedSession(
        schema=schema(OF_1_16_0),
        walk_migrate=["migrations\t480", f"latest_migration\t{OF_1_25_0}"],
        locks=["fees\tAccessExclusiveLock\t2.4"],
        fill=["filled\tno row of fees without organization_id\t7\t3", "seconds\t4"],
        outside=[f"reached\t{INSIDE}", "not reached\tthe internet"],
    )
    made._look_at_schema(session, "15.3")
    made.way.migrations = 408
    return made, session, said


def test_a_leg_is_migrated_and_filled_by_its_own_release(walked):
    made, session, said = walked
    assert list(made._walk(session, made.way.legs[0])) == []
    [told] = made.report.legs
    assert (told.tag, told.migrations, told.rows, told.fill_seconds) == ("v1.25.0", 72, 7, 4)
    assert told.locks == (Lock("fees", "AccessExclusiveLock", 2.4),)
    assert "lago_image=getlago/api:v1.25.0" in session.files["leg"]
    assert "fill_runner=in_rehearsed_release" in session.files["leg"]
    order = [each for each in session.asked if each in ("walk_migrate", "walk_work", "fill", "walk_rest")]
    assert order == ["walk_migrate", "walk_work", "fill", "walk_rest"]
    assert "72 new migrations" in " ".join(said)


def test_a_migration_that_fails_says_its_own_message_first(walked):
    made, session, _ = walked
    session.answers["walk_migrate"] = Outcome(
        1, ("Migrating to X", "PG::CheckViolation: ERROR:  check constraint")
    )
    with pytest.raises(NotRestored) as failed:
        list(made._walk(session, made.way.legs[0]))
    assert str(failed.value).startswith(
        "the restored database could not be migrated to v1.25.0: PG::CheckViolation"
    )
    # What it held until then is part of the report.
    assert made.report.legs[0].locks


def test_a_migration_without_an_end_says_what_it_waits_for(walked):
    made, session, _ = walked
    session.answers |= {
        "walk_migrate": Outcome(124, ()),
        "waits": ["it waits for AccessExclusiveLock on fees, which is held by 71"],
    }
    with pytest.raises(NotRestored, match="within 10800 s; it waits for AccessExclusiveLock on fees"):
        list(made._walk(session, made.way.legs[0]))


def test_jobs_without_an_end_say_what_is_left(walked):
    made, session, _ = walked
    session.answers["fill"] = Outcome(
        1, ("nothing has moved for 1800 s; no row of fees without organization_id: 7 left",)
    )
    with pytest.raises(
        NotRestored, match=r"at v1\.25\.0, .* not filled in: nothing has moved for 1800 s; .* 7 left"
    ):
        list(made._walk(session, made.way.legs[0]))


def test_an_image_of_another_release_is_a_problem(walked):
    made, session, _ = walked
    session.answers["walk_migrate"] = ["migrations\t500", f"latest_migration\t{OF_1_26_0}"]
    [problem] = made._walk(session, made.way.legs[0])
    assert "it is another release" in problem


def test_a_rehearsal_that_reaches_production_ends_before_there_is_a_worker(walked):
    made, session, _ = walked
    session.answers["outside"] = [f"reached\t{INSIDE}", "reached\tproduction: lago-db at 172.20.0.2:5432"]
    with pytest.raises(NotRestored, match="reaches production: lago-db at"):
        list(made._steps(session))
    assert "walk_before" in session.asked
    assert "walk_work" not in session.asked


@pytest.mark.parametrize("said", [[f"not reached\t{INSIDE}"], ["not reached\tthe internet"], []])
def test_a_try_that_could_not_succeed_shows_nothing(walked, said):
    made, session, _ = walked
    session.answers["outside"] = said
    with pytest.raises(NotRestored, match="could not be tried"):
        list(made._steps(session))


# --- the shell's part ---


def test_locks_that_were_held_longer_than_a_second_are_told(tmp_path):
    program = Program(tmp_path)
    samples = [
        (0.0, 7, "3/1", "fees"),
        (1.4, 7, "3/1", "fees"),
        (0.0, 7, "3/2", "events"),
        (0.6, 7, "3/2", "events"),
    ]
    samples += [(2.0, 7, "3/3", "fees"), (2.2, 7, "3/3", "fees")]
    text = "".join(f"{at}\t{pid}\t{of}\t{table}\tAccessExclusiveLock\n" for at, pid, of, table in samples)
    (program.here / "locks").write_text(text)
    ended = program.run("ask_locks", "busybox sh")
    assert locks(ended.stdout.splitlines()) == (Lock("fees", "AccessExclusiveLock", 1.4),)


def test_a_leg_chooses_the_image_and_its_task_gets_the_name_it_is_asked_by(tmp_path):
    program = Program(tmp_path)
    (program.here / "given").mkdir()
    (program.here / "given" / "leg").write_text("lago_image=getlago/api:v1.25.0\n")
    (program.here / "lago.env").write_text("DATABASE_URL=x\n")
    (program.here / "mounts").write_text("")
    ended = program.run("in_rehearsed_release the-task 'bundle exec rails x'")
    assert ended.returncode == 0, ended.stderr
    run, rename = program.asked
    assert run[-4:] == ["getlago/api:v1.25.0", "sh", "-c", "bundle exec rails x"]
    assert "--detach=true" in run
    assert rename == ["rename", f"{program.settings['project']}-lago-task-1", "the-task"]


@pytest.mark.parametrize("shell", ["sh", "bash --posix", "busybox sh"])
def test_the_locks_of_a_migration_are_sampled_until_it_ends_however_it_ends(tmp_path, shell):
    program = Program(tmp_path)
    ended = program.run("change_rehearse_migrate() { echo said; exit 3; }; change_walk_migrate", shell)
    assert (ended.returncode, ended.stdout) == (3, "said\n")
    assert not (program.here / "sampling").exists()
    assert ["exec", "-i", "c0ffee", "sh", "-c"] in [words[:5] for words in program.asked]


# --- the report ---


def test_the_report_has_everything_and_no_secret():
    report = Report(
        dump="/srv/lago.dump",
        problems=["postgresql://lago:s3cret@db/lago can't be reached"],
        restore_seconds=61.0,
        legs=[
            LegReport(
                tag="v1.25.0",
                image="getlago/api:v1.25.0",
                migrations=72,
                migrate_seconds=9.5,
                rows=7,
                fill_seconds=12.0,
            )
        ],
        before=Totals({"customers": 7}, (Amount("invoices", "USD", 6, 24317),)),
        after=Totals({"customers": 7}, (Amount("invoices", "USD", 6, 24317),)),
    )
    encoded = report.encoded().decode()
    assert "s3cret" not in encoded
    assert json.loads(encoded)["legs"][0]["rows"] == 7
    told = "\n".join(lines(report))
    assert "restored in 61.0 s" in told
    assert "v1.25.0: 72 migrations in 9.5 s, 7 rows filled in within 12.0 s" in told
    assert "customers: 7 before, 7 after" in told
    assert "invoices in USD: 6 of 24317 together, the same as before" in told


def test_what_ended_early_has_no_numbers_of_afterwards():
    report = Report(
        dump="x",
        legs=[LegReport(tag="v1.25.0", image="getlago/api:v1.25.0", migrations=72, migrate_seconds=9.5)],
        before=Totals({"customers": 7}, (Amount("invoices", "USD", 6, 24317),)),
    )
    printed = "\n".join(lines(report))
    assert "72 migrations in 9.5 s" in printed
    assert not any(word in printed for word in ("customers", "invoices", "outside", "webhooks"))


def test_nothing_is_told_of_what_was_not_begun():
    assert list(lines(Report(dump="x"))) == []


# --- the command line ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["local", "--to", "v1.26.0", "--image", "getlago/api:v1.26.0"], "give one of them"),
        (["local", "--to", "v9.9.9"], "not a release of Lago known here"),
        (["local", "--to", ""], "is not a release of Lago: give a tag"),
        (["local", "--json"], "--json is for the walk"),
        (["local", "--report", "x.json"], "--report is for the walk"),
        (["local", "--image-repository", "x"], "--image-repository is for the walk"),
        (["local", "--to", "v1.26.0", "--report", "/no-such-folder/x.json"], "/no-such-folder"),
    ],
)
def test_a_bad_command_line_is_one_sentence(words, said, capsys):
    assert suite.main(["rehearse", *words]) == USAGE
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err


def test_seconds_of_a_step_name_its_release():
    assert at(rehearsed_path.WALK_MIGRATE, "v1.25.0").begins == "migrating the restored database to v1.25.0"

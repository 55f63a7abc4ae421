"""Giving the gateway another API key: all of it works, or the old key is valid and in place as before."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from lago_acceptance.clients.graphql import Session as Login
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy import api_keys, state
from lago_acceptance.deploy.api_keys import Key, Organization, Rotation
from lago_acceptance.deploy.session import Locked
from lago_acceptance.deploy.small_change import NotChanged
from lago_acceptance.scenarios.dedicated_organization import NAME
from tests.support.pretended_lago import OLD_ENV_FILE, VARIABLE, PretendedLago, id_of


@pytest.fixture
def lago(tmp_path, monkeypatch) -> PretendedLago:
    return PretendedLago(tmp_path, monkeypatch)


def rotation(lago: PretendedLago, said: list[str] | None = None) -> Rotation:
    return Rotation(lago, Permit("test"), lago.place, (said if said is not None else []).append)


def rotate(lago: PretendedLago, said: list[str] | None = None) -> Rotation:
    """The whole way, as --create --give --restart --revoke-old goes it."""
    found = api_keys.organizations(lago, lago.place)
    with rotation(lago, said) as changing:
        changing.create(api_keys.chosen(found))
        changing.give()
        changing.restart()
        changing.see()
        before = changing.gateway().before
        changing.revoke(next(key for key in found[0].keys if key.digest == before))
        changing.accept()
    return changing


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def as_before(lago: PretendedLago) -> bool:
    in_place = lago.env_file.read_text() == OLD_ENV_FILE.format(key=lago.old_key)
    return in_place and lago.given == lago.old_key and lago.valid_keys == [lago.old_key]


# --- what there is ---


def test_keys_are_listed_by_their_digests(lago):
    (found,) = api_keys.organizations(lago, lago.place)
    assert (found.name, [key.digest for key in found.keys]) == ("Acme", [digest(lago.old_key)])


def test_the_suites_own_organization_is_not_among_them(lago):
    lago.alter(organizations=[*lago.state["organizations"], {"id": id_of(2), "name": NAME}])
    assert [each.name for each in api_keys.organizations(lago, lago.place)] == ["Acme"]
    with pytest.raises(UsageError, match="this suite's own organization"):
        api_keys.chosen((), NAME)


def test_what_rails_says_first_is_the_cause(lago):
    lago.alter(broken="rails")
    with pytest.raises(Unreachable, match=r"organizations: .*aborted!$"):
        api_keys.organizations(lago, lago.place)


def test_the_gateways_keys_are_seen_in_its_file_and_its_container(lago):
    lago.env_file.write_text(f'{VARIABLE}=other\nexport {VARIABLE}="the-last" # counts\n')
    found = api_keys.of_gateway(lago, lago.place)
    assert (found.file, found.container, found.before) == (digest("the-last"), digest(lago.old_key), "")


def test_a_gateways_file_that_is_not_there(lago):
    lago.env_file.unlink()
    with pytest.raises(UsageError, match=f"there is no file {lago.env_file} here"):
        api_keys.of_gateway(lago, lago.place)


ACME = Organization(id_of(1), "Acme", (Key(id_of(11), "aaaa" * 16, 1), Key(id_of(12), "aabb" * 16, 2)))
OTHER = Organization(id_of(2), "Other", ())


@pytest.mark.parametrize(
    ("found", "name", "says"),
    [
        ((), "", "Lago has no organization yet"),
        ((ACME, OTHER), "", "2 organizations: 'Acme', 'Other'; say which with --organization"),
        ((ACME, OTHER), "Third", "no organization 'Third'; it has 'Acme', 'Other'"),
        ((ACME, ACME), "Acme", "2 organizations are called 'Acme'"),
    ],
)
def test_an_organization_that_is_not_clear(found, name, says):
    with pytest.raises(UsageError) as raised:
        api_keys.chosen(found, name)
    assert says in str(raised.value)


def test_an_organization_is_chosen_by_its_name():
    assert api_keys.chosen((ACME, OTHER), "Other") is OTHER
    assert api_keys.chosen((ACME,)) is ACME


@pytest.mark.parametrize(
    ("organization", "wanted", "says"),
    [
        (ACME, "", "Acme has 2 keys: aaaa, aabb; say which with --key"),
        (ACME, "aa", "2 keys of Acme begin with aa"),
        (ACME, "cc", "Acme has no key cc; it has aaaa, aabb"),
        (OTHER, "", "Other has no key at all"),
    ],
)
def test_a_key_that_is_not_clear(organization, wanted, says):
    with pytest.raises(UsageError) as raised:
        organization.key(wanted)
    assert says in str(raised.value)


def test_a_key_is_chosen_by_its_digest():
    assert ACME.key("aab").id == id_of(12)


class Admin:
    """GraphQL for an admin of some organizations."""

    def __init__(self, *names: str):
        self.names = names

    def sessions(self, email, password):
        return [(name, Login(Secret("a-token-of-a-login"), id_of(at))) for at, name in enumerate(self.names)]

    def api_key(self, session):
        return Secret(f"key-of-{self.names[int(session.organization[-12:])]}")


def test_an_admins_key_is_that_of_the_organization_asked_for():
    key = api_keys.current(Admin("Acme", NAME, "Other"), "admin@example.test", Secret("a-password"), "Other")
    assert key.reveal() == "key-of-Other"
    assert (
        api_keys.current(Admin(NAME, "Acme"), "admin@example.test", Secret("a-password")).reveal()
        == "key-of-Acme"
    )


# --- the whole way ---


def test_a_rotation_replaces_the_key_everywhere(lago):
    changed = rotate(lago)
    assert lago.env_file.read_text() == OLD_ENV_FILE.format(key="new-key-1")
    assert (lago.given, lago.valid_keys) == ("new-key-1", ["new-key-1"])
    assert stat.S_IMODE(lago.env_file.stat().st_mode) == 0o640
    kept = lago.directory / ".lago-acceptance" / "keys" / changed.id
    assert str(kept) == changed.kept
    assert (kept / "backup" / "gateway.env").read_text() == OLD_ENV_FILE.format(key=lago.old_key)
    assert stat.S_IMODE((kept / "backup" / "gateway.env").stat().st_mode) == 0o600
    assert not list(lago.env_file.parent.glob(".lago-acceptance*"))


def test_no_key_is_an_argument_or_printed_or_left_behind(lago):
    said: list[str] = []
    rotate(lago, said)
    arguments = (lago.env_file.parents[1] / "tools" / "arguments").read_text()
    left = [
        path.relative_to(lago.directory).as_posix()
        for path in lago.directory.rglob("*")
        if path.is_file() and "new-key-1" in path.read_text()
    ]
    assert "exec" in arguments
    assert said
    assert not [key for key in ("new-key-1", lago.old_key) if key in arguments + "".join(said)]
    assert left == []


def test_the_key_that_lago_seeds_is_replaced_too(lago):
    own = lago.directory / ".env.lago"
    own.write_text(
        f"A=1\nLAGO_API_KEY={lago.old_key}\nLAGO_ORG_API_KEY='{lago.old_key}' # seeded\nB={lago.old_key}x\n"
    )
    own.chmod(0o600)
    changed = rotate(lago)
    assert own.read_text() == f"A=1\nLAGO_API_KEY=new-key-1\nLAGO_ORG_API_KEY=new-key-1\nB={lago.old_key}x\n"
    assert f"LAGO_API_KEY={lago.old_key}" in (Path(changed.kept) / "backup" / "deployment.env").read_text()


def test_a_compose_file_with_the_old_key_in_it_keeps_it_valid(lago):
    (lago.directory / "docker-compose.lago.yml").write_text(f"LAGO_API_KEY: {lago.old_key}\n")
    with pytest.raises(
        NotChanged, match="the key that Lago seeds was not changed: .*write the new one there first"
    ):
        rotate(lago)
    assert as_before(lago)


def test_the_key_that_lago_seeds_comes_back_with_the_old_one(lago):
    own = lago.directory / ".env.lago"
    own.write_text(f"LAGO_API_KEY={lago.old_key}\n")
    lago.alter(broken="revoke")
    with pytest.raises(NotChanged, match="Everything is as it was"):
        rotate(lago)
    assert own.read_text() == f"LAGO_API_KEY={lago.old_key}\n"
    assert as_before(lago)


def test_no_deploy_comes_across_a_rotation(lago):
    rotate(lago)
    assert state.read(lago, str(lago.directory)).deploys == ()


def test_a_key_can_be_created_given_and_revoked_one_by_one(lago):
    (organization,) = api_keys.organizations(lago, lago.place)
    with rotation(lago) as first:
        shown = first.create(organization)
        first.accept()
    assert lago.given == lago.old_key and VARIABLE + "=new" not in lago.env_file.read_text()
    (organization,) = api_keys.organizations(lago, lago.place)
    with rotation(lago) as second:
        second.use(organization.key(shown))
        second.give()
        second.accept()
    assert (lago.given, lago.valid_keys) == (lago.old_key, [lago.old_key, "new-key-1"])
    with rotation(lago) as third:
        third.restart()
        third.see()
        third.accept()
    assert lago.given == "new-key-1"
    assert api_keys.of_gateway(lago, lago.place).before == digest(lago.old_key)
    with rotation(lago) as last:
        last.see()
        last.revoke(organization.keys[0])
        last.accept()
    assert lago.valid_keys == ["new-key-1"]


def test_a_key_that_is_known_here_is_given_as_it_is(lago):
    with rotation(lago) as changing:
        changing.use(Secret(lago.old_key))
        changing.give()
        changing.accept()
    assert as_before(lago)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{VARIABLE}=new-key-1\n"),
        ("NAME=x", f"NAME=x\n{VARIABLE}=new-key-1\n"),
        (f"export {VARIABLE}='a b'\n#{VARIABLE}=c\n", f"export {VARIABLE}=new-key-1\n#{VARIABLE}=c\n"),
        (
            f"{VARIABLE}=a\n{VARIABLE}_2=b\n{VARIABLE}=c\n",
            f"{VARIABLE}=new-key-1\n{VARIABLE}_2=b\n{VARIABLE}=new-key-1\n",
        ),
    ],
)
def test_other_lines_of_the_file_stay(lago, before, after):
    lago.env_file.write_text(before)
    with rotation(lago) as changing:
        changing.create(api_keys.organizations(lago, lago.place)[0])
        changing.give()
        changing.accept()
    assert lago.env_file.read_text() == after


@pytest.mark.parametrize(
    ("key", "line"), [("two$words", f"{VARIABLE}='two$words'"), ("back\\slash", f"{VARIABLE}='back\\slash'")]
)
def test_a_key_is_quoted_where_an_env_file_would_read_another(lago, key, line):
    keys = [*lago.state["keys"], {"id": id_of(12), "organization": id_of(1), "value": key, "revoked": False}]
    lago.alter(keys=keys)
    with rotation(lago) as changing:
        changing.use(Secret(key))
        changing.give()
        changing.restart()
        changing.see()
        changing.accept()
    assert line in lago.env_file.read_text().splitlines()


def test_a_link_to_the_gateways_file_stays_one(lago):
    real = lago.env_file.rename(lago.env_file.with_name("real"))
    lago.env_file.symlink_to(real)
    rotate(lago)
    assert lago.env_file.is_symlink()
    assert f"{VARIABLE}=new-key-1" in real.read_text()


# --- what fails ---


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("create", "the new key could not be created: RuntimeError: cut off after the key was made"),
        ("lago", "the key is not given to the gateway: Lago answers 401 to it"),
        (
            "compose",
            "the gateway could not be restarted: Compose could not recreate the gateway's container",
        ),
        ("revoke", "the old key was not replaced: Lago still answers 200 to the old key"),
    ],
)
def test_what_fails_leaves_the_old_key_valid_and_in_place(broken, says, lago):
    lago.alter(broken=broken)
    with pytest.raises(NotChanged) as raised:
        rotate(lago)
    assert str(raised.value).startswith(f"{says}. Everything is as it was")
    assert as_before(lago)
    assert "new-key" not in str(raised.value)


def test_a_gateway_that_does_not_read_its_file(lago):
    lago.alter(gateway=lago.state["gateway"] | {"deaf": True})
    with pytest.raises(
        NotChanged, match=f"the gateway runs with another {VARIABLE} than {lago.env_file} has"
    ):
        rotate(lago)
    assert as_before(lago)


def test_a_gateway_that_compose_did_not_make(lago):
    lago.alter(gateway=lago.state["gateway"] | {"by_hand": True})
    with pytest.raises(NotChanged, match="docker restart would start it with the old key: recreate it"):
        rotate(lago)
    assert as_before(lago)


def test_the_old_key_is_not_revoked_while_the_gateway_runs_with_it(lago):
    with pytest.raises(NotChanged, match="the gateway runs with another"), rotation(lago) as changing:
        changing.create(api_keys.organizations(lago, lago.place)[0])
        changing.give()
        changing.see()
    assert as_before(lago)


def test_an_interrupt_undoes_what_was_begun(lago):
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt), rotation(lago, said) as changing:
        changing.create(api_keys.organizations(lago, lago.place)[0])
        changing.give()
        changing.restart()
        raise KeyboardInterrupt
    assert as_before(lago)
    assert said[-1].startswith(
        "interrupted. Everything is as it was: the gateway runs with the old key again, the new key was revoked."
    )


def test_somebody_else_changes_the_deployment(lago):
    with rotation(lago) as first:
        with pytest.raises(Locked, match="is being changed by .*API key"):
            rotation(lago)
        assert [each.name for each in (lago.directory / ".lago-acceptance" / "deploys").iterdir()] == [
            first.id
        ]


def test_a_change_that_was_cut_off_is_undone_first(lago):
    folder = lago.directory / ".lago-acceptance" / "deploys" / "20260101-000000-abcdef"
    folder.mkdir(parents=True)
    (folder / "journal").write_text("1\topened\t-\n2\tbegin\tfiles\n")
    with pytest.raises(UsageError, match="was cut off in the step files: undo it first"):
        rotation(lago)

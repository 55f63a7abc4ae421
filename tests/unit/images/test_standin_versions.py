"""For which tags of an image its stand-in may run."""

from __future__ import annotations

import io
import re
import tarfile

import pytest

from lago_acceptance.core.options import Images
from lago_acceptance.images import resolve, standins

ACCEPTED = {
    "caddy": ("2", "2-alpine", "2.8", "2.10.2", "2.11.7-alpine", "latest", "alpine"),
    "nginx": (
        *("1", "1.27", "1.27-alpine", "1.28.0", "1.29-bookworm", "1.27-alpine3.20", "1.27-alpine-slim"),
        *("latest", "alpine", "mainline", "mainline-alpine", "stable", "stable-alpine", "stable-alpine-slim"),
    ),
}
REFUSED = {
    "caddy": ("1", "1.0.3", "3", "2-builder", "builder", "2.8-windowsservercore", "20", "2x", "2.11.7.1"),
    "nginx": ("2", "0.8", "1.27-perl", "stable-alpine-otel", "perl", "19", "1x", "1.27-alpine-perl"),
}


@pytest.mark.parametrize(("repository", "tag"), [(name, tag) for name in ACCEPTED for tag in ACCEPTED[name]])
def test_a_tag_that_people_use_has_its_stand_in(repository, tag):
    assert re.fullmatch(resolve.STAND_INS[repository].pattern, tag)


@pytest.mark.parametrize(("repository", "tag"), [(name, tag) for name in REFUSED for tag in REFUSED[name]])
def test_a_variant_with_other_contents_has_none(repository, tag):
    assert not re.fullmatch(resolve.STAND_INS[repository].pattern, tag)


class NothingHere:
    """Registries of which none can be reached."""

    present = frozenset[str]()

    def obtain(self, reference: str) -> None:
        raise resolve.RegistryAway("away")


@pytest.mark.parametrize(
    ("reference", "way_out"),
    [
        ("caddy:1", "or name an image with CADDY_IMAGE."),
        ("nginx:2", "NGINX_IMAGE."),
        ("python:3.12", "reachable."),
    ],
)
def test_what_can_be_done_about_another_version_is_said(reference, way_out):
    mode: Images = "auto"
    with pytest.raises(resolve.NoImage) as told:
        resolve._resolve(reference, mode, {}, NothingHere())
    assert str(told.value).endswith(way_out)


@pytest.mark.parametrize("name", ["caddy", "nginx"])
def test_the_version_that_is_told_is_the_one_that_is_built(name):
    pinned = (standins.FOLDER / name / "requirements.txt").read_text().strip().partition("==")[2]
    assert f"(it is {'.'.join(pinned.split('.')[:2])})" in resolve.STAND_INS[name].versions


def test_what_two_stand_ins_share_is_in_the_context_of_both(tmp_path):
    for name in ("caddy", "nginx"):
        packed = io.BytesIO()
        standins._pack(standins.FOLDER / name, tmp_path, packed)
        with tarfile.open(fileobj=packed) as archive:
            member = archive.getmember("wget")
            assert member.isfile() and member.mode == 0o755 and member.size > 100

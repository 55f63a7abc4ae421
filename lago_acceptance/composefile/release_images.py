"""Lago's images in a compose file, given the tag of another release."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from lago_acceptance.composefile.written_places import Place, WrittenFiles
from lago_acceptance.composefile.written_services import WrittenService
from lago_acceptance.core.roles import FRONT, LAGO_RUBY
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import Numbers, Release
from lago_acceptance.lago.upgrades import numbers
from lago_acceptance.model.interpolation import nested

# Repositories that keep upstream's name, in any registry.
_LAGO = re.compile(r"(?:^|/)getlago/(?:api|front|lago)(?=[:@]|$)|lago[-_](?:api|front)[\w.-]*(?=[:@]|$)")
_TAG = re.compile(r"v?(1\.\d+\.\d+)")
_REFERENCE = re.compile(
    r"(?P<name>[\w./-]+?(?::\d+/[\w./-]+?)?)(?::(?P<tag>[\w.-]*))?(?P<digest>@[\w:]+)?(?P<end>[\"']?)$"
)

# No reference of an image is longer.
_LONGEST = 1000


def move_images(
    written: WrittenFiles, services: tuple[WrittenService, ...], has: Release
) -> tuple[Numbers, ...]:
    """Give each of Lago's images the tag of a release, wherever the tag is written; the numbers of the tags before.

    UsageError where one can't be moved: it is built here, pinned by digest, or has a tag that is no release of Lago.
    """
    found: list[Numbers] = []
    for service in services:
        if service.built and _is_lago(service, written):
            raise UsageError(
                f"{service.name} builds its image: change the release of Lago in its Dockerfile to {has.tag} yourself"
            )
    of_roles = [each.image for each in services if each.image and each.role in (*LAGO_RUBY, FRONT)]
    for node in (*of_roles, *(each for root in written.nodes for each in _images(root, set()))):
        place = written.of(node)
        pieces = written.pieces(place)
        text = "".join(each.text for each in pieces)
        reference = _REFERENCE.search(text) if len(text) <= _LONGEST else None
        if reference is None and node in of_roles:
            raise _unnamed(text, written, node, has)
        if reference and (node in of_roles or _LAGO.search(reference["name"])):
            found.append(_move(reference, pieces, written, node, has))
    if not found:
        raise UsageError(f"{written.compose_file} has no image of Lago's API or front")
    return tuple(found)


def _is_lago(service: WrittenService, written: WrittenFiles) -> bool:
    return service.role in (*LAGO_RUBY, FRONT) or bool(_LAGO.search(written.filled(service.image)))


def _images(node: yaml.Node, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """The values of all keys `image` in a document, those of templates that nothing uses included."""
    if id(node) in seen:
        return
    seen.add(id(node))
    for child in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield from _images(child, seen)
    for key, child in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "image" and isinstance(child, yaml.ScalarNode):
            yield child
        yield from _images(child, seen)


def _move(
    reference: re.Match[str], pieces: list[Place], written: WrittenFiles, node: yaml.ScalarNode, has: Release
) -> Numbers:
    image = reference[0].removesuffix(reference["end"])
    if reference["digest"]:
        raise UsageError(
            f"{image[:200]} is pinned by its digest, which belongs to one release: write {reference['name']}:{has.tag}, "
            "or that release's digest, yourself"
        )
    tag = _TAG.fullmatch(reference["tag"] or "")
    if not tag:
        raise _unnamed(image, written, node, has)
    start = reference.start("tag") + tag.start(1)
    end = start + len(tag[1])
    for piece in pieces:
        if start >= 0 and end <= len(piece.text):
            written.replace(piece.part(start, end), has.tag.removeprefix("v"))
            return numbers(tag[1])
        start, end = start - len(piece.text), end - len(piece.text)
    raise UsageError(
        f"the tag of {image[:200]} is put together from several variables: change it to {has.tag} yourself"
    )


def _unnamed(image: str, written: WrittenFiles, node: yaml.ScalarNode, has: Release) -> UsageError:
    """What is wrong with an image whose tag is no release."""
    unset = [use.name for use in nested(node.value) if use.name not in written.values and use.default is None]
    if unset:
        return UsageError(
            f"the image {node.value[:200]} names no release of Lago, since {', '.join(unset)} has no value: give it with --env-file"
        )
    return UsageError(
        f"the image {image[:200]} names no release of Lago: give it a tag such as {has.tag}, or move a fork's image yourself"
    )

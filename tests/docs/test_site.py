"""The documentation as a site: it builds without a warning, loads nothing from elsewhere, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

# Attributes by which a page loads something; <a href> only leads somewhere.
LOADS = {("link", "href"), ("a", "src"), ("form", "action")}


class Seen(HTMLParser):
    """What a page loads, where it leads, and the names of its places."""

    def __init__(self, text: str):
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        for name, value in given.items():
            if name in ("src", "poster", "data") or (tag, name) in LOADS:
                self.loads.append(value)
            elif name == "srcset":
                self.loads += [each.split()[0] for each in value.split(",")]
            elif (tag, name) == ("a", "href"):
                self.leads.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Seen]:
    return {path: Seen(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def test_each_document_is_a_page(pages, site):
    assert len(pages) > 35
    for document in [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/runbooks/*.md")]:
        path = document.relative_to(ROOT / "docs").with_suffix(".html")
        wanted = path.with_name("index.html") if path.name == "README.html" else path
        assert site / wanted in pages, document


def test_no_page_loads_anything_from_elsewhere(pages):
    loaded = {url for page in pages.values() for url in page.loads}
    assert any(url.endswith(".css") for url in loaded) and any(url.endswith(".js") for url in loaded)
    assert [
        url for url in sorted(loaded) if urlsplit(url).netloc or urlsplit(url).scheme not in ("", "data")
    ] == []


def test_no_style_loads_anything_from_elsewhere(site):
    styles = [path.read_text("utf-8") for path in site.rglob("*.css")]
    urls = [
        url
        for style in styles
        for url in re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", style)
    ]
    assert styles
    assert [
        url for url in map("".join, urls) if urlsplit(url).scheme not in ("", "data") or urlsplit(url).netloc
    ] == []


def test_what_a_page_loads_is_there(pages):
    missing = {
        (path.name, url)
        for path, page in pages.items()
        for url in page.loads
        if not url.startswith("data:") and path.name != "404.html" and not _target(path, url).is_file()
    }
    assert missing == set()


def test_links_between_pages_lead_somewhere(pages):
    dead = []
    for path, page in pages.items():
        for link in page.leads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = _target(path, link)
            anchor = unquote(parts.fragment)
            if not target.exists() or anchor and target in pages and anchor not in pages[target].places:
                dead.append((path.name, link))
    assert dead == []


def test_the_first_page_is_the_readme(site):
    first = (site / "index.html").read_text("utf-8")
    assert "Does this" in first and "Three vantage points" in first
    assert 'href="runbooks/index.html"' in first and 'src="images/' in first


def _target(page: Path, link: str) -> Path:
    path = unquote(urlsplit(link).path)
    return (page.parent / path).resolve() if path else page

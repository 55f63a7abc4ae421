"""Hook of mkdocs: README.md is the site's first page, and links to files outside of docs/ lead to copies in the site.

Pages link each other as they lie in the repository, so that the links work there too.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# [text](target), and src="target" of an image.
_LINK = re.compile(r"""(\]\(|\bsrc(?:set)?=")([^)"\s#:]+)(?=[)"#])""")
_FENCE = re.compile(r"^```sh run$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add README.md, and every file outside of docs/ that a page links."""
    waiting = ["README.md", *(f"docs/{each.src_uri}" for each in files.documentation_pages())]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        if not path.startswith("docs/"):
            files.append(File.generated(config, _in_site(path), abs_src_path=str(ROOT / path)))
        if path.endswith(".md"):
            linked = {target for _, target in _LINK.findall((ROOT / path).read_text("utf-8"))}
            found = {_in_repository(path, target) for target in linked}
            waiting += sorted(
                each for each in found - seen if (ROOT / each).is_file() and each[:5] != "docs/"
            )
            seen |= found
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let the links of a page lead to where their targets are in the site."""
    here = page.file.src_uri
    path = next(each for each in (_of_site(here), f"docs/{here}") if (ROOT / each).is_file())

    def moved(link: re.Match[str]) -> str:
        target = _in_site(_in_repository(path, link[2]))
        return link[1] + posixpath.relpath(target, posixpath.dirname(here) or ".")

    return _FENCE.sub("```sh", _LINK.sub(moved, markdown))


def _in_repository(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _in_site(path: str) -> str:
    if path == "README.md":
        return "index.md"
    return path.removeprefix("docs/") if path.startswith("docs/") else f"project/{path}"


def _of_site(uri: str) -> str:
    return "README.md" if uri == "index.md" else uri.removeprefix("project/")

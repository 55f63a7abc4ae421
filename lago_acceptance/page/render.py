"""Makes the page of one run, or of the newest run of each of many hosts."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from lago_acceptance import __version__
from lago_acceptance.core import report_files
from lago_acceptance.core.cache import cache_folder
from lago_acceptance.core.registry import PHASES
from lago_acceptance.page import commands, encoded, host, numbers
from lago_acceptance.reports.summary import PastRun, Summary, unix

if TYPE_CHECKING:
    from jinja2 import Environment, FileSystemBytecodeCache
    from jinja2.bccache import Bucket

AT_MOST = 90


def write(path: Path, summaries: Sequence[Summary], past: Mapping[str, Sequence[PastRun]]) -> None:
    """Write the page. ``summaries`` is the newest run of each host, ``past`` by ``Summary.key`` its runs, oldest first,
    of which the last 90 are shown. NotWritten where that fails.
    """
    report_files.write(path, html(summaries, past).encode())


def html(summaries: Sequence[Summary], past: Mapping[str, Sequence[PastRun]]) -> str:
    """The page as one HTML document that loads nothing. ValueError without a summary."""
    from markupsafe import Markup

    if not summaries:
        raise ValueError("a page needs the summary of at least one run")
    # More secrets may be known now than when a page was made before.
    encoded.shown.cache_clear()
    newest = host.ordered(summaries)
    runs = [tuple(past.get(summary.key, ()))[-AT_MOST:] for summary in newest]
    places = encoded.places(newest)
    hosts = [
        host.Host(number, summary, mine, places)
        for number, (summary, mine) in enumerate(zip(newest, runs, strict=True))
    ]
    failed = Counter(
        check.phase for summary in newest for check in summary.checks if check.outcome == "failed"
    )
    phases = sorted({phase for summary in newest for phase in summary.phases})
    style, script = _source("page.css"), _source("page.js")
    return (
        _environment()
        .get_template("index.html.j2")
        .render(
            hosts=hosts,
            headline=host.headline(hosts),
            tally=list(host.tally(hosts)),
            phases=[(phase, PHASES.get(phase, ""), failed[phase]) for phase in phases],
            ended=max(summary.ended or summary.started for summary in newest),
            # Base64 has no markup, and looks like a secret to who redacts.
            data=Markup(encoded.packed(newest, runs, places)),
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
            version=__version__,
        )
    )


@cache
def _environment() -> Environment:
    """Jinja2 with autoescape, and every text that is put in redacted and printable. Imported here: the gate has none."""
    import jinja2
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made_before = None
    with suppress(report_files.NotWritten):
        made_before = _compiled(cache_folder() / f"page-{__version__}-{jinja2.__version__}")
    made = Environment(
        loader=PackageLoader("lago_acceptance.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        # A page is made once, and to optimize its templates takes longer than to fill them.
        optimized=False,
        auto_reload=False,
        bytecode_cache=made_before,
    )
    made.filters |= {
        "commands": commands.of_fix,
        "duration": numbers.duration,
        "is_time": lambda stamp: unix(stamp) is not None,
        "to_the_minute": lambda stamp: stamp[:16].replace("T", " "),
    }
    return made


def _compiled(folder: Path) -> FileSystemBytecodeCache:
    """Templates as an earlier run has compiled them: compiling is half of what a page takes."""
    from jinja2 import FileSystemBytecodeCache

    class Cache(FileSystemBytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            try:
                super().load_bytecode(bucket)
            # Whatever Python's formats may raise: it is compiled again, and the file replaced.
            except Exception:  # noqa: BLE001
                bucket.reset()
            if not isinstance(bucket.code, CodeType):
                bucket.reset()

        def dump_bytecode(self, bucket: Bucket) -> None:
            # On a full disk the next run compiles them too.
            with suppress(OSError):
                super().dump_bytecode(bucket)

    return Cache(str(report_files.make_folder(folder)))


def _shown(value: Any) -> Any:
    return encoded.shown(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def _source(name: str) -> str:
    loader = _environment().loader
    assert loader
    return loader.get_source(_environment(), name)[0]


def _hash(source: str) -> str:
    """What a Content-Security-Policy names inline text by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()

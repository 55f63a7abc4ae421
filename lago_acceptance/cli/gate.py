"""``lago-gate FILE...``: may this compose change be merged? No pytest, the same rules and reports as ``pytest -m gate``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lago_acceptance.cli import Parser, add_overlay, explain, guarded, path, print_versions
from lago_acceptance.core import colors, resources
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.options import Options
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.report_files import NotWritten
from lago_acceptance.core.verdicts import UsageError


def script() -> NoReturn:
    """The console script: ``main``, and an end at once. Python spends a tenth of a run on taking its modules apart."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """``lago-gate``; returns the exit code."""
    return guarded("lago-gate", run, sys.argv[1:] if arguments is None else arguments)


def run(arguments: Sequence[str]) -> int:
    """One command line of the gate."""
    # As Ctrl-C: what was started ends with the gate.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = _parser().parse_args(arguments)
    if given.version:
        return print_versions()
    if given.list or given.explain is not None:
        return explain(given.explain or "")
    if given.base == "":
        raise UsageError("--base is empty: give a compose file, a branch or a commit, or leave it out")
    options = Options(
        reports=Path(os.path.expanduser(given.reports)),
        compose_files=_files([*given.files, *given.file[:1]]),
        overlays=(*given.file[1:], *given.overlay),
        env_file=given.env_file,
        settings=given.settings,
        waivers=given.waivers,
    )
    options.check()
    return _judge(
        options, given.base, given.strict, options.reports if given.reports else None, verbose=given.verbose
    )


def _files(files: list[Path]) -> tuple[Path, ...]:
    """The files to judge: in a checkout the shipped one where none is named."""
    in_checkout = not resources.INSTALLED and Path.cwd().is_relative_to(resources.ROOT)
    if not files and not in_checkout:
        raise UsageError("no compose file given: lago-gate FILE...")
    return tuple(files) or (resources.SHIPPED_COMPOSE_FILE,)


def _judge(options: Options, base: str | None, strict: bool, reports: Path | None, *, verbose: bool) -> int:
    from lago_acceptance.composefile.found_files import projects_in
    from lago_acceptance.gate.engine import Judging, Question, judge

    projects = projects_in(options.compose_files, options.overlays)
    question = Question(options.env_file, base, options.settings, overlays=projects)
    with Judging(tuple(projects), question) as judging:
        from lago_acceptance.core import waivers
        from lago_acceptance.core.secrets import redact
        from lago_acceptance.gate import report

        # What redacts is loaded with its first use.
        redact("")
        known = waivers.for_run(options.waivers, options.settings)
        verdicts = judging.verdicts
    judged = judge(verdicts, known)
    for line in judged.waived:
        print(line)
    color = colors.wanted(sys.stdout)
    print(report.for_terminal(judged.findings, verdicts, judged.notes, color=color, verbose=verbose))
    for line in report.for_github(judged.findings, verdicts):
        print(line)
    if reports:
        try:
            report.write(reports, judged.findings, verdicts)
        except NotWritten as error:
            print(f"lago-gate: the verdict above counts, without a report: {error}", file=sys.stderr)
    red = strict and judged.findings or any(each.severity is Severity.ERROR for each in judged.findings)
    return NOT_ACCEPTED if red else ACCEPTED


def _parser() -> Parser:
    parser = Parser(
        prog="lago-gate",
        description="May this compose change be merged? Judges Lago's compose files; needs no Docker daemon.",
        epilog="The exit code is 0 without errors, 1 with errors, 4 for wrong options or files.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("files", nargs="*", type=path, metavar="FILE", help="a compose file, or a folder with compose files")
    add_overlay(parser)
    add(
        "-f",
        "--file",
        action="append",
        default=[],
        type=path,
        metavar="FILE",
        help="as for Compose: the first is FILE, each further one is laid over those before",
    )
    add(
        "--env-file", type=path, metavar="FILE", help="the variables of the deploy (default: the .env beside)"
    )
    add("--base", metavar="FILE", help="compare with what runs: a compose file, or a branch or commit of git")
    add("--strict", action="store_true", help="warnings fail too")
    add(
        "-v",
        "--verbose",
        action="store_true",
        help="also name the rules that were applied, with what each found",
    )
    add(
        "--settings",
        type=path,
        metavar="FILE",
        help="names, hosts, networks and limits of the deployment (default: settings.toml)",
    )
    add(
        "--waivers",
        type=path,
        metavar="FILE",
        help="known failures, each with a reason and an expiry date (default: waivers.toml beside the settings)",
    )
    add(
        "--reports",
        default=str(resources.REPORTS),
        metavar="FOLDER",
        help="where gate.json and gate.sarif are written (default: reports); '' writes neither",
    )
    add(
        "--explain",
        nargs="?",
        const="",
        metavar="ID",
        help="print the page on a finding id, or the list of all ids; nothing is judged",
    )
    add("--list", action="store_true", help="list all finding ids; nothing is judged")
    add("--version", action="store_true", help="print the versions of this suite, Python and Compose")
    return parser

"""``lago-acceptance upgrade-check HOST [TO]``: what an upgrade needs before it can begin. One look, which changes nothing."""

from __future__ import annotations

from lago_acceptance.cli import on_host
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.printable import printable
from lago_acceptance.core.secrets import redact


def run(given: list[str]) -> int:
    """Check the host that the command line names; the exit code: 0 where the upgrade may begin."""
    parser = on_host.parser(
        "upgrade-check",
        "Says which schema a database has, and what an upgrade needs before it can begin: rows to fill in, jobs, disk, locks "
        "and time. Reads only.",
    )
    add = parser.add_argument
    add("to", nargs="?", default="", metavar="TO", help="the release to upgrade to (default: the next stop)")
    add("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(given)
    from lago_acceptance.cli import upgrade_report
    from lago_acceptance.deploy.placed import seen
    from lago_acceptance.lago import upgrade_path
    from lago_acceptance.targets.which_lago import must_be_there

    to = upgrade_path.named(asked.to) if asked.to else None
    with on_host.reached(asked.host, asked.ssh_config) as host:
        facts, of_file, settings = seen(host, asked.settings, asked.project, upgrade=True)
        must_be_there(facts, host.name, asked.project, of_file.deployment)
    made = upgrade_report.made(facts, settings, to)
    if asked.json:
        print(printable(redact(upgrade_report.as_json(made))))
    else:
        for line in upgrade_report.as_text(made):
            print(printable(redact(line)))
    return ACCEPTED if made.ready else NOT_ACCEPTED

"""One host as the page's templates see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, grouped
from lago_acceptance.core.registry import PHASES, Severity
from lago_acceptance.page import commands, encoded, numbers
from lago_acceptance.reports.summary import OUTCOMES, Cause, Check, PastRun, Summary, unix
from lago_acceptance.reports.verdict import BILLS, DOES_NOT_BILL, NOT_KNOWN, WITH_FAULTS

# The worst first: of what was not seen nobody knows how bad it is.
STATES = {DOES_NOT_BILL: "bad", NOT_KNOWN: "unknown", WITH_FAULTS: "faults", BILLS: "good"}
_WRONG = ("failed", "waived", "blocked", "unknown", "skipped", "crashed")


class Host:
    """The newest run of a host, and those before. ``number`` is its place on the page."""

    # More of one kind than anybody reads; the rest is in summary.json.
    LISTED = 100

    def __init__(self, number: int, summary: Summary, runs: Sequence[PastRun], places: encoded.Places):
        self.number, self.summary, self.runs = number, summary, runs
        self._phases: dict[str, int] = {check.name: check.phase for check in summary.checks}
        self._places = places

    @property
    def state(self) -> str:
        """A word for styles: bad, unknown, faults or good."""
        return STATES.get(self.summary.billing, "unknown")

    @property
    def name(self) -> str:
        """The host without its account, and the project where one was named."""
        host = self.summary.host.rpartition("@")[2] or "this machine"
        return f"{host}, project {self.summary.project}" if self.summary.project else host

    @property
    def headline(self) -> str:
        """Whether it bills, as a sentence."""
        if self.state == "unknown":
            return f"It is not known whether {self.name} bills"
        sentence = f"{self.name} {self.summary.billing}"
        return "This machine" + sentence[12:] if sentence.startswith("this machine") else sentence

    @property
    def unjudged(self) -> int:
        """How many checks gave no verdict."""
        return sum(len(each.checks) for each in self.summary.not_judged)

    @property
    def lasting(self) -> str:
        """How long the state has lasted, in words; "" where that is not known, or the clock has jumped back."""
        since, now = unix(self.summary.since), unix(self.summary.ended or self.summary.started)
        return numbers.duration(now - since) if since and now and now - since >= 60 else ""

    @property
    def jumps(self) -> int:
        """How often the clock went back from one run to the next."""
        pairs = zip(self.runs, self.runs[1:], strict=False)
        return sum(later.started < earlier.started for earlier, later in pairs)

    @cached_property
    def warnings(self) -> list[tuple[Finding, str]]:
        """Warnings, and the phases that they are of."""
        return [
            (finding, self.phases_of_finding(finding))
            for finding in grouped(self.summary.findings(Severity.WARNING))
        ]

    @cached_property
    def waived(self) -> list[Check]:
        """Checks whose errors are accepted until a date."""
        return [check for check in self.summary.checks if check.outcome == "waived"]

    @cached_property
    def wrong(self) -> str:
        """The phases in which not all is well, for the filter."""
        phases = {check.phase for check in self.summary.checks if check.outcome in _WRONG or check.findings}
        return _joined(phases)

    @cached_property
    def tiles(self) -> list[numbers.Tile]:
        """Certificates, queues and disk."""
        return numbers.tiles(self.summary.measurements)

    @cached_property
    def others(self) -> list[tuple[str, str, str]]:
        """The other numbers."""
        return list(numbers.others(self.summary.measurements))

    @cached_property
    def phases(self) -> list[tuple[int, str, str]]:
        """Each phase with its title and its counts in words."""
        return [(phase, PHASES.get(phase, ""), self._counted(phase)) for phase in self.summary.phases]

    def _counted(self, phase: int) -> str:
        counts = self.summary.counts(phase)
        return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])

    def places(self, names: Sequence[str]) -> str:
        """The numbers of checks, by which the page's script finds their names."""
        found = (self._places.get((self._phases.get(name, -1), name)) for name in names)
        return " ".join(str(place) for place in found if place is not None)

    def phases_of(self, names: Sequence[str]) -> str:
        """The phases of checks, for the filter."""
        return _joined({self._phases[name] for name in names if name in self._phases})

    def phases_of_cause(self, cause: Cause) -> str:
        """The phases of the checks that report a cause."""
        return self.phases_of(cause.checks) or _registered(cause.finding)

    def phases_of_finding(self, finding: Finding) -> str:
        """The phases of the checks that have a finding of the same kind."""
        found = {
            check.phase
            for check in self.summary.checks
            for each in check.findings
            if (each.id, each.problem) == (finding.id, finding.problem)
        }
        return _joined(found) or _registered(finding)

    @property
    def again(self) -> str:
        """The command that looks again."""
        return commands.look_again(self.summary)

    def number_of(self, name: str) -> str:
        """The value of a measure that matters most."""
        return numbers.headline(self.summary.measurements, name)


def ordered(summaries: Sequence[Summary]) -> list[Summary]:
    """Hosts as a reader needs them: the worst first, then by name."""
    places = list(STATES)

    def place(summary: Summary) -> tuple[int, str]:
        billing = summary.billing if summary.billing in places else NOT_KNOWN
        return places.index(billing), summary.key

    return sorted(summaries, key=place)


def tally(hosts: Sequence[Host]) -> Iterator[tuple[str, str, int]]:
    """Of each state that hosts have: its style, its words, and how many they are; the worst first."""
    for words, state in STATES.items():
        if count := sum(host.state == state for host in hosts):
            yield state, words, count


def headline(hosts: Sequence[Host]) -> str:
    """The verdict on all hosts, as a sentence."""
    if len(hosts) == 1:
        return hosts[0].headline
    state, _, count = next(tally(hosts))
    if count == len(hosts):
        whole = {
            "bad": "None of {} hosts bills",
            "good": "All {} hosts bill",
            "faults": "All {} hosts bill, with faults",
        }
        return whole.get(state, "It is not known whether any of {} hosts bills").format(count)
    if state == "unknown":
        return f"It is not known whether {count} of {len(hosts)} hosts {'bills' if count == 1 else 'bill'}"
    one = count == 1
    said = {
        "bad": "does not bill" if one else "do not bill",
        "faults": "bills, with faults" if one else "bill, with faults",
    }[state]
    return f"{count} of {len(hosts)} hosts {said}"


def _registered(finding: Finding) -> str:
    entry = registry.known(finding.id)
    return str(entry.phase) if entry else ""


def _joined(phases: set[int]) -> str:
    return " ".join(map(str, sorted(phases)))

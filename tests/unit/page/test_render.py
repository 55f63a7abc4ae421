"""The page is one file that shows what it was given, as text, whatever that is, and loads nothing."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import marshal
import math
import re
import secrets
import zlib
from html.parser import HTMLParser

import jinja2
import msgspec
import pytest

from lago_acceptance import __version__
from lago_acceptance.core.measurements import Measurement
from lago_acceptance.core.report_files import NotWritten
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.page import render
from lago_acceptance.reports import verdict
from lago_acceptance.reports.summary import PastRun, iso
from tests.support import pages


class Read(HTMLParser):
    """A page as a browser reads it: its elements, attributes, text, and what its scripts and styles hold."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.text, self._open = "", ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, text):
        if self._open in self.inline:
            self.inline[self._open].append(text)
        else:
            self.text += text


def data(page: str) -> dict:
    """What the page's script unpacks."""
    packed = re.search(r'id="data">([^<]*)<', page)
    assert packed
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


@pytest.mark.parametrize("hosts", [1, 2])
def test_markup_in_any_field_is_shown_as_text(hosts):
    summary, past = pages.everywhere(pages.HOSTILE)
    others = [msgspec.structs.replace(summary, host=f"{number}{pages.HOSTILE}") for number in range(1, hosts)]
    page = render.html([summary, *others], past)
    harmless, harmless_past = pages.everywhere("harmless")
    same = [msgspec.structs.replace(harmless, host=f"{number}harmless") for number in range(1, hosts)]
    expected = Read(render.html([harmless, *same], harmless_past))
    read = Read(page)
    assert sorted(set(read.tags)) == sorted(set(expected.tags)) and len(read.inline["script"]) == 2
    assert read.tags.count("img") == 0 and not [name for name, _ in read.attributes if name.startswith("on")]
    assert "<img src=x onerror=alert(2)>\\u2028\\x1b[31m\\x00\\udcff\\u202e{{7*7}}" in read.text
    assert not set("\u2028\x1b\x00\udcff\u202e") & set(page)


def test_what_the_script_gets_has_no_markup_and_nothing_that_a_terminal_obeys():
    summary, past = pages.everywhere(pages.HOSTILE)
    page = render.html([summary], past)
    packed = re.search(r'id="data">([^<]*)</script>', page)
    assert packed and re.fullmatch(r"[A-Za-z0-9+/]+=*", packed[1])
    [cause] = data(page)["causes"]
    assert cause.startswith("</script>") and "\\x1b[31m" in cause


def test_secrets_are_in_neither_text_nor_data():
    secret = f"s{secrets.token_hex(12)}"
    summary, past = pages.everywhere(f"it is {secret}")
    # What was rendered before a secret was learned is not taken from memory.
    assert secret in render.html([summary], past)
    Redactor.shared.learn(secret)
    page = render.html([summary], past)
    assert secret not in page and secret not in json.dumps(data(page))


def test_it_loads_nothing_and_runs_its_own_script_alone():
    page = pages.page([pages.summary()])
    read = Read(page)
    policy = next(value for _, value in read.attributes if value and "default-src" in value)
    [style], script = read.inline["style"], read.inline["script"][1]
    for text, kind in ((style, "style-src"), (script, "script-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not [value for name, value in read.attributes if name in ("src", "style", "srcset", "action")]
    links = [value for name, value in read.attributes if name == "href" and value]
    assert all(link.startswith(("#", "data:image/svg+xml,")) for link in links)
    assert not re.search(r"@import|url\(", style)


@pytest.mark.parametrize("faulty", [False, True], ids=["some with faults", "all with faults"])
def test_ninety_runs_of_fifty_hosts_are_under_500_kb(faulty):
    summaries = (
        [pages.summary(f"host-{number}", number=number) for number in range(50)] if faulty else pages.many(50)
    )
    page = pages.page(summaries)
    assert len(page.encode()) < 500_000
    assert [len(host["b"]) for host in data(page)["hosts"]] == [90] * 50
    assert [len(host["o"]) for host in data(page)["hosts"] if host["s"]] == [len(data(page)["names"])] * (
        50 if faulty else 49
    )


def test_two_hundred_hosts_have_a_row_each():
    page = pages.page(pages.many(200))
    assert page.count('<details class="host ') == 200 and len(page.encode()) < 2_000_000


def test_runs_of_more_than_ninety_nights_are_left_out_from_the_oldest_on():
    summary = pages.summary()
    runs = pages.nights(summary, 100)
    found = data(render.html([summary], {summary.key: runs}))["hosts"][0]
    assert len(found["t"]) == 90 and found["t"][0] == runs[10].started // 60


def test_each_run_is_drawn_as_it_was():
    summary = pages.summary()
    one, two = (
        PastRun(
            "a", 6000.0, 12.4, verdict.DOES_NOT_BILL, 1, "x", {2: "failed", 3: "passed"}, {"queue_age": 7.25}
        ),
        PastRun("b", 12000.0, 9.6, verdict.BILLS, 0, "", {2: "passed"}, {}, True),
    )
    found = data(render.html([summary], {summary.key: [one, two]}))
    host = found["hosts"][0]
    assert [found["billing"][int(digit)] for digit in host["b"]] == [verdict.DOES_NOT_BILL, verdict.BILLS]
    assert (host["t"], host["d"], host["h"]) == ([100, 100], [12, 10], "01")
    assert [found["causes"][place] for place in host["c"]] == ["x", ""]
    assert host["m"] == {"queue_age": [7.2, None]}
    assert host["p"] == {"2": "10", "3": "04"} and found["words"][1] == "failed"


def test_a_host_without_history_says_so():
    read = Read(render.html([pages.summary()], {}))
    assert "No earlier run against this host is recorded" in read.text and "data-history" not in dict(
        read.attributes
    )


def test_a_clock_that_jumped_back_is_named_and_keeps_the_order_of_runs():
    summary = pages.summary()
    runs = [PastRun(str(at), at, 1.0, verdict.BILLS, 0) for at in (600.0, 60.0, 1200.0, 1800.0)]
    page = render.html([summary], {summary.key: runs})
    assert "went back once" in Read(page).text
    assert data(page)["hosts"][0]["t"] == [10, -9, 19, 10]


def test_a_state_that_began_after_its_run_has_no_duration():
    late = pages.summary(since=iso(pages.NIGHT + 9 * pages.DAY))
    text = Read(render.html([late], {})).text
    assert "since 2026-12-02 02:13 UTC" in text and "UTC (" not in text


def test_numbers_that_are_none_and_times_beyond_all_calendars_are_left_out():
    numbers = tuple(Measurement(name, math.nan) for name in ("certificate_days", "queue_age", "dead_jobs"))
    summary = pages.summary(measurements=(*numbers, Measurement("disk_free", math.inf)), seconds=math.nan)
    runs = [
        PastRun("a", at, math.nan, "bills", 0, measurements={"queue_age": math.inf})
        for at in (math.nan, math.inf, -1e300, 1e300)
    ]
    page = render.html([summary], {summary.key: runs})
    host = data(page)["hosts"][0]
    assert host["d"] == [0] * 4 and host["m"] == {} and min(host["t"]) >= -253402300800 // 60
    assert 'class="tile"' not in page and "not known" in Read(page).text


def test_a_run_that_met_nobody_shows_why():
    page = render.html([pages.unreachable("root@billing.example.com")], {})
    text = Read(page).text
    assert "It is not known whether billing.example.com bills" in text
    assert "doesn't answer on port 22 within 10 s" in text and "Nothing was checked" in text
    assert '<form class="filter">' not in page


def test_each_part_of_a_run_is_shown():
    summary = pages.summary()
    text = " ".join(Read(pages.page([summary])).text.split())
    for cause in summary.causes:
        assert cause.finding.problem in text and cause.finding.impact in text and cause.finding.fix in text
    for each in summary.not_judged:
        assert f"{len(each.checks)}" in text and (each.blocked_by or each.reason) in text
    services = sum(each.phase == 2 and each.outcome == "passed" for each in summary.checks)
    assert services > 30
    for said in (
        "billing.example.com bills, with faults", "not accepted (13 not judged)", "Lago v1.33.2",
        "since 2026-11-22 02:13 UTC (24 h)", "docker compose logs --since 1h lago-worker", "6 days", "47 min 212 jobs",
        "38 GiB", "the replica in the other hall reads it, until 2027-01-31", pages.UNGUARDED.problem,
        f"2 Services: {services} passed, 1 failed, 1 waived", "lago-acceptance live ssh://root@billing.example.com",
    ):  # fmt: skip
        assert said in text, said


def test_what_changed_and_what_flaps_is_named():
    text = Read(render.html([pages.summary(changed=True, changes=4)], {})).text
    assert "changed in this run" in text and "changed 4 times in ten runs" in text


@pytest.mark.parametrize(
    ("billings", "headline"),
    [
        ([verdict.BILLS], "a0 bills"),
        ([verdict.DOES_NOT_BILL], "a0 does not bill"),
        ([verdict.WITH_FAULTS], "a0 bills, with faults"),
        ([verdict.NOT_KNOWN], "It is not known whether a0 bills"),
        (["a word of tomorrow"], "It is not known whether a0 bills"),
        ([verdict.BILLS] * 2, "All 2 hosts bill"),
        ([verdict.WITH_FAULTS] * 2, "All 2 hosts bill, with faults"),
        ([verdict.DOES_NOT_BILL] * 2, "None of 2 hosts bills"),
        ([verdict.NOT_KNOWN] * 2, "It is not known whether any of 2 hosts bills"),
        ([verdict.BILLS, verdict.WITH_FAULTS], "1 of 2 hosts bills, with faults"),
        ([verdict.BILLS, verdict.NOT_KNOWN], "It is not known whether 1 of 2 hosts bills"),
        ([verdict.BILLS, verdict.DOES_NOT_BILL, verdict.DOES_NOT_BILL], "2 of 3 hosts do not bill"),
    ],
)
def test_the_headline_says_whether_hosts_bill(billings, headline):
    summaries = [pages.summary(f"a{number}", billing=billing) for number, billing in enumerate(billings)]
    page = render.html(summaries, {})
    assert f"<title>{headline}</title>" in page and f"<span>{headline}</span></h1>" in page


def test_a_machine_without_a_name_is_this_one():
    assert "<title>This machine bills</title>" in render.html(
        [pages.summary("this machine", billing="bills")], {}
    )


def test_the_worst_host_comes_first():
    billings = [verdict.BILLS, verdict.WITH_FAULTS, verdict.NOT_KNOWN, verdict.DOES_NOT_BILL]
    summaries = [pages.summary(f"a{number}", billing=billing) for number, billing in enumerate(billings)]
    assert re.findall(r"<b>(a\d)</b>", render.html(summaries, {})) == ["a3", "a2", "a1", "a0"]


def test_two_projects_of_a_host_have_a_history_each():
    summaries = [pages.summary("a", project=name, billing=verdict.BILLS) for name in ("one", "two")]
    page = render.html(summaries, {"a two": pages.nights(summaries[1], 3)})
    assert [len(host["b"]) for host in data(page)["hosts"]] == [0, 3]
    assert "a, project two" in page


def test_without_a_run_there_is_no_page():
    with pytest.raises(ValueError, match="at least one run"):
        render.html([], {})


def test_the_file_is_its_owners_and_one_that_cannot_be_written_is_named(tmp_path):
    summary = pages.summary()
    render.write(tmp_path / "index.html", [summary], {})
    assert (tmp_path / "index.html").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "index.html").read_text("utf-8") == render.html([summary], {})
    with pytest.raises(NotWritten, match="index.html can't be written: "):
        render.write(tmp_path / "missing" / "index.html", [summary], {})


def test_jinja_is_loaded_only_for_a_page(tmp_path):
    import subprocess
    import sys

    code = "import sys, lago_acceptance.page.render; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's cache that no run has used."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    render._environment.cache_clear()
    # What another version has compiled, of the suite or of Jinja2, is not this one's.
    yield tmp_path / "lago-acceptance" / f"page-{__version__}-{jinja2.__version__}"
    render._environment.cache_clear()


@pytest.mark.parametrize(
    "damaged",
    [
        lambda content: content[:-20],
        lambda content: content[:40],
        lambda content: content[: content.index(b"(") + 1],
        lambda content: content[:60] + marshal.dumps("no code"),
        lambda content: b"",
    ],
    ids=["end", "checksum", "begin", "other", "empty"],
)
def test_compiled_templates_are_kept_and_damaged_ones_are_made_again(damaged, home):
    whole = render.html([pages.summary()], {})
    kept = list(home.iterdir())
    assert kept
    for each in kept:
        each.write_bytes(damaged(each.read_bytes()))
    render._environment.cache_clear()
    assert render.html([pages.summary()], {}) == whole
    assert all(each.stat().st_size > 1000 for each in home.iterdir()), "they are whole again"


@pytest.mark.parametrize("place", ["/proc", "/dev/null", ""])
def test_a_page_needs_no_cache(place, home, monkeypatch):
    if place:
        monkeypatch.setenv("XDG_CACHE_HOME", place)
    else:
        home.parent.mkdir()
        home.write_text("a file")
    assert "</html>" in render.html([pages.summary()], {})


def test_a_disk_that_fills_while_templates_are_kept_costs_no_page(home, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("jinja2.bccache.tempfile.NamedTemporaryFile", full)
    assert "</html>" in render.html([pages.summary()], {})
    assert not list(home.iterdir())

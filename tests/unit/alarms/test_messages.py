"""What an alarm says, and that nothing in it can do harm where it is read."""

from __future__ import annotations

import pytest

from lago_acceptance.alarms.notify import message, together
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.reports.summary import Cause
from tests.support.nights import finding, night, red_night

PAGE = "https://status.example.com/lago/index.html"


def test_it_has_host_verdict_since_cause_impact_fix_and_page():
    made = message(red_night(since="2026-11-25T03:17:00Z", changes=3), "changed", PAGE)
    assert made.title == "Lago on root@billing.example.com does not bill"
    assert made.kind == "failure"
    assert made.body.splitlines() == [
        "root@billing.example.com, Lago v1.16.0: does not bill (not accepted)",
        "Since: 2026-11-25T03:17:00Z",
        "It has changed 3 times in the last ten runs.",
        "",
        "[service-down] worker: the worker is not running",
        "Impact: no invoice is made",
        "Fix: docker compose up -d worker",
        "Blocks: 1 checks",
        "",
        "Not judged (3):",
        "- 3: no API key is known",
        "",
        "Page: https://status.example.com/lago/index.html",
        "Run run-1795749420, 2026-11-27T03:17:00Z, suite 1.2.3",
    ]


@pytest.mark.parametrize(
    ("summary", "why", "title", "kind"),
    [
        (red_night(), "still red", "Still: Lago on root@billing.example.com does not bill", "failure"),
        (night(), "recovered", "Lago on root@billing.example.com bills again", "success"),
        (
            night(billing="not known", exit_code=6),
            "changed",
            "Unknown whether Lago on root@billing.example.com bills",
            "warning",
        ),
        (
            red_night(billing="bills, with faults"),
            "changed",
            "Lago on root@billing.example.com bills, with faults",
            "warning",
        ),
    ],
)
def test_its_title_is_the_news(summary, why, title, kind):
    made = message(summary, why, "")
    assert (made.title, made.kind) == (title, kind)
    assert "Page:" not in made.body


def test_without_a_cause_it_says_how_the_run_ended():
    note = "root@billing.example.com can't be reached: connection refused"
    made = message(night(billing="not known", exit_code=6, notes=(note,)), "changed", "")
    assert f"- {note}" in made.body


def test_it_has_the_first_causes_and_the_number_of_the_others():
    causes = tuple(Cause(finding(f"fault-{number}"), ("a",)) for number in range(9))
    body = message(red_night(causes=causes), "changed", "").body
    assert "[fault-4]" in body and "[fault-5]" not in body
    assert "and 4 more" in body


def test_markup_escapes_and_calls_arrive_harmless():
    hostile = "a\r\nBcc: all@example.com\x1b[31m\u202e @everyone @here <!channel> <@U1> <script>x</script>"
    made = message(
        red_night(finding(problem=hostile, fix=hostile), host=hostile, verdict=hostile, since=hostile),
        "changed",
        "",
    )
    text = made.title + made.body
    assert not {"\x1b", "\r", "\u202e"} & set(text) and "\n" not in made.title
    assert not [line for line in made.body.splitlines() if line.startswith("Bcc:")]
    for call in ("@everyone", "@here", "<!channel", "<@U1"):
        assert call not in text
    assert len(made.title) <= 120


def test_an_address_and_a_command_stay_as_they_are():
    made = message(
        red_night(finding(fix="docker compose logs <service> >log && mail ops@example.com")), "changed", ""
    )
    assert "docker compose logs <service> >log && mail ops@example.com" in made.body


def test_a_secret_does_not_travel():
    Redactor.shared.learn("k3y-of-the-operator")
    made = message(red_night(notes=("k3y-of-the-operator",), verdict="k3y-of-the-operator"), "changed", "")
    assert "k3y-of-the-operator" not in made.title + made.body


def test_many_hosts_are_one_message():
    messages = [message(red_night(host=f"root@host{number}"), "changed", "") for number in range(60)]
    made = together([*messages, message(night(host="root@well"), "recovered", "")], PAGE)
    assert made.title == "Lago: news from 61 hosts, 60 of which need attention"
    assert "- Lago on root@host0 does not bill" in made.body and "and 11 more" in made.body
    assert PAGE in made.body and made.kind == "failure"

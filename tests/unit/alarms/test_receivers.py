"""Alarms arrive at real receivers on this machine; one that fails is a warning, and never costs more than its deadline."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from lago_acceptance.alarms.night import report
from lago_acceptance.alarms.notify import Message, message, send
from lago_acceptance.alarms.settings import AlarmSettings
from lago_acceptance.core.secrets import Secret
from tests.support.edge_servers import free_port, raw_server
from tests.support.nights import DAY, HOST, HOUR, MORNING, finding, night, red_night
from tests.support.paths import ROOT
from tests.support.receivers import Silent, mail_server

NEWS = Message("Lago on host does not bill", "because", "failure")


@pytest.fixture
def mail():
    with mail_server() as server:
        yield server


@pytest.fixture
def silent():
    """A server that accepts, and then says one byte now and then: no step of a client ever times out."""
    talk = Silent(b"HTTP/1.1 200 OK\r\nX: ")
    with raw_server(talk) as port:
        yield port
    talk.ended.set()


def test_mails_come_on_change_only_and_once_a_day_while_red(mail):
    settings, known, told = AlarmSettings((Secret(mail.url),)), {}, []
    nights = [
        (0, night()),
        (DAY, red_night()),
        (DAY + HOUR, red_night()),
        (2 * DAY - 120, red_night()),
        (2 * DAY, red_night(finding("redis-down"))),
        (3 * DAY, night()),
        (4 * DAY, night()),
    ]
    for after, summary in nights:
        before = len(mail.arrived)
        made = report(settings, [summary], known, MORNING + after)
        assert made.warnings == []
        known |= made.sent
        told.append(len(mail.arrived) - before)
    assert told == [0, 1, 0, 1, 1, 1, 0]
    assert mail.subjects == [
        f"Lago on {HOST} does not bill",
        f"Still: Lago on {HOST} does not bill",
        f"Lago on {HOST} does not bill",
        f"Lago on {HOST} bills again",
    ]
    assert "Fix: docker compose up -d worker" in mail.arrived[0].get_content()
    assert "[redis-down]" in mail.arrived[2].get_content()


def test_a_subject_can_not_become_a_header_and_markup_stays_text(mail):
    hostile = "h\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script>\x1b[31m"
    made = message(red_night(finding(problem=hostile), host=hostile), "changed", "")
    assert send([Secret(mail.url)], [made]).warnings == []
    (arrived,) = mail.arrived
    assert arrived["Bcc"] is None and str(arrived["To"]) == "operators@example.com"
    assert "\n" not in str(arrived["Subject"]) and "\x1b" not in arrived.get_content()
    assert "&lt;script&gt;" in arrived.get_content() or arrived.get_content_type() == "text/plain"


def test_a_webhook_gets_title_text_and_kind(httpserver):
    httpserver.expect_oneshot_request("/hook", method="POST").respond_with_data("")
    delivery = send([Secret(f"json://127.0.0.1:{httpserver.port}/hook")], [NEWS])
    assert (delivery.warnings, delivery.arrived) == ([], (True,))
    (request, _) = httpserver.log[0]
    assert {key: request.json[key] for key in ("title", "message", "type")} == {
        "title": NEWS.title,
        "message": NEWS.body,
        "type": "failure",
    }


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_webhook_that_has_moved_has_not_taken_the_alarm(status, httpserver):
    """Followed by most clients, a redirect turns the POST into a GET of some page, which is there."""
    httpserver.expect_request("/hook").respond_with_data(
        "", status, {"Location": httpserver.url_for("/page")}
    )
    httpserver.expect_request("/page").respond_with_data("")
    delivery = send([Secret(f"json://127.0.0.1:{httpserver.port}/hook")], [NEWS])
    assert delivery.arrived == (False,) and str(status) in delivery.warnings[0]
    assert [request.path for request, _ in httpserver.log] == ["/hook"]


def test_each_target_that_fails_is_a_warning_and_the_others_get_theirs(mail, httpserver, capfd):
    secret = "s3cr3tTokenOfOurs99"
    httpserver.expect_request(f"/{secret}").respond_with_data("", status=403)
    targets = [
        f"json://127.0.0.1:{free_port()}/{secret}",
        f"json://no-such-host.invalid/{secret}",
        mail.url,
        f"json://u:{secret}@127.0.0.1:{httpserver.port}/{secret}",
    ]
    delivery = send([Secret(url) for url in targets], [NEWS])
    assert len(mail.arrived) == 1 and delivery.arrived == (True,)
    assert [each.split(":")[0] for each in delivery.warnings] == [
        f"the alarm to target {number} of the alarms file (JSON) was not sent" for number in (1, 2, 4)
    ]
    assert "403" in delivery.warnings[2]
    assert secret not in "".join(delivery.warnings)
    assert capfd.readouterr() == ("", "")


def test_a_target_that_hangs_costs_its_deadline_only(mail, silent):
    began = time.monotonic()
    delivery = send([Secret(f"json://127.0.0.1:{silent}/x"), Secret(mail.url)], [NEWS], 5)
    assert time.monotonic() - began < 20
    assert delivery.warnings == [
        "the alarm to target 1 of the alarms file (JSON) was not sent: no answer within 5 seconds"
    ]
    assert len(mail.arrived) == 1


def test_a_target_that_hangs_does_not_keep_the_process_and_nothing_is_printed(silent):
    program = (
        "from lago_acceptance.alarms.notify import Message, is_usable, send\n"
        "from lago_acceptance.core.secrets import Secret\n"
        "is_usable('slak://x')\n"
        f"targets = [Secret('json://127.0.0.1:{silent}/x'), Secret('json://127.0.0.1:{free_port()}/x')]\n"
        "print(send(targets, [Message('a', 'b', 'failure')], 1).warnings[0])\n"
    )
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.endswith("no answer within 1 seconds\n") and ended.stderr == ""
    assert time.monotonic() - began < 45


def test_an_alarm_that_reached_nobody_is_sent_again_by_the_next_run(mail):
    broken = AlarmSettings((Secret(f"json://127.0.0.1:{free_port()}/x"),))
    first = report(broken, [red_night()], {}, MORNING)
    assert first.sent == {} and len(first.warnings) == 1
    second = report(AlarmSettings((Secret(mail.url),)), [red_night()], first.sent, MORNING + HOUR)
    assert second.sent == {HOST: (MORNING + HOUR, "does not bill", "service-down", f"run-{MORNING:.0f}")}
    assert len(mail.arrived) == 1


def test_many_hosts_that_turn_red_at_once_are_one_mail(mail):
    summaries = [red_night(host=f"root@host{number}") for number in range(20)]
    made = report(AlarmSettings((Secret(mail.url),)), summaries, {}, MORNING)
    assert mail.subjects == ["Lago: news from 20 hosts, 20 of which need attention"]
    assert len(made.sent) == 20


def test_nothing_is_sent_unless_configured(mail):
    made = report(None, [red_night()], {}, MORNING)
    assert (made.warnings, made.sent, mail.arrived) == ([], {}, [])

"""The heartbeat says that a run began and how it ended; metrics go to a Pushgateway. Neither ever costs a verdict."""

from __future__ import annotations

import time

import pytest

from lago_acceptance.alarms import heartbeat, pushgateway
from lago_acceptance.alarms.night import report
from lago_acceptance.alarms.settings import AlarmSettings
from lago_acceptance.core.secrets import Secret
from tests.support.edge_servers import free_port, raw_server
from tests.support.nights import MORNING, night, red_night
from tests.support.receivers import Silent

CHECK = "/5b9ff4a8-91a7-4b2f-9f4e-0123456789ab"


def beating(url: str) -> AlarmSettings:
    return AlarmSettings((), Secret(url))


def asked(httpserver) -> list[str]:
    return [request.full_path.rstrip("?") for request, _ in httpserver.log]


def answering(httpserver, *paths: str) -> str:
    for path in paths:
        httpserver.expect_request(path).respond_with_data("OK")
    return f"http://127.0.0.1:{httpserver.port}{CHECK}"


def test_start_success_and_exit_code_have_their_addresses(httpserver):
    settings = beating(answering(httpserver, *(f"{CHECK}{end}" for end in ("", "/start", "/1", "/fail"))))
    assert heartbeat.start(settings) + heartbeat.success(settings) == []
    assert heartbeat.fail(settings, 1) + heartbeat.fail(settings, -9) == []
    assert asked(httpserver) == [f"{CHECK}/start", CHECK, f"{CHECK}/1", f"{CHECK}/fail"]


def test_what_follows_the_path_stays(httpserver):
    settings = beating(f"{answering(httpserver, f'{CHECK}/start')}/?create=1")
    assert heartbeat.start(settings) == []
    assert asked(httpserver) == [f"{CHECK}/start?create=1"]


def test_without_a_heartbeat_nothing_is_asked():
    assert heartbeat.start(None) + heartbeat.success(AlarmSettings(())) == []


def test_a_service_that_refuses_or_is_down_is_a_warning_without_the_address(httpserver):
    httpserver.expect_request(CHECK).respond_with_data("", status=404)
    (refused,) = heartbeat.success(beating(f"http://127.0.0.1:{httpserver.port}{CHECK}"))
    assert refused == "the heartbeat (success) did not arrive: the server answered with status 404"
    (down,) = heartbeat.start(beating(f"http://127.0.0.1:{free_port()}{CHECK}"))
    assert down.startswith("the heartbeat (start) did not arrive: ") and CHECK not in down
    (unknown,) = heartbeat.fail(beating(f"https://no-such-host.invalid{CHECK}"), 6)
    assert unknown.startswith("the heartbeat (6) did not arrive: ") and CHECK not in unknown


def test_a_service_that_hangs_costs_its_deadline_only(monkeypatch):
    monkeypatch.setattr(heartbeat, "DEADLINE", 1.0)
    talk, began = Silent(b"HTTP/1.1 200 OK\r\nX: "), time.monotonic()
    with raw_server(talk) as port:
        (warning,) = heartbeat.start(beating(f"http://127.0.0.1:{port}{CHECK}"))
        assert time.monotonic() - began < 15
        talk.ended.set()
    assert warning == "the heartbeat (start) did not arrive: no answer within 1 seconds"


def test_metrics_are_pushed_to_a_group_of_this_runner(httpserver):
    httpserver.expect_request(
        "/metrics/job/lago_acceptance/instance/runner-1", method="PUT"
    ).respond_with_data("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pushgateway.socket, "gethostname", lambda: "runner-1")
        settings = AlarmSettings((), pushgateway=f"http://127.0.0.1:{httpserver.port}")
        assert report(settings, [red_night()], {}, MORNING).warnings == []
    (request, _) = httpserver.log[0]
    assert b'lago_acceptance_accepted{host="root@billing.example.com",project=""} 0.0' in request.data


def test_a_pushgateway_that_is_down_is_a_warning():
    (warning,) = pushgateway.push(f"http://127.0.0.1:{free_port()}", [night()], {})
    assert warning.startswith("the Pushgateway did not get this run's metrics: ")

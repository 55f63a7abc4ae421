"""The web UI by http, at a moved port and below a path. Apart from other tests: a process can use Playwright only once at a
time.
"""

from __future__ import annotations

import html
import re
import shutil

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lago_acceptance.checks import web_ui
from lago_acceptance.clients.browser import Browser
from lago_acceptance.core.findings import Red
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import NO_PROXY
from lago_acceptance.core.urls import public_url
from lago_acceptance.probes.public_endpoints import PublicEndpoints

pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium here")

# As Lago's front does it: the login goes to API_URL, by fetch, and an answer that CORS forbids is an error.
SUBMIT = """event.preventDefault(); fetch('API/graphql', {method: 'POST', body: '{}'}).then(() => {
 history.pushState({}, '', location.pathname.replace('login', 'home')); document.body.innerHTML = '' })"""
LOGIN = """<title>Lago</title><form onsubmit="SUBMIT"><input name="email"><input name="password" type="password">
<button data-test="submit">Log In</button></form>"""


@pytest.mark.parametrize(
    ("front", "api"),
    [
        ("http://localhost", "http://localhost:3000"),
        ("http://localhost:3080/billing", "http://localhost:3000/api"),
        ("http://lago.acme.test", "http://lago.acme.test/api"),
        ("http://192.0.2.7:8080", "http://192.0.2.7:3000"),
    ],
)
def test_a_front_by_http_is_entered_at_its_door(front: str, api: str, tmp_path):
    asked: list[str] = []
    admitted = [public_url(front).origin]

    def serve(request: Request) -> Response:
        asked.append(f"{request.method} {request.url}")
        headers = {"Access-Control-Allow-Origin": admitted[0]}
        if request.path.endswith("/graphql"):
            return Response("{}", 200, headers)
        submit = html.escape(SUBMIT.replace("API", api))
        return Response(LOGIN.replace("SUBMIT", submit), content_type="text/html")

    with (
        HTTPServer(host="127.0.0.1", port=0) as page_server,
        HTTPServer(host="127.0.0.1", port=0) as api_server,
    ):
        for server in (page_server, api_server):
            server.expect_request(re.compile(".*")).respond_with_handler(serve)
        one_place = public_url(front).origin == public_url(api).origin
        view = PublicEndpoints(
            urls={"front": public_url(front), "api": public_url(api)},
            resolvers=(),
            origin=None,
            doors={
                "front": ("127.0.0.1", page_server.port),
                "api": ("127.0.0.1", (page_server if one_place else api_server).port),
            },
            proxy=NO_PROXY,
        )
        browser = Browser(view, tmp_path / "private", tmp_path / "reports")
        try:
            with browser.page("door") as (page, faults):
                web_ui.open_login(page, faults)
                assert page.url == f"{front}/login"
                web_ui.submit(page, "admin@example.test", Secret("a-password-of-this-test"))
                web_ui.must_enter(page, faults)
            assert asked[0] == f"GET {front}/login" and f"POST {api}/graphql" in asked
            if not one_place:
                admitted[0] = "http://elsewhere.example"
                with pytest.raises(Red) as raised, browser.page("refused") as (page, faults):
                    web_ui.open_login(page, faults)
                    web_ui.submit(page, "admin@example.test", Secret("a-password-of-this-test"))
                    web_ui.must_enter(page, faults)
                assert raised.value.findings[0].id == "login-cannot-reach-api"
        finally:
            browser.close()

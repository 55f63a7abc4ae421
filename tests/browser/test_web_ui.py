"""The browser's checks on pages as a real front may show them, served here: each is red in the way that it
names.
"""

from __future__ import annotations

import contextlib
import html
import re
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lago_acceptance.checks import web_ui
from lago_acceptance.clients.browser import Browser
from lago_acceptance.core.findings import Red
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.waiting import until
from lago_acceptance.probes.public_endpoints import SYSTEM, PublicEndpoints, Resolver
from tests.support.endpoints import urls
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium here")

LOGIN = """<title>Lago - Cloud</title>
<link rel="stylesheet" href="https://fonts.googleapis.com/css2?family=Inter">
<form onsubmit="event.preventDefault(); {submit}"><input name="email"><input name="password" type="password">
<button data-test="submit">Log In</button></form><div id="root"></div>
<script>const show = html => document.getElementById("root").innerHTML = html</script>"""
# As React Router does it: a click on a link changes the address and the list, and asks for no page.
INSIDE = """show('<div data-test="side-nav-name">Bizoholic</div><a href="/plans">Plans</a><div id="list" '
 + 'style="position:fixed;left:300px;top:0;height:600px;width:900px;overflow:auto"></div>');
document.querySelector('a').onclick = event => { event.preventDefault(); history.pushState({}, '', '/plans');
 const list = document.getElementById('list'), rows = %s;
 const more = () => rows.splice(0, 20).forEach(name => list.insertAdjacentHTML('beforeend',
  '<p style="height:40px" data-test="' + name + '-wrapper"><a data-test="' + name + '">'
  + name + '</a><span>' + name.toLowerCase() + '</span></p>'));
 list.onscroll = () => list.scrollTop + list.clientHeight >= list.scrollHeight - 5 && more(); more(); }"""
WRONG = """show('<div data-test="error-alert">Sorry</div>')"""
MANY = [f"Plan {number}" for number in range(100)]
# A later version's: pages below the organization, and no mark of 1.16.0's.
LATER = """history.pushState({}, '', '/acme/home'); document.body.innerHTML = '<nav><a href="/acme/plans" %s>Plans</a></nav>';
document.querySelector('a').onclick = event => { event.preventDefault(); history.pushState({}, '', '/acme/plans');
 document.body.insertAdjacentHTML('beforeend', '<div hidden>Plan 0</div><div>Plan 0</div>') }"""
LATER_PLANS = "<title>Lago</title><div>Plan 0</div>"
NO_LINK = "history.pushState({}, '', '/acme/home'); document.body.innerHTML = '<nav>Plans</nav>'"
# In seconds: for what is not there.
HASTE = 5
FORBIDDEN = "history.pushState({}, '', '/forbidden'); document.body.innerHTML = 'You may not'"


@dataclass
class Front:
    """A front: every path gives its page, and a POST is refused. ``submit`` is what its form does."""

    submit: str = WRONG
    button: str = 'data-test="submit"'

    def __call__(self, request: Request) -> Response:
        if request.method == "POST":
            return Response("Not Allowed", 405)
        page = LOGIN.replace("{submit}", html.escape(self.submit)).replace('data-test="submit"', self.button)
        return Response(LATER_PLANS if request.path == "/acme/plans" else page, content_type="text/html")


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[tuple[Browser, Front]]:
    """Chromium, and the front that it finds."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("front.example.test").configure_cert(context)
    folder = tmp_path_factory.mktemp("browser")
    with HTTPServer(host="127.0.0.1", port=0, ssl_context=context) as server:
        front = Front()
        server.expect_request(re.compile(".*")).respond_with_handler(front)
        view = PublicEndpoints(
            urls=urls({"front": "front.example.test"}),
            resolvers=(),
            origin=None,
            doors={"front": ("127.0.0.1", server.port)},
            roots=ca.cert_pem.bytes().decode(),
        )
        started = Browser(view, folder / "private", folder / "reports")
        yield started, front
        started.close()


@pytest.fixture
def opened(served, request, monkeypatch):
    """Call it with what the form does: the login page after its form was sent, and the faults that it collects."""
    monkeypatch.setattr(web_ui, "SECONDS", PATIENCE)
    with contextlib.ExitStack() as stack:

        def open_one(submit: str, button: str = 'data-test="submit"', seconds: int = PATIENCE):
            served[1].submit, served[1].button = submit, button
            page, faults = stack.enter_context(served[0].page(request.node.name))
            page.set_default_timeout(seconds * 1000)
            web_ui.open_login(page, faults)
            web_ui.submit(page, "admin@example.test", Secret("a-password-of-this-test"))
            return page, faults

        yield open_one


def _red(look, *arguments) -> str:
    with pytest.raises(Red) as raised:
        look(*arguments)
    return raised.value.findings[0].id


def test_fonts_from_elsewhere_are_no_fault(opened):
    page, faults = opened(WRONG)
    web_ui.must_refuse(page, faults)
    web_ui.must_be_quiet(faults)


def test_a_plan_far_down_the_list_is_found_and_one_that_is_absent_is_red(opened, monkeypatch):
    page, faults = opened(INSIDE % MANY)
    assert web_ui.must_enter(page, faults) == "Bizoholic"
    web_ui.must_list(page, ["Plan 0", "Plan 99"], faults)
    assert page.url.endswith("/plans")
    monkeypatch.setattr(web_ui, "SECONDS", HASTE)
    assert _red(web_ui.must_list, page, ["Plan 0", 'Plan "100"'], faults) == "plans-not-shown"


def test_a_wrong_password_that_lets_in_is_red(opened):
    page, faults = opened(INSIDE % MANY)
    assert _red(web_ui.must_refuse, page, faults) == "wrong-password-taken"


def test_a_page_that_says_nothing_is_red(opened, monkeypatch):
    page, faults = opened("")
    monkeypatch.setattr(web_ui, "SECONDS", HASTE)
    assert _red(web_ui.must_refuse, page, faults) == "login-says-nothing"


def test_an_api_that_is_not_reached_is_named_with_what_the_browser_noticed(opened, monkeypatch):
    page, faults = opened("fetch('/graphql', {method: 'POST'})")
    # A turn of the page's loop each time, in which events arrive.
    assert until(lambda: page.wait_for_timeout(50) or faults, PATIENCE)
    monkeypatch.setattr(web_ui, "SECONDS", HASTE)
    assert _red(web_ui.must_refuse, page, faults) == "login-cannot-reach-api"
    assert _red(web_ui.must_enter, page, faults) == "login-cannot-reach-api"
    assert any("405" in str(fault) for fault in faults)
    assert _red(web_ui.must_be_quiet, faults) == "page-has-errors"


def test_a_refused_administrator_is_red(opened):
    page, faults = opened(WRONG)
    assert _red(web_ui.must_enter, page, faults) == "admin-refused"


def test_a_sign_up_that_is_offered_is_red(opened):
    page, faults = opened("""show('<a href="/sign-up">Sign up</a>')""")
    assert _red(web_ui.must_not_offer_sign_up, page, faults) == "signup-offered"


def test_a_public_name_is_asked_where_this_machines_dns_knows_it_else_at_the_origin():
    def view(*resolvers: str) -> PublicEndpoints:
        return PublicEndpoints(urls={}, resolvers=tuple(map(Resolver, resolvers)), origin="192.0.2.7")

    def url(host: str) -> PublicUrl:
        return PublicUrl("https", host, 443)

    assert view(SYSTEM, "first").pinned(url("localhost")) == ("", 443)
    assert view(SYSTEM).pinned(url("no-such-host.invalid")) == ("192.0.2.7", 443)
    assert view("first").pinned(url("localhost")) == ("192.0.2.7", 443)


@pytest.mark.parametrize(
    "submit", [LATER % "", LATER % 'style="display:none"', NO_LINK], ids=["link", "folded", "none"]
)
def test_a_later_front_is_entered_and_its_plans_are_found(submit, opened, monkeypatch):
    page, faults = opened(submit)
    assert web_ui.must_enter(page, faults) == ""
    # The link may be hidden, or none.
    page.set_default_timeout(HASTE * 1000)
    web_ui.must_list(page, ["Plan 0"], faults)
    assert page.url.endswith("/acme/plans")
    monkeypatch.setattr(web_ui, "SECONDS", HASTE)
    assert _red(web_ui.must_list, page, ["Plan 1"], faults) == "plans-not-shown"


def test_a_later_front_that_takes_a_wrong_password_is_red(opened):
    page, faults = opened(LATER % "")
    assert _red(web_ui.must_refuse, page, faults) == "wrong-password-taken"


def test_an_administrator_who_may_see_nothing_is_red(opened):
    page, faults = opened(FORBIDDEN)
    assert _red(web_ui.must_enter, page, faults) == "admin-forbidden"


def test_a_form_is_sent_without_its_mark_and_one_that_can_not_be_sent_is_red(opened):
    page, faults = opened(WRONG, button="")
    web_ui.must_refuse(page, faults)
    assert _red(opened, WRONG, 'data-test="submit" disabled', HASTE) == "login-form-broken"

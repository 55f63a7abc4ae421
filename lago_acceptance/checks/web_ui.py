"""The web UI as a person uses it (docs/lago-facts.md, section 4). Each function does one thing and says
what went wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from lago_acceptance.clients.browser import SECONDS, Fault
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.core.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

EMAIL, PASSWORD, SUBMIT = 'input[name="email"]', 'input[name="password"]', '[data-test="submit"]'
# 1.16.0's, and the one of later versions.
WRONG = '[data-test="error-alert"], [data-test="incorrect-login-or-password-alert"]'
TOAST, INSIDE = '[data-test="toast/danger"]', '[data-test="side-nav-name"]'
SIGN_UP = '[href="/sign-up"]'
PLANS = 'a[href^="/"][href$="/plans"]:not([href*="create"])'
# Where 1.16.0 and later versions send who may not come in, and who asks for what is not there.
NOWHERE = ("/login", "/forbidden", "/404")
# Inside of the list, beside the navigation; Playwright's window is 1280 to 720.
MIDDLE = (800, 500)


def _red(id: str, problem: str, impact: str, fix: str, faults: list[Fault]) -> NoReturn:
    noticed = f"; noticed: {'; '.join(map(str, faults[:3]))}" if faults else ""
    raise Red(Finding(id=id, role=FRONT, problem=redact(problem + noticed), impact=impact, fix=fix))


def _shows(page: Page, selector: str) -> bool:
    from playwright.sync_api import Error

    try:
        page.locator(selector).first.wait_for(state="visible")
    except Error:
        return False
    return True


def open_login(page: Page, faults: list[Fault]) -> None:
    """The login page with its form."""
    from playwright.sync_api import Error

    why = ""
    try:
        page.goto("/login", wait_until="commit")
    except Error as error:
        why = f": {error.message.splitlines()[0]}"
    if why or not _shows(page, EMAIL) or not _shows(page, PASSWORD):
        _red(
            "login-page-missing",
            f"/login shows no form for address and password within {SECONDS:.0f} s{why}",
            "nobody can look at billing",
            "look at the front's log, its router and its certificate (phase 3)",
            faults,
        )


def _inside(page: Page) -> bool:
    """Whether somebody is logged in: 1.16.0 shows the organization's name, each version leaves the login page."""
    if page.locator(INSIDE).count():
        return True
    return not urlsplit(page.url).path.startswith(NOWHERE) and not page.locator(PASSWORD).count()


def _answered(page: Page) -> bool:
    """Whether the page says in time what became of a login: inside, refused, or that something went wrong."""
    said = page.locator(f"{WRONG}, {TOAST}").filter(visible=True)
    return until(lambda: _inside(page) or bool(said.count()) or _forbidden(page), SECONDS)


def _forbidden(page: Page) -> bool:
    return urlsplit(page.url).path.startswith("/forbidden")


def submit(page: Page, email: str, password: Secret) -> None:
    """Type and send."""
    from playwright.sync_api import Error

    try:
        page.fill(EMAIL, email)
        page.fill(PASSWORD, password.reveal())
        if page.locator(SUBMIT).count():
            page.click(SUBMIT)
        else:
            page.press(PASSWORD, "Enter")
    except Error as error:
        _red(
            "login-form-broken",
            f"the login form can't be sent: {error.message.splitlines()[0]}",
            "nobody can log in",
            "open the page with the browser's developer tools; the trace has each request",
            [],
        )


def must_refuse(page: Page, faults: list[Fault]) -> None:
    """After a wrong password: told so, and still outside."""
    shown = _answered(page)
    if _inside(page):
        _red(
            "wrong-password-taken",
            f"a wrong password leads to {page.url}",
            "anybody gets in",
            "see what /graphql answers to loginUser, and what answers there",
            faults,
        )
    if page.locator(WRONG).count():
        return
    # The toast is gone after some seconds, and an answer that the browser keeps back (CORS) may make none.
    if shown or faults:
        _no_api(faults)
    _red(
        "login-says-nothing",
        f"after a wrong password the page is still {page.url} and says nothing",
        "nobody knows why they don't get in",
        "see what /graphql answers to loginUser",
        faults,
    )


def must_enter(page: Page, faults: list[Fault]) -> str:
    """After the right password: inside; the organization's name, "" where this version does not show it so."""
    if not _answered(page):
        _no_api(faults)
    if page.locator(WRONG).count():
        _red(
            "admin-refused",
            "the seeded administrator's address and password are refused",
            "the administrator can't look at billing",
            "the password is set once, when the user is made: reset it, or use the one of the first deploy",
            faults,
        )
    if _forbidden(page):
        _red(
            "admin-forbidden",
            "the seeded administrator logs in and may see nothing",
            "the administrator can't look at billing",
            "look at the user's membership; later versions need their roles: bundle exec rails roles:seed_predefined",
            faults,
        )
    if not _inside(page):
        _no_api(faults)
    name = page.locator(INSIDE).first
    return name.inner_text() if name.count() else ""


def _no_api(faults: list[Fault]) -> NoReturn:
    _red(
        "login-cannot-reach-api",
        "the login page gets no answer from the API",
        "the page is there and nobody can log in",
        "API_URL of the front must be the API's public URL, and LAGO_FRONT_URL of the API the front's (CORS)",
        faults,
    )


def must_list(page: Page, names: list[str], faults: list[Fault]) -> None:
    """The plans page shows these plans. It is found by its link, for later versions put it below the
    organization.
    """
    from playwright.sync_api import Error

    try:
        link = page.locator(PLANS).first
        if _shows(page, PLANS):
            link.click()
        else:
            # It may be folded away, or no link at all.
            page.goto(
                link.get_attribute("href") if link.count() else _plans_path(page.url), wait_until="commit"
            )
    except Error as error:
        _red(
            "plans-page-missing",
            f"the page of plans does not open: {error.message.splitlines()[0]}",
            "nobody can look after plans",
            "look at the front's log",
            faults,
        )
    missing = list(names)

    def all_seen() -> bool:
        missing[:] = [name for name in missing if not _rows(page, name).count()]
        if missing:
            # The list brings the next twenty when its end comes into view.
            page.mouse.move(*MIDDLE)
            page.mouse.wheel(0, 5000)
        return not missing

    if not until(all_seen, SECONDS):
        _red(
            "plans-not-shown",
            f"{page.url} does not show {', '.join(missing)}",
            "the person who looks after billing sees other plans than are billed",
            "see what /graphql answers to the plans query, and whether this organization is the seeded one",
            faults,
        )


def _plans_path(url: str) -> str:
    """Where the plans are, beside another page of the same front: later versions begin with the organization."""
    parts = urlsplit(url).path.strip("/").split("/")
    return f"/{parts[0]}/plans" if len(parts) > 1 else "/plans"


def _rows(page: Page, name: str) -> Locator:
    """What shows a plan: 1.16.0 marks its row by the name; where a version does not, the name stands there."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    marked = page.locator(f'[data-test="{quoted}"]')
    return marked.or_(page.get_by_text(name, exact=True)).filter(visible=True)


def must_be_quiet(faults: list[Fault]) -> None:
    """No error in the console and no failed request of the deployment."""
    if faults:
        _red(
            "page-has-errors",
            f"{len(faults)} errors while a person logged in and looked: {'; '.join(map(str, faults[:5]))}",
            "parts of the pages don't work",
            "open the page with the browser's developer tools; the trace has each request",
            [],
        )


def must_not_offer_sign_up(page: Page, faults: list[Fault]) -> None:
    """The login page has no way to sign up."""
    if page.locator(SIGN_UP).count():
        _red(
            "signup-offered",
            "the login page offers to sign up",
            "strangers try to make organizations in this Lago",
            'set LAGO_DISABLE_SIGNUP to "true" on the front (and on the API)',
            faults,
        )

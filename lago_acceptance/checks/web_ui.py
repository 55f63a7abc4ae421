"""The web UI as a person uses it (docs/lago-facts.md, section 4): what can be done there, and what goes wrong."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from lago_acceptance.clients.browser import SECONDS, Fault
from lago_acceptance.core import registry
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
# Where 1.16.0 and later versions send people who may not enter, and requests for what does not exist.
NOWHERE = ("/login", "/forbidden", "/404")
# A point in the list, beside the navigation; Playwright's window is 1280 by 720.
MIDDLE = (800, 500)


def login_page_offers_no_sign_up(page: Page, faults: list[Fault]) -> None:
    """The login page is there, offers no sign-up, and has no errors."""
    open_login(page, faults)
    must_not_offer_sign_up(page, faults)
    must_be_quiet(faults)


def wrong_password_is_refused(page: Page, faults: list[Fault], email: str) -> None:
    """With a wrong password nobody gets in, and the page says so."""
    open_login(page, faults)
    submit(page, email, Secret(secrets.token_hex(12)))
    must_refuse(page, faults)


def administrator_sees_the_plans(
    page: Page, faults: list[Fault], person: tuple[str, Secret], plans: Iterable[str]
) -> None:
    """The administrator logs in and sees these plans on their page, and no page has errors."""
    open_login(page, faults)
    submit(page, *person)
    must_enter(page, faults)
    must_list(page, plans, faults)
    must_be_quiet(faults)


def _red(id: str, problem: str, impact: str, fix: str, faults: list[Fault]) -> NoReturn:
    noticed = f"; the browser noticed: {'; '.join(map(str, faults[:3]))}" if faults else ""
    raise Red(Finding(id=id, role=FRONT, problem=redact(problem + noticed), impact=impact, fix=fix))


def _shows(page: Page, selector: str) -> bool:
    from playwright.sync_api import Error

    try:
        page.locator(selector).first.wait_for(state="visible")
    except Error:
        return False
    return True


@registry.check(phase=5, errors={"login-page-missing": "The front serves the login page with its form."})
def open_login(page: Page, faults: list[Fault]) -> None:
    """The front serves the login page with its form."""
    from playwright.sync_api import Error

    why = ""
    try:
        page.goto("login", wait_until="commit")
    except Error as error:
        why = f": {error.message.splitlines()[0]}"
    if why or not _shows(page, EMAIL) or not _shows(page, PASSWORD):
        _red(
            "login-page-missing",
            f"/login shows no form for address and password within {SECONDS:.0f} s{why}",
            "nobody can use the web UI",
            "check the front's log, and what phase 3 says of its URL",
            faults,
        )


def _inside(page: Page) -> bool:
    """Whether somebody is logged in: 1.16.0 shows the organization's name, each version leaves the login page."""
    if page.locator(INSIDE).count():
        return True
    return not _is_at(page, *NOWHERE) and not page.locator(PASSWORD).count()


def _answered(page: Page) -> bool:
    """Whether the page says in time what became of a login: inside, refused, or that something went wrong."""
    said = page.locator(f"{WRONG}, {TOAST}").filter(visible=True)
    return until(lambda: _inside(page) or bool(said.count()) or _forbidden(page), SECONDS)


def _forbidden(page: Page) -> bool:
    return _is_at(page, "/forbidden")


def _is_at(page: Page, *ends: str) -> bool:
    """Whether the page is one of these or below it, whatever the front's own path is."""
    path = f"{urlsplit(page.url).path}/"
    return any(f"{each}/" in path for each in ends)


@registry.check(phase=5, errors={"login-form-broken": "The login form can be filled in and sent."})
def submit(page: Page, email: str, password: Secret) -> None:
    """The login form can be filled in and sent."""
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
            "open the page with the browser's developer tools; the trace in reports/ has each request",
            [],
        )


@registry.check(
    phase=5,
    errors={
        "wrong-password-taken": "A wrong password does not log in.",
        "login-says-nothing": "The login page says that the password is wrong.",
    },
)
def must_refuse(page: Page, faults: list[Fault]) -> None:
    """After a wrong password the page says so, and nobody is logged in."""
    shown = _answered(page)
    if _inside(page):
        _red(
            "wrong-password-taken",
            f"a wrong password logs in, to {page.url}",
            "anybody can log in",
            "check what /graphql answers to loginUser, and which service is answering",
            faults,
        )
    if page.locator(WRONG).count():
        return
    # The toast disappears after some seconds, and an answer that the browser blocks (CORS) may show none.
    if shown or faults:
        _no_api(faults)
    _red(
        "login-says-nothing",
        f"after a wrong password the page is still {page.url} and says nothing",
        "people don't know why they can't log in",
        "check what /graphql answers to loginUser",
        faults,
    )


@registry.check(
    phase=5,
    errors={
        "admin-refused": "The seeded administrator can log in.",
        "admin-forbidden": "The seeded administrator has permissions.",
    },
)
def must_enter(page: Page, faults: list[Fault]) -> str:
    """The administrator gets in. Gives the organization's name, "" where this version does not show it."""
    if not _answered(page):
        _no_api(faults)
    if page.locator(WRONG).count():
        _red(
            "admin-refused",
            "the seeded administrator's address and password are refused",
            "the administrator can't use the web UI",
            "the password is set once, when the user is created: reset it, or use the one of the first deploy",
            faults,
        )
    if _forbidden(page):
        _red(
            "admin-forbidden",
            "the seeded administrator logs in but has no permissions",
            "the administrator can't use the web UI",
            "check the user's membership; later versions need roles: bundle exec rails roles:seed_predefined",
            faults,
        )
    if not _inside(page):
        _no_api(faults)
    name = page.locator(INSIDE).first
    return name.inner_text() if name.count() else ""


@registry.check(phase=5, errors={"login-cannot-reach-api": "The login page reaches the API."})
def _no_api(faults: list[Fault]) -> NoReturn:
    """The login page reaches the API."""
    _red(
        "login-cannot-reach-api",
        "the login page gets no answer from the API",
        "the page loads and nobody can log in",
        "set API_URL of the front to the API's public URL, and LAGO_FRONT_URL of the API to the front's (CORS)",
        faults,
    )


@registry.check(
    phase=5,
    errors={
        "plans-page-missing": "The web UI's page of plans opens.",
        "plans-not-shown": "The web UI shows the seeded plans.",
    },
)
def must_list(page: Page, names: Iterable[str], faults: list[Fault]) -> None:
    """The page of plans shows these plans."""
    from playwright.sync_api import Error

    # Found by its link: later versions put it below the organization.
    try:
        link = page.locator(PLANS).first
        if _shows(page, PLANS):
            link.click()
        else:
            # It may be in a collapsed menu, or no link at all.
            href = link.get_attribute("href") if link.count() else None
            page.goto(href or _plans_path(page.url), wait_until="commit")
    except Error as error:
        _red(
            "plans-page-missing",
            f"the page of plans does not open: {error.message.splitlines()[0]}",
            "nobody can manage plans in the web UI",
            "read the front's log",
            faults,
        )
    missing = list(names)

    def all_seen() -> bool:
        missing[:] = [name for name in missing if not _rows(page, name).count()]
        if missing:
            # The list loads the next twenty when its end comes into view.
            page.mouse.move(*MIDDLE)
            page.mouse.wheel(0, 5000)
        return not missing

    if not until(all_seen, SECONDS):
        _red(
            "plans-not-shown",
            f"{page.url} does not show {', '.join(missing)}",
            "people see different plans in the web UI from those that are billed",
            "check what /graphql answers to the plans query, and whether this organization is the seeded one",
            faults,
        )


def _plans_path(url: str) -> str:
    """The path of the plans, next to another page of the same front: later versions begin with the organization."""
    parts = urlsplit(url).path.strip("/").split("/")
    return f"/{parts[0]}/plans" if len(parts) > 1 else "/plans"


def _rows(page: Page, name: str) -> Locator:
    """What shows a plan: 1.16.0 marks its row with the name; other versions show the name as text."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    marked = page.locator(f'[data-test="{quoted}"]')
    return marked.or_(page.get_by_text(name, exact=True)).filter(visible=True)


@registry.check(phase=5, errors={"page-has-errors": "Pages of the web UI have no errors."})
def must_be_quiet(faults: list[Fault]) -> None:
    """The pages have no errors in the console and no failed requests to the deployment."""
    if faults:
        _red(
            "page-has-errors",
            f"{len(faults)} errors while using the pages: {'; '.join(map(str, faults[:5]))}",
            "parts of the web UI don't work",
            "open the page with the browser's developer tools; the trace in reports/ has each request",
            [],
        )


@registry.check(phase=5, errors={"signup-offered": "The login page does not offer to sign up."})
def must_not_offer_sign_up(page: Page, faults: list[Fault]) -> None:
    """The login page has no link to sign up."""
    if page.locator(SIGN_UP).count():
        _red(
            "signup-offered",
            "the login page offers to sign up",
            "strangers try to create organizations in this Lago",
            'set LAGO_DISABLE_SIGNUP to "true" on the front (and on the API)',
            faults,
        )

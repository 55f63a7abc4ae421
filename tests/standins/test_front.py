"""The front's stand-in in a real browser: what a person sees of right and wrong settings."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lago_acceptance.clients.browser import CHANGED, WITHOUT_FONTS
from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import Container, listens, running
from tests.support.patience import PATIENCE

CHROMIUM = (
    "chromium-headless-shell",
    f"--host-resolver-rules={','.join(WITHOUT_FONTS)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)
PASSWORD = "a right Passw0rd"
REFUSED = {
    "message": "Unprocessable Entity",
    "path": ["loginUser"],
    "extensions": {
        "status": 422,
        "code": "unprocessable_entity",
        "details": {"base": ["incorrect_login_or_password"]},
    },
}
ORGANIZATION = {"id": "3286bcc8", "name": "Acceptance"}
PLANS = [
    {
        "id": "1",
        "name": "Starter",
        "code": "starter",
        "amountCents": "4900",
        "amountCurrency": "USD",
        "interval": "monthly",
    }
]


class LagoAnswers:
    """GraphQL as Lago answers it to the front, and what the front has sent."""

    def __init__(self) -> None:
        self.headers: dict[str, dict[str, str]] = {}

    def __call__(self, request: Request) -> Response:
        allowed = {"Access-Control-Allow-Origin": request.headers.get("Origin", "")}
        if request.method == "OPTIONS":
            asked = request.headers["Access-Control-Request-Headers"]
            return Response(headers={**allowed, "Access-Control-Allow-Headers": asked})
        sent = json.loads(request.data)
        self.headers[sent["operationName"]] = dict(request.headers)
        answer = self.answer(sent["operationName"], sent["variables"].get("input", {}))
        return Response(json.dumps(answer), headers=allowed, content_type="application/json")

    def answer(self, operation: str, given: dict[str, str]) -> dict:
        if operation == "loginUser" and (given["email"], given["password"]) != (
            "admin@example.test",
            PASSWORD,
        ):
            return {"errors": [REFUSED], "data": {"loginUser": None}}
        user = {"id": "1", "email": "admin@example.test", "organizations": [ORGANIZATION]}
        data = {
            "loginUser": {"token": "a-token", "user": user},
            "getCurrentUserInfos": user,
            "getOrganizationInfos": ORGANIZATION,
            "SideNavInfos": {"number": "v1.16.0", "githubUrl": "https://example.test"},
            "plans": {"metadata": {}, "collection": PLANS},
        }
        fields = {
            "getCurrentUserInfos": "currentUser",
            "getOrganizationInfos": "organization",
            "SideNavInfos": "currentVersion",
        }
        return {"data": {fields.get(operation, operation): data[operation]}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE * 1000)
    # In the machine's own network, for Chromium opens its DevTools on 127.0.0.1 only.
    with running(resolve.stand_in("lago-pdf"), *CHROMIUM, options=("--network=host",)) as container:
        devtools = until(lambda: re.search(r"DevTools listening on (ws:\S+)", container.logs()), PATIENCE)
        assert devtools, container.logs()
        with sync_playwright() as playwright, playwright.chromium.connect_over_cdp(devtools[1]) as connected:
            yield connected


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    context.close()


@pytest.fixture(scope="module")
def lago() -> Iterator[tuple[LagoAnswers, str]]:
    """An API and its URL."""
    answers = LagoAnswers()
    # A browser opens connections that it does not use; one thread would wait for them.
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        server.expect_request("/graphql").respond_with_handler(answers)
        yield answers, server.url_for("").rstrip("/")


Front = Callable[..., str]


@pytest.fixture(scope="module")
def front(lago: tuple[LagoAnswers, str]) -> Iterator[Front]:
    """Starts a front with the given variables and gives its URL; the same one for the same variables."""
    started: dict[tuple, Container] = {}
    with contextlib.ExitStack() as stack:

        def start(**variables: str) -> str:
            key = tuple(sorted(variables.items()))
            if key not in started:
                options = tuple(
                    f"--env={name}={value}" for name, value in {"API_URL": lago[1], **variables}.items()
                )
                made = stack.enter_context(running(resolve.stand_in("lago-front"), options=options))
                assert until(lambda: listens(made.address, 80), PATIENCE), made.logs()
                started[key] = made
            return f"http://{started[key].address}"

        yield start


def opened(page: Page, url: str) -> None:
    """Open a page, again if the interface of the front's new container has broken off what the browser loaded."""
    broken_off: list[str] = []
    page.on(
        "requestfailed",
        lambda request: broken_off.append(request.url) if CHANGED in (request.failure or "") else None,
    )

    def whole() -> bool:
        broken_off.clear()
        try:
            page.goto(url, wait_until="networkidle")
        except Error as error:
            if CHANGED not in error.message:
                raise
        return not broken_off

    assert until(whole, PATIENCE), broken_off


def log_in(page: Page, url: str, password: str) -> None:
    opened(page, f"{url}/login")
    page.fill('input[name="email"]', "Admin@Example.test")
    page.fill('input[name="password"]', password)
    page.press('input[name="password"]', "Enter")


def test_a_person_logs_in_and_reads_the_plans(
    page: Page, front: Front, lago: tuple[LagoAnswers, str]
) -> None:
    log_in(page, front(), PASSWORD)
    page.wait_for_url("**/analytics")
    expect(page.locator('[data-test="side-nav-name"]')).to_have_text("Acceptance")
    expect(page.get_by_text("v1.16.0")).to_be_hidden()
    page.click('[data-test="side-nav-name"]')
    expect(page.get_by_text("v1.16.0")).to_be_visible()
    opened(page, f"{front()}/plans")
    expect(page.locator('[data-test="Starter-wrapper"] [data-test="Starter"]')).to_be_visible()
    expect(page.locator('[data-test="create-plan"]')).to_have_text("Add a plan")
    sent = {name.lower(): value for name, value in lago[0].headers["plans"].items()}
    assert (sent["authorization"], sent["x-lago-organization"]) == ("Bearer a-token", "3286bcc8")
    assert page.evaluate("[localStorage.authToken, localStorage.currentOrganization]") == [
        "a-token",
        "3286bcc8",
    ]


def test_wrong_credentials_are_told_on_the_login_page(page: Page, front: Front) -> None:
    log_in(page, front(), "wrong")
    expect(page.locator('[data-test="error-alert"]')).to_have_text(
        "Sorry, that email and password combination is incorrect."
    )
    assert page.url.endswith("/login")
    expect(page.locator('[data-test="toast/danger"]')).to_have_count(0)


@pytest.mark.parametrize("api_url", ["", "http://127.0.0.1:9"], ids=["empty", "unreachable"])
def test_an_api_that_does_not_answer_is_a_toast_after_submitting(
    page: Page, front: Front, api_url: str
) -> None:
    posted: list[tuple[str, int]] = []
    page.on(
        "response", lambda got: posted.append((got.url, got.status)) if got.request.method == "POST" else None
    )
    log_in(page, front(API_URL=api_url), PASSWORD)
    expect(page.locator('[data-test="toast/danger"]')).to_have_text(
        "An error occurred, please reload the application"
    )
    expect(page.locator('[data-test="error-alert"]')).to_have_count(0)
    # Without API_URL the browser posts to the front itself, and nginx refuses.
    assert posted == ([] if api_url else [(f"{front(API_URL='')}/undefined/graphql", 405)])


def test_empty_fields_are_both_told(page: Page, front: Front) -> None:
    opened(page, f"{front()}/login")
    page.click('[data-test="submit"]')
    expect(page.locator('[data-test="text-field-error"]')).to_have_count(2)


@pytest.mark.parametrize("path", ["/", "/plans", "/analytics"])
def test_strangers_are_sent_to_the_login_page(page: Page, front: Front, path: str) -> None:
    opened(page, f"{front()}{path}")
    page.wait_for_url("**/login")
    expect(page.get_by_role("heading")).to_have_text("Welcome back to Lago")


def test_lists_that_can_not_be_read_say_so(page: Page, front: Front) -> None:
    url = front(API_URL="http://127.0.0.1:9")
    opened(page, f"{url}/login")
    page.evaluate("localStorage.authToken = 'old'")
    opened(page, f"{url}/plans")
    expect(page.locator("main").get_by_text("Something went wrong")).to_be_visible()


@pytest.mark.parametrize(("disabled", "links"), [("true", 0), ("false", 1)])
def test_signing_up_is_hidden_where_it_is_disabled(
    page: Page, front: Front, disabled: str, links: int
) -> None:
    url = front(LAGO_DISABLE_SIGNUP=disabled)
    opened(page, f"{url}/login")
    expect(page.locator('[data-test="submit"]')).to_be_visible()
    expect(page.locator('[href="/sign-up"]')).to_have_count(links)
    opened(page, f"{url}/sign-up")
    expect(page.locator('[data-test="submit-button"]')).to_have_count(links)


def test_signing_up_waits_for_a_strong_password(page: Page, front: Front) -> None:
    opened(page, f"{front(LAGO_DISABLE_SIGNUP='false')}/sign-up")
    page.fill('input[name="organizationName"]', "Second")
    page.fill('input[name="email"]', "second@example.test")
    page.fill('input[name="password"]', "weak")
    expect(page.locator('[data-test="submit-button"]')).to_be_disabled()
    page.fill('input[name="password"]', PASSWORD)
    expect(page.locator('[data-test="submit-button"]')).to_be_enabled()

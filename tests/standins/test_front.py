"""The front's stand-in in a real browser: what a person sees of right and wrong settings."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from lago_acceptance.clients import browser as clients_browser
from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import Container, docker, listens, running
from tests.support.patience import PATIENCE

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
def bystander() -> Iterator[Container]:
    """A container that only lends its network."""
    with running(resolve.stand_in("lago-pdf")) as container:
        yield container


@pytest.fixture(scope="module")
def browser(bystander: Container, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium in a container's network: where an interface comes or goes, it breaks off what it loads."""
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        process = docker("inspect", "--format", "{{.State.Pid}}", bystander.name)
        inside = tmp_path_factory.mktemp("browser") / "chromium"
        inside.write_text(
            f'#!/bin/sh\nexec nsenter --target {process} --net {clients_browser.executable()} "$@"\n'
        )
        inside.chmod(0o755)
        rules = ",".join(clients_browser.WITHOUT_FONTS)
        with playwright.chromium.launch(
            executable_path=inside,
            args=[f"--host-resolver-rules={rules}"],
            timeout=PATIENCE * 1000,
        ) as launched:
            yield launched


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    context.close()


@pytest.fixture(scope="module")
def lago(bystander: Container) -> Iterator[tuple[LagoAnswers, str]]:
    """An API and its URL."""
    answers = LagoAnswers()
    # A browser opens connections that it does not use; one thread would wait for them.
    with HTTPServer(host=bystander.gateway, port=0, threaded=True) as server:
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


def log_in(page: Page, url: str, password: str) -> None:
    page.goto(f"{url}/login")
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
    page.goto(f"{front()}/plans")
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
    page.goto(f"{front()}/login")
    page.click('[data-test="submit"]')
    expect(page.locator('[data-test="text-field-error"]')).to_have_count(2)


@pytest.mark.parametrize("path", ["/", "/plans", "/analytics"])
def test_strangers_are_sent_to_the_login_page(page: Page, front: Front, path: str) -> None:
    page.goto(f"{front()}{path}")
    page.wait_for_url("**/login")
    expect(page.get_by_role("heading")).to_have_text("Welcome back to Lago")


def test_lists_that_can_not_be_read_say_so(page: Page, front: Front) -> None:
    url = front(API_URL="http://127.0.0.1:9")
    page.goto(f"{url}/login")
    page.evaluate("localStorage.authToken = 'old'")
    page.goto(f"{url}/plans")
    expect(page.locator("main").get_by_text("Something went wrong")).to_be_visible()


@pytest.mark.parametrize(("disabled", "links"), [("true", 0), ("false", 1)])
def test_signing_up_is_hidden_where_it_is_disabled(
    page: Page, front: Front, disabled: str, links: int
) -> None:
    url = front(LAGO_DISABLE_SIGNUP=disabled)
    page.goto(f"{url}/login")
    expect(page.locator('[data-test="submit"]')).to_be_visible()
    expect(page.locator('[href="/sign-up"]')).to_have_count(links)
    page.goto(f"{url}/sign-up")
    expect(page.locator('[data-test="submit-button"]')).to_have_count(links)


def test_signing_up_waits_for_a_strong_password(page: Page, front: Front) -> None:
    page.goto(f"{front(LAGO_DISABLE_SIGNUP='false')}/sign-up")
    page.fill('input[name="organizationName"]', "Second")
    page.fill('input[name="email"]', "second@example.test")
    page.fill('input[name="password"]', "weak")
    expect(page.locator('[data-test="submit-button"]')).to_be_disabled()
    page.fill('input[name="password"]', PASSWORD)
    expect(page.locator('[data-test="submit-button"]')).to_be_enabled()

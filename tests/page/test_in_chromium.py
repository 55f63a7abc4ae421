"""The page in a real Chromium: it opens from disk and from a server, loads nothing, can be used by mouse, keyboard and
screen reader, in light and dark, on a desk and on a phone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_httpserver import HTTPServer

from lago_acceptance.page import render
from tests.support import pages
from tests.support.patience import PATIENCE

# A name that is not localhost: by plain HTTP such a page may not use the clipboard.
ELSEWHERE = "reports.example.test"
DESK, PHONE, SMALL = (
    {"width": 1240, "height": 900},
    {"width": 390, "height": 844},
    {"width": 360, "height": 740},
)
COMMAND = "docker compose logs --since 1h lago-worker"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pages.chromium(f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Pages on disk, by what they show."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = render.html(*_hostile())
    made = {
        "one": pages.page([pages.summary()]),
        "well": pages.page([pages.summary(faulty=False)], 3),
        "unreachable": pages.page([pages.unreachable("root@a.example.com")], 2),
        "fifty": pages.page(pages.many(50)),
        "first": render.html([pages.summary()], {}),
        "hostile": hostile,
    }
    for name, page in made.items():
        (folder / f"{name}.html").write_text(page, "utf-8")
    return {name: folder / f"{name}.html" for name in made}


def _hostile():
    summary, past = pages.everywhere(pages.HOSTILE)
    return [summary], past


@pytest.fixture
def opened(browser, files) -> Iterator[Callable[..., Page]]:
    """Opens a page by name or address. At the end it has asked for nothing else, and its console is empty."""
    contexts, asked, said = [], [], []

    def open_one(name: str, viewport=DESK, scheme="light", scripts=True, before="") -> Page:
        context = browser.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=scripts)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        address = files[name].as_uri() if name in files else name
        page.on(
            "request",
            lambda request: asked.append(request.url) if request.url != address.partition("#")[0] else None,
        )
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        if before:
            page.add_init_script(before)
        page.goto(address)
        if scripts:
            page.wait_for_selector("body[data-drawn]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith("data:")] == [] and said == []


def violations(page: Page) -> list[str]:
    """What axe finds, each with the elements it is about."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found
        for node in each["nodes"]
    ]


def open_everything(page: Page) -> None:
    """Open what is collapsed: lists are drawn when they are opened. Of many hosts the first three."""
    for _ in range(3):
        page.evaluate(
            "[...document.querySelectorAll('details')].filter(each => !each.closest('details.host:nth-of-type(n+4)'))"
            ".forEach(each => { each.open = true })"
        )
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


ALWAYS = {("one", "light", "desk"), ("one", "dark", "phone"), ("fifty", "light", "phone")}
AXE = [
    pytest.param(
        name,
        scheme,
        viewport,
        id=f"{name}-{scheme}-{place}",
        # The page of fifty hosts has the same styles, and takes axe half a minute; colours depend on no width.
        marks=[] if (name, scheme, place) in ALWAYS else [pytest.mark.exhaustive],
    )
    for name in ("one", "fifty")
    for scheme in ("light", "dark")
    for place, viewport in (("desk", DESK), ("phone", PHONE))
]


@pytest.mark.parametrize(("name", "scheme", "viewport"), AXE)
def test_axe_finds_nothing(opened, name, scheme, viewport):
    page = opened(name, viewport, scheme)
    assert violations(page) == []
    open_everything(page)
    assert page.locator(".checks details[open] li").count() >= 200
    assert violations(page) == []


@pytest.mark.parametrize("name", ["well", "unreachable", "first"])
def test_axe_finds_nothing_in_other_states(opened, name):
    assert violations(opened(name)) == []


@pytest.mark.parametrize("name", ["one", "fifty", "hostile", "unreachable"])
def test_a_small_phone_scrolls_down_alone(opened, name):
    page = opened(name, SMALL)
    open_everything(page)
    wide = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > innerWidth + 1"
        " && !each.closest('.hidden, .skip, .signs')).map(each => each.outerHTML.slice(0, 120))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"] and wide == []


def test_a_server_serves_it_as_it_is(opened, files, httpserver: HTTPServer):
    httpserver.expect_request("/index.html").respond_with_data(
        files["one"].read_bytes(), content_type="text/html"
    )
    page = opened(httpserver.url_for("/index.html"))
    expect(page.locator("h1")).to_have_text("billing.example.com bills, with faults")
    expect(page.locator(".chart")).to_have_count(6)
    assert [request.path for request, _ in httpserver.log] == ["/index.html"]


def test_markup_in_what_was_read_does_nothing(opened):
    page = opened("hostile")
    open_everything(page)
    expect(page.locator("h1")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator(".readout")).to_contain_text("<img src=x onerror=alert(2)>")
    expect(page.locator("img")).to_have_count(0)


def visible(page: Page, selector: str) -> int:
    return page.locator(selector).filter(visible=True).count()


def test_the_keyboard_filters_by_phase(opened):
    page = opened("one")
    page.locator("#phase-all").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#phase-2")).to_be_checked()
    expect(page.locator("#filtered")).to_have_text("Phase 2: 1 cause, 0 reasons for not judging, 1 warning.")
    assert visible(page, ".causes li[data-phase]") == 1 and visible(page, ".checks details") == 1
    expect(page.locator(".causes")).to_contain_text("Jobs of the queue billing")
    expect(page.locator(".states svg")).to_have_attribute("aria-label", _counted("passed", "failed"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert visible(page, ".causes li[data-phase]") == 2 and visible(page, ".checks details") == 8
    expect(page.locator("#filtered")).to_have_text("")
    expect(page.locator(".states svg")).to_have_attribute("aria-label", _counted("bills", "does not bill"))


def _counted(*words: str):
    import re

    return re.compile("Last 90 runs: " + "".join(rf"(?=.*\d+ {word})" for word in words))


def test_the_mouse_filters_hosts_by_phase(opened):
    page = opened("fifty")
    page.locator("label", has_text="3 Traefik").click()
    assert visible(page, "details.host") == 49
    expect(page.locator("#filtered")).to_contain_text("1 host with nothing to show is hidden.")
    page.locator("label", has_text="1 RSA key").click()
    assert visible(page, "details.host") == 0
    page.locator("label", has_text="All").click()
    assert visible(page, "details.host") == 50


def test_a_host_opens_by_keyboard_and_by_its_address(opened, files):
    page = opened("fifty")
    page.locator("details.host > summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.host").first).to_have_attribute("open", "")
    expect(page.locator("[data-history='0'] .chart").first).to_be_visible()
    page = opened(f"{files['fifty'].as_uri()}#host-2")
    expect(page.locator("#host-2 .chart")).to_have_count(6)


def test_each_host_has_the_strip_of_its_runs(opened):
    page = opened("fifty")
    expect(page.locator(".strip svg[aria-label^='Last 90 runs: ']")).to_have_count(50)


def test_one_run_is_looked_at_by_keyboard_and_by_mouse(opened):
    page = opened("one")
    readout, chart = page.locator(".readout"), page.locator(".chart.states")
    expect(readout).to_contain_text("2026-11-23 02:13 UTC bills, with faults · queue-stuck · scheduled")
    expect(page.locator(".cursor").first).to_be_hidden()
    page.get_by_role("slider", name="Run").focus()
    page.keyboard.press("Home")
    expect(readout).to_contain_text("2026-08-26")
    assert "2026-08-26" in page.get_by_role("slider").get_attribute("aria-valuetext")
    expect(page.locator(".cursor").first).to_be_visible()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 5)
    expect(readout).to_contain_text("2026-11-23")


def test_all_runs_are_a_table_and_all_checks_a_list(opened):
    page = opened("one")
    open_everything(page)
    expect(page.locator("tbody tr")).to_have_count(90)
    expect(page.locator("tbody tr").first).to_contain_text("2026-11-23 02:13 UTC")
    expect(page.locator(".checks li")).to_have_count(200)
    expect(page.locator(".checks details").nth(2).locator("li").first).to_have_class("failed")
    expect(page.locator(".causes .names li").first).to_contain_text("test_")


def pasted(page: Page) -> str:
    page.evaluate("document.body.prepend(Object.assign(document.createElement('textarea'), {id: 'paste'}))")
    page.locator("#paste").focus()
    page.keyboard.press("Control+V")
    return page.locator("#paste").input_value()


@pytest.mark.parametrize("where", ["a file", "a server of this machine", "a server without TLS"])
def test_the_button_copies_the_command(opened, files, where, httpserver: HTTPServer):
    httpserver.expect_request("/").respond_with_data(files["one"].read_bytes(), content_type="text/html")
    address = {
        "a file": "one",
        "a server of this machine": httpserver.url_for("/"),
        "a server without TLS": f"http://{ELSEWHERE}:{httpserver.port}/",
    }[where]
    page = opened(address)
    assert page.evaluate("isSecureContext") == (where != "a server without TLS")
    button = page.get_by_role("button", name=f"Copy {COMMAND}")
    button.press("Enter")
    expect(page.get_by_role("button", name=f"Copied {COMMAND}")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Copied")
    assert pasted(page) == COMMAND
    expect(page.get_by_role("button", name=f"Copy {COMMAND}")).to_be_visible()


def test_a_command_that_may_not_be_copied_is_selected(opened):
    refused = "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
    page = opened("one", before=refused)
    page.get_by_role("button", name=f"Copy {COMMAND}").click()
    expect(page.get_by_role("button", name=f"Press Ctrl+C {COMMAND}")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == COMMAND


def test_without_scripts_the_newest_run_is_readable_and_the_filter_works(opened):
    page = opened("one", scripts=False)
    expect(page.locator("noscript p")).to_be_visible()
    for text in (
        re.compile(r"2 Services: \d+ passed, 1 failed, 1 waived"),
        "47 min",
        COMMAND,
        "no API key is known in the container",
    ):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    page.locator("label", has_text="3 Traefik").click()
    assert visible(page, ".causes li[data-phase]") == 1
    expect(page.locator(".causes")).to_contain_text("The certificate of api.billing.example.com")


def test_a_browser_that_cannot_unpack_says_so(opened, browser, files):
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(files["one"].as_uri())
    expect(page.locator("main > .note").first).to_contain_text("too old for the charts")
    expect(page.get_by_role("button", name=f"Copy {COMMAND}")).to_be_visible()
    context.close()


def test_paper_gets_no_buttons(opened):
    page = opened("one", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert visible(page, "button") == 0 and visible(page, ".filter") == 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.get_by_text("1,842,330 jobs")).to_be_visible()


def test_fewer_movements_and_forced_colours_leave_all_readable(opened):
    page = opened("one")
    page.emulate_media(forced_colors="active")
    expect(page.locator(".chart .trace").first).to_be_visible()
    assert violations(page) == []

"""A real Chromium that resolves a deployment's names to its origin and trusts its root; TLS is verified."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from lago_acceptance.clients.connection import reachable
from lago_acceptance.core import registry, report_files
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.options import certificates_in
from lago_acceptance.core.registry import Entry, Severity
from lago_acceptance.core.resources import APT_INSTALL
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes.public_endpoints import PublicEndpoints

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

log = logging.getLogger(__name__)

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGES = ("chromium", "libnss3-tools")
# Pages wait for their style sheets, and without internet foreign ones may never load.
WITHOUT_FONTS = tuple(f"MAP {host} ~NOTFOUND" for host in ("fonts.googleapis.com", "fonts.gstatic.com"))
SECONDS = 8.0
# The first start after a boot reads hundreds of megabytes: 15 s were measured, 0.7 s afterwards.
START_SECONDS = 90.0
# For all that is done with one page: some of Playwright's calls have no deadline, and a script may never end.
PAGE_SECONDS = 120.0
# A page may fail without end.
FAULTS, TEXT = 50, 300
CHANGED = "ERR_NETWORK_CHANGED"
INSTALL_SECONDS = 600


registry.register(
    Entry(
        id="page-hangs",
        phase=5,
        severity=Severity.ERROR,
        title="Pages of the web UI keep answering.",
        page="A script that never ends, or a page that crashes the browser.",
    )
)


class Fault(msgspec.Struct, frozen=True):
    """An error in a page of the deployment: a console error or a failed request."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def executable() -> str:
    """The path of Chromium, installed first if missing (as root on Debian). Unknown if there is none."""

    def found() -> str | None:
        return next((path for name in NAMES if (path := shutil.which(name))), None)

    if not (found() and shutil.which("certutil")):
        try:
            subprocess.run(
                [APT_INSTALL, *PACKAGES], capture_output=True, check=False, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            pass
    if not (path := found()) or not shutil.which("certutil"):
        raise Unknown(
            f"no browser is installed here: apt-get install {' '.join(PACKAGES)}",
            why="no browser is installed here",
            fix=f"apt-get install {' '.join(PACKAGES)}",
        )
    return path


class Browser:
    """One Chromium for a run. ``folder`` is private, for its profile; ``reports`` is for traces of failures.

    Unknown where it can't be started: that says nothing about the deployment.
    """

    def __init__(self, view: PublicEndpoints, folder: Path, reports: Path):
        from playwright.sync_api import Error, sync_playwright

        self.view, self.reports = view, reports
        path = executable()
        folder.mkdir(parents=True, exist_ok=True)
        if view.roots:
            _trust(view.roots, folder)
        rules = [*WITHOUT_FONTS, *_rules(view)]
        self._playwright = sync_playwright().start()
        try:
            self._chromium = self._playwright.chromium.launch(
                executable_path=path,
                args=[f"--host-resolver-rules={','.join(rules)}"],
                env={**os.environ, "HOME": str(folder)},
                timeout=START_SECONDS * 1000,
            )
        except Error as error:
            self._playwright.stop()
            said = error.message.splitlines()[0].rstrip(".")
            raise Unknown(
                f"the browser can't be started here: {said}; try: {path} --version",
                why=f"the browser can't be started here: {said}",
                fix=f"find out why with {path} --version",
            ) from error

    def close(self) -> None:
        """End the browser."""
        self._chromium.close()
        self._playwright.stop()

    @property
    def version(self) -> str:
        """Chromium's version."""
        return self._chromium.version

    @contextmanager
    def page(self, name: str) -> Iterator[tuple[Page, list[Fault]]]:
        """A page with a fresh profile, and the faults seen in it. If the block fails, trace and screenshot are kept."""
        from playwright.sync_api import Error

        context = self._chromium.new_context(
            base_url=f"{reachable(self.view, FRONT)}/", accept_downloads=False, service_workers="block"
        )
        context.set_default_timeout(SECONDS * 1000)
        context.tracing.start(screenshots=True, snapshots=True)
        page = context.new_page()
        context.on("page", lambda other: other.close())
        faults: list[Fault] = []
        disturbances: list[str] = []
        self._listen(page, faults, disturbances)
        given_up = threading.Timer(PAGE_SECONDS, _end_renderers)
        given_up.daemon = True
        given_up.start()
        try:
            yield page, faults
        except BaseException as error:
            self._keep(context, page, name)
            if isinstance(error, Error):
                raise Red(_hangs(page.url, error.message)) from error
            if disturbances and isinstance(error, Red):
                raise Unknown(
                    "this machine's network changed while the browser was working (a Docker network came or went), and "
                    "Chromium aborted its requests; run this again while nothing else starts containers here",
                    why="this machine's network changed while the browser was working",
                    fix="run again while nothing else starts containers here",
                ) from error
            raise
        else:
            # Otherwise its temporary folder is left behind.
            context.tracing.stop()
        finally:
            context.close()
            given_up.cancel()

    def _listen(self, page: Page, faults: list[Fault], disturbances: list[str]) -> None:
        def note(kind: str, text: str) -> None:
            if len(faults) < FAULTS:
                faults.append(Fault(kind, redact(text[: TEXT * 10])[:TEXT]))

        def ours(url: str) -> bool:
            try:
                return urlsplit(url).hostname in {each.host for each in _places(self.view)}
            except ValueError:
                return False

        def failed(request: Request) -> None:
            if CHANGED in (request.failure or ""):
                disturbances[:] = [request.url]
                return
            # Navigation aborts pending requests; foreign fonts are not part of the deployment.
            if ours(request.url) and "ERR_ABORTED" not in (request.failure or ""):
                note("a request failed", f"{request.method} {request.url[:200]}: {request.failure}")

        def answered(response: Response) -> None:
            if ours(response.url) and response.status >= 400:
                note(
                    "a request was refused",
                    f"{response.request.method} {response.url[:200]}: {response.status}",
                )

        def said(message: ConsoleMessage) -> None:
            place = message.location.get("url", "")
            if message.type == "error" and CHANGED not in message.text and (ours(place) or not place):
                note("the console says", message.text)

        page.on("requestfailed", failed)
        page.on("response", answered)
        page.on("console", said)
        page.on("pageerror", lambda error: note("a script failed", str(error)))

    def _keep(self, context: BrowserContext, page: Page, name: str) -> None:
        from playwright.sync_api import Error

        try:
            report_files.make_folder(self.reports)
        except report_files.NotWritten as error:
            log.warning("no screenshot and no trace is kept: %s", error)
            return
        trace = self.reports / f"{name}-trace.zip"
        with suppress(Error):
            page.screenshot(path=self.reports / f"{name}.png")
        try:
            context.tracing.stop(path=trace)
        except Error:
            return
        try:
            scrub(trace)
        except OSError as error:
            # It would show what has not been taken out of it.
            trace.unlink(missing_ok=True)
            log.warning("no trace is kept: %s", error.strerror)


def _places(view: PublicEndpoints) -> list[PublicUrl]:
    return list(dict.fromkeys((*view.urls.values(), *([view.graphql] if view.graphql else ()))))


def _rules(view: PublicEndpoints) -> Iterator[str]:
    """Chromium's rules for what is not reached at the address and port that its URL says."""
    for url in _places(view):
        address, port = view.pinned(url)
        if address and (address, port) != (url.host, url.port):
            host, there = (f"[{each}]" if ":" in each else each for each in (url.host, address))
            yield f"MAP {host}:{url.port} {there}:{port}"


def _hangs(url: str, said: str) -> Finding:
    return Finding(
        id="page-hangs",
        role=FRONT,
        problem=f"{url[:200]} does not answer the browser any more: {said.splitlines()[0][:TEXT]}",
        impact="people see a frozen page, or none at all",
        fix="open the page with the browser's developer tools, and compare the front's image with Lago's own",
    )


def _end_renderers() -> None:
    """End the processes that run this browser's pages: whatever waits for one of them gets an error at once."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                process.kill()
        except psutil.Error:
            continue


def scrub(archive: Path) -> None:
    """Redact a trace: it contains everything that was typed and sent."""
    cleaned = archive.with_suffix(".new")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(cleaned, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            # Bytes that are no text stay as they are; what is readable among them is redacted too.
            text = old.read(name).decode("utf-8", "surrogateescape")
            new.writestr(name, redact(text).encode("utf-8", "surrogateescape"))
    cleaned.replace(archive)


def _trust(roots: str, home: Path) -> None:
    """Make Chromium alone trust the roots: Debian's reads the certificate database in its HOME."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True, exist_ok=True)
    calls: list[tuple[str, ...]] = [("-N", "--empty-password")]
    # certutil takes one certificate of a file.
    for number, root in enumerate(certificates_in(roots)):
        file = home / f"root-{number}.pem"
        file.write_text(root)
        calls.append(("-A", "-t", "C,,", "-n", f"root {number}", "-i", str(file)))
    for arguments in calls:
        command = ["certutil", "-d", f"sql:{database}", *arguments]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL
        )
        if ended.returncode:
            raise Unknown(
                f"the stack's CA can't be installed for the browser: {ended.stderr.strip()[:200]}",
                fix=f"apt-get install {' '.join(PACKAGES)}",
            )

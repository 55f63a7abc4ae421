"""Replays recorded exchanges against a Lago and says, field by field, where its answers differ."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.support.paths import DATA

RECORDINGS = DATA / "recordings"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
JWT = r"<JWT header=(?P<header>\{.*?\}) payload=(?P<payload>\{.*?\})>"

HEADERS = ("content-type", "cache-control", "vary", "content-disposition", "access-control-allow-origin",
           "access-control-allow-methods", "access-control-allow-headers", "access-control-expose-headers",
           "access-control-max-age")  # fmt: skip
"""Headers that count with their value; of `PRESENT` only that they are there."""
PRESENT = ("etag", "x-request-id", "x-runtime", "x-lago-token", "location", "last-modified")

PLAIN = (
    (r"\bACC-[0-9A-F]{4}\b", "ACC-<end of the organization's id>"),
    (UUID, "<id>"),
    (r"LS0tLS1CRUdJTiBQVUJMSUMg[\w+/=\n]+", "<public key>"),
    (r"(/rails/active_storage/(?:blobs/redirect|disk)/)[\w=%+-]+--[0-9a-f]+", r"\1<signed>"),
    (r"^%PDF-[\s\S]*", "<PDF>"),
)

EVENTS_BEYOND_A_BATCH = [{"transaction_id": f"x{n}", "code": "ai_requests"} for n in range(101)]


def recorded(name: str) -> list[dict[str, Any]]:
    """The entries of one file of recordings."""
    return [json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text().splitlines()]


LIKE_RECORDED = ("name", "document_numbering", "default_currency", "timezone")
"""What many answers show of their organization."""
KEPT = ("plans", "billable_metrics", "customers", "coupons")


def unlike_recorded(url: str, api_key: str, there: dict[str, Any]) -> str:
    """Why an organization can't be compared with the recorded one ("" if it can): one sentence."""
    with httpx.Client(
        base_url=f"{url}/api/v1/", headers={"Authorization": f"Bearer {api_key}"}, timeout=30, trust_env=False
    ) as client:
        try:
            answer = client.get("organizations")
            if answer.status_code != 200:
                return f"GET organizations is answered with {answer.status_code}; give its key with --lago-api-key-file"
            here = answer.json()["organization"]
            held = [
                kind
                for kind in KEPT
                if client.get(kind, params={"per_page": 1}).json()["meta"]["total_count"]
            ]
        except (httpx.HTTPError, ValueError, LookupError) as error:
            return f"it does not answer as Lago's API ({error or type(error).__name__})"
    wanted = there["organization"]
    unlike = [
        f"{name} {wanted[name]!r}, not {here.get(name)!r}"
        for name in LIKE_RECORDED
        if here.get(name) != wanted[name]
    ]
    if unlike:
        return f"its organization must have {', '.join(unlike)}: seed another one (LAGO_ORG_NAME={wanted['name']})"
    return f"its organization is not empty, it holds {', '.join(held)}: seed another Lago" if held else ""


@dataclass
class Replay:
    """Sends what was sent, with the ids that this Lago gave, and compares what comes back."""

    url: str
    api_key: str
    password: str = ""
    host: str | None = None
    token: Callable[[str, dict[str, Any]], str] = lambda name, payload: ""
    ids: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    def run(self, entries: list[dict[str, Any]], patience: float = 15) -> None:
        """Replay in order. What was polled for, or deleted by the worker meanwhile, may take `patience` seconds."""
        for entry in entries:
            awaited = "after_s" in entry or entry["name"] == "plan_delete_then_show"
            deadline = time.monotonic() + (patience if awaited else 0)
            differences = self.exchange(entry)
            while differences and time.monotonic() < deadline:
                time.sleep(0.1)
                differences = self.exchange(entry)
            self.found[entry["name"]] = differences

    def exchange(self, entry: dict[str, Any]) -> list[str]:
        """One request; what differs in the answer, as sentences. Ids are learnt only from an answer that agrees."""
        request, response = entry["request"], entry["response"]
        answer = self.client.request(
            request["method"], self.url + self._here(request["path"]), headers=self._headers(entry),
            content=self._body(request["body"], entry["name"]),
        )  # fmt: skip
        if answer.status_code != response["status"]:
            return [f"status {answer.status_code} instead of {response['status']}: {answer.text[:300]}"]
        learnt = Comparison(self)
        learnt.headers(dict(response["headers"]), answer.headers)
        if response.get("json") is not None:
            learnt.value("", response["json"], _json(answer))
        elif "text" in response:
            learnt.value("", response["text"], answer.text)
        if not learnt.differences:
            self.ids |= learnt.ids
            self.addresses |= learnt.addresses
        return learnt.differences

    def _here(self, text: str) -> str:
        """A recorded text with this Lago's ids, and times that lie as far ahead as they did."""
        for there, here in {**self.addresses, **self.ids}.items():
            text = text.replace(there, here)
        soon = (datetime.now(UTC) + timedelta(minutes=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return text.replace("2026-11-22T17:41:07Z", soon)

    def _headers(self, entry: dict[str, Any]) -> dict[str, str]:
        def filled(value: str) -> str:
            value = value.replace("<API_KEY>", self.api_key)
            return re.sub(
                JWT, lambda match: self.token(entry["name"], _python(self._here(match["payload"]))), value
            )

        headers = {name: self._here(filled(value)) for name, value in entry["request"]["headers"].items()}
        return {"Accept": "*/*"} | ({"Host": self.host} if self.host else {}) | headers

    def _body(self, body: Any, name: str) -> str | None:
        if body == "101 events":
            body = {"events": EVENTS_BEYOND_A_BATCH}
        if body is None or isinstance(body, str):
            return body
        return self._here(json.dumps(body)).replace("<PASSWORD>", self.password)


class Comparison:
    """Two answers side by side: ids stand for each other one to one, times have the same form."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.ids: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.differences: list[str] = []

    def headers(self, recorded: dict[str, str], answer: httpx.Headers) -> None:
        recorded = {name.lower(): value for name, value in recorded.items()}
        for name in HEADERS:
            # One that wasn't recorded counts too, where it would let a browser in.
            if name in recorded or name.startswith("access-control-"):
                self.value(f"header {name}", recorded.get(name), answer.get(name))
        for name in PRESENT:
            if name in recorded and name not in answer:
                self.differences.append(f"header {name} is missing")
        if "location" in recorded and "location" in answer:
            self.value("header location", recorded["location"], answer["location"])

    def value(self, at: str, there: Any, here: Any) -> None:
        if isinstance(there, dict) and isinstance(here, dict):
            for key in there.keys() | here.keys():
                if key in there and key in here:
                    self.value(f"{at}.{key}", there[key], here[key])
                else:
                    state = "missing" if key in there else f"new: {here[key]!r}"
                    self.differences.append(f"{at}.{key} is {state}")
        elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
            for number, (one, other) in enumerate(zip(there, here, strict=True)):
                self.value(f"{at}[{number}]", one, other)
        elif isinstance(there, str) and isinstance(here, str):
            self._text(at, there, here)
        elif there != here or isinstance(there, bool) != isinstance(here, bool):
            self.differences.append(f"{at} is {_short(here)} instead of {_short(there)}")

    def _text(self, at: str, there: str, here: str) -> None:
        if match := re.fullmatch(JWT, there):
            return self._token(at, match, here)
        if there == "<API_KEY>":
            there = self.replay.api_key
        if re.fullmatch(UUID, there) and re.fullmatch(UUID, here):
            expected = self.replay.ids.get(there) or self.ids.setdefault(there, here)
            if here != expected:
                self.differences.append(f"{at} is {here}, another id than {expected}")
        elif _form(there) != _form(here):
            self.differences.append(f"{at} is {_short(here)} instead of {_short(there)}")
        elif "/rails/active_storage/" in there:
            self.addresses[_path(there)] = _path(here)

    def _token(self, at: str, match: re.Match[str], here: str) -> None:
        import jwt

        header = {key: value for key, value in jwt.get_unverified_header(here).items() if key != "typ"}
        payload = jwt.decode(here, options={"verify_signature": False})
        there = _python(match["payload"]) | ({"exp": payload.get("exp")} if "exp" in match["payload"] else {})
        self.value(f"{at} header", _python(match["header"]), header)
        self.value(f"{at} payload", there, payload)


def _form(text: str) -> str:
    """A text without what differs between two installations and two days."""
    if match := re.fullmatch(r"\d{4}-\d\d-\d\d(?P<time>T\d\d:\d\d:\d\d(?P<rest>.*))?", text):
        edge = (match["time"] or "")[:9]
        of_day = edge if edge in ("T00:00:00", "T23:59:59") else "<time>"
        return f"<day>{of_day if match['time'] else ''}{re.sub(r'[0-9]', '0', match['rest'] or '')}"
    for pattern, replacement in PLAIN:
        text = re.sub(pattern, replacement, text)
    return text


def _path(url: str) -> str:
    return "/rails/" + url.split("/rails/", 1)[1]


def _python(text: str) -> Any:
    import ast

    return ast.literal_eval(text)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "…"


def deliveries(log: str) -> Iterator[dict[str, Any]]:
    """What a receiver of webhooks wrote down, one JSON object a line."""
    return (json.loads(line) for line in log.splitlines() if line.startswith('{"path"'))

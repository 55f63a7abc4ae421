"""The stand-in of the gateway answers as the real one was measured, row by row."""

from __future__ import annotations

import contextlib
import http.server
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import pytest

from lago_acceptance.clients.gateway import OTHER_HEADER, operations
from lago_acceptance.clients.token_issuer import Issuer
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images import resolve
from lago_acceptance.targets.stack import tenant_row
from tests.support.containers import Container, docker, running
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.docker

TENANT, STRANGER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
STARTER = {
    "lago_id": "l-1",
    "code": "starter",
    "name": "Starter",
    "amount_cents": 4900,
    "amount_currency": "USD",
    "interval": "monthly",
    "description": "from Lago",
    "trial_period": 0.0,
}
GROWTH = {**STARTER, "lago_id": "l-2", "code": "growth", "amount_cents": 19900}
WIDE = """CREATE TYPE kind AS ENUM ('first', 'second');
CREATE TABLE tenants (id varchar(40) PRIMARY KEY, slug varchar(12) NOT NULL, name text, kind kind NOT NULL,
    active boolean NOT NULL, seats integer NOT NULL, settings jsonb NOT NULL, tags text[] NOT NULL, born date NOT NULL,
    token uuid NOT NULL, made timestamptz NOT NULL DEFAULT now(), note text)"""


class Lago(http.server.BaseHTTPRequestHandler):
    """As much of Lago as the gateway asks for, and its issuer's keys. ``key`` is the one that it accepts."""

    key: ClassVar[str] = "the-key-in-its-source"
    plans: ClassVar[list[dict[str, Any]]] = [STARTER, GROWTH]
    subscriptions: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[tuple[str, str, Any]]] = []
    keys: ClassVar[bytes] = b""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in ("/.well-known/jwks.json", "/jwks/"):
            self.asked.append(("GET", path, None))
            self.say(200, self.keys)
        elif self.headers["Authorization"] != f"Bearer {self.key}":
            self.say(401, {"status": 401, "error": "Unauthorized"})
        elif path == "/api/v1/plans":
            self.say(200, {"plans": self.plans})
        elif path == "/api/v1/subscriptions":
            self.say(200, {"subscriptions": list(reversed(self.subscriptions))})
        elif path == "/api/v1/invoices":
            self.say(200, {"invoices": [INVOICE]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        self.asked.append(("POST", path, body))
        if path == "/api/v1/subscriptions":
            given = body["subscription"]
            made = {
                **given,
                "status": "active",
                "created_at": f"2026-11-28T00:00:{len(self.subscriptions):02}Z",
            }
            self.subscriptions[:] = [
                each for each in self.subscriptions if each["external_id"] != given["external_id"]
            ] + [made]
            self.say(200, {"subscription": made})
            return
        self.say(200, body)

    def say(self, status: int, body: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        pass


INVOICE = {
    "lago_id": "i-1",
    "total_amount_cents": 4900,
    "currency": "USD",
    "status": "finalized",
    "issuing_date": "2026-11-28",
}


@dataclass
class Gateway:
    """A stand-in that runs, used as a tenant."""

    container: Container
    issuer: Issuer

    def get(self, path: str, token: Secret | None = None, **headers: str) -> httpx.Response:
        return self.ask("GET", path, token, **headers)

    def ask(self, method: str, path: str, token: Secret | None = None, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token.reveal()}"
        url = f"http://{self.container.address}:8000{path}"
        return httpx.request(method, url, headers=given, timeout=PATIENCE, trust_env=False)

    def subscribe(self, plan: str, token: Secret | None = None) -> httpx.Response:
        return self.ask("POST", f"/api/billing/subscribe?plan_slug={plan}", token or self.issuer.token())

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return bool(self.get("/health").status_code)
        return False


@pytest.fixture(scope="module")
def database() -> Iterator[Container]:
    options = ("--env=POSTGRES_USER=brain", "--env=POSTGRES_DB=brain", "--env=POSTGRES_PASSWORD=of-this-test")
    with running(resolve.stand_in("postgres"), options=options) as container:
        ready = ("pg_isready", "--quiet", "--host=127.0.0.1")
        assert until(lambda: container.execute(*ready).returncode == 0, PATIENCE), container.logs()
        yield container


@pytest.fixture(scope="module")
def lago(database, tmp_path_factory) -> Iterator[str]:
    """Where Lago and the issuer are, for a container."""
    server = http.server.ThreadingHTTPServer((database.gateway, 0), Lago)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{database.gateway}:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def issuer(lago, tmp_path_factory) -> Issuer:
    from lago_acceptance.clients import token_issuer

    made, folder = Issuer(TENANT), tmp_path_factory.mktemp("issuer")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(token_issuer, "NAME", lago)
        made.publish(folder)
    Lago.keys = (folder / "jwks.json").read_bytes()
    return made


@pytest.fixture(autouse=True)
def named_as_the_server(lago, monkeypatch):
    """The issuer's name is where its keys are; Lago is as it was."""
    monkeypatch.setattr("lago_acceptance.clients.token_issuer.NAME", lago)
    Lago.key, Lago.plans, Lago.subscriptions, Lago.asked = "the-key-in-its-source", [STARTER, GROWTH], [], []


@contextlib.contextmanager
def started(lago: str, database: Container, issuer: Issuer, **variables: str) -> Iterator[Gateway]:
    known = {
        "LAGO_URL_IN_SOURCE": lago,
        "LAGO_KEY_IN_SOURCE": "the-key-in-its-source",
        "LAGO_API_URL": "http://nobody.example.test",
        "LAGO_API_KEY": "a-variable-that-nothing-reads",
        "CLERK_ISSUER": lago,
        "DATABASE_URL": f"postgresql://brain:of-this-test@{database.address}:5432/brain",
        "TEMPORAL_HOST": "temporal:7233",
    } | variables
    options = tuple(f"--env={name}={value}" for name, value in known.items() if value)
    with running(resolve.stand_in("brain-gateway"), options=options) as container:
        gateway = Gateway(container, issuer)
        assert until(gateway.answers, PATIENCE), container.logs()
        assert tenant_row.insert(LocalHost(), Permit("a test"), database.name, TENANT) == ""
        yield gateway


@pytest.fixture(scope="module")
def gateway(lago, database, issuer) -> Iterator[Gateway]:
    """With what a correct gateway offers."""
    with started(lago, database, issuer) as made:
        yield made


@pytest.fixture(scope="module")
def observed(lago, database, issuer) -> Iterator[Gateway]:
    """With all faults of the real one."""
    with started(lago, database, issuer, GATEWAY_AS_OBSERVED="true", AUTHENTIK_ISSUER=lago) as made:
        yield made


@pytest.fixture(scope="module")
def bare(lago, database, issuer) -> Iterator[Gateway]:
    """Without authentication and Temporal."""
    with started(lago, database, issuer, DISABLE_AUTH="true", TEMPORAL_HOST="") as made:
        yield made


def test_key_and_url_are_those_in_its_source(gateway):
    assert [plan["id"] for plan in gateway.get("/api/billing/plans").json()] == ["l-1", "l-2"]


def test_health_names_what_it_needs_and_never_lago(gateway, bare):
    Lago.key = "another"
    answer = gateway.get("/health")
    members = ["dependencies", "service", "status", "system", "timestamp", "version"]
    assert (answer.status_code, answer.json()["status"], sorted(answer.json())) == (200, "healthy", members)
    assert bare.get("/health").json()["status"] == "degraded"


def test_without_its_database_it_is_unhealthy(lago, database, issuer):
    with started(lago, database, issuer, DATABASE_URL="") as made:
        assert (made.get("/health").status_code, made.get("/health").json()["status"]) == (503, "unhealthy")


def test_an_unhandled_error_is_uvicorns_own_answer(gateway):
    nobody = gateway.issuer.token("no-uuid")
    answer = gateway.get("/api/billing/subscription", nobody)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["server"] == "uvicorn"
    # It is printed after the answer.
    assert until(lambda: "ValueError" in gateway.container.logs(), PATIENCE)


def test_without_authentication_each_route_fails_or_answers_in_its_own_way(bare):
    subscription = bare.get("/api/billing/subscription")
    assert (subscription.status_code, subscription.text) == (500, "Internal Server Error")
    assert (bare.get("/api/billing/invoices").status_code, bare.get("/api/billing/invoices").json()) == (
        200,
        [],
    )
    bought = bare.ask("POST", "/api/billing/subscribe?plan_slug=starter")
    assert bought.status_code == 500 and "SELECT" in bought.json()["detail"]


@pytest.mark.parametrize("path", ["subscription", "invoices"])
def test_a_missing_and_a_bad_token_are_refused_in_its_words(path, gateway):
    missing = gateway.get(f"/api/billing/{path}")
    assert (missing.status_code, missing.json()["detail"]) == (401, "Missing authentication credentials")
    for bad in (gateway.issuer.forged(), gateway.issuer.token(lifetime=-30), Secret("not.a.token")):
        refused = gateway.get(f"/api/billing/{path}", bad)
        assert (refused.status_code, refused.json()["detail"]) == (401, "Token validation failed")
        other = gateway.get(f"/api/billing/{path}", **{OTHER_HEADER: bad.reveal()})
        assert (other.status_code, other.json()["detail"]) == (401, "Token validation failed")


def test_another_header_is_a_way_in(gateway):
    token = gateway.issuer.token().reveal()
    assert gateway.get("/api/billing/invoices", **{OTHER_HEADER: token}).status_code == 200


def test_a_tenant_without_a_row_shows_sql(gateway):
    stranger = gateway.issuer.token(STRANGER)
    bought = gateway.subscribe("starter", stranger)
    assert bought.status_code == 500 and "FROM tenants" in bought.json()["detail"]
    seen = gateway.get("/api/billing/subscription", stranger)
    assert (seen.status_code, seen.json()) == (200, None)


def test_a_plan_that_nobody_has_is_refused_and_one_of_its_own_is_sold(gateway, observed):
    for each in (gateway, observed):
        refused = each.subscribe("nobodys")
        assert (refused.status_code, refused.json()) == (400, {"detail": "Plan not found"})
    assert gateway.subscribe("professional").status_code == 400
    sold = observed.subscribe("professional").json()
    assert (sold["plan_slug"], sold["status"]) == ("professional", "active")
    assert len(sold["id"]) == 36 and Lago.subscriptions == []
    # In the fallback the old plan comes back.
    Lago.key = "another"
    assert observed.subscribe("business").json()["plan_slug"] == "professional"
    Lago.plans = []
    Lago.key = "the-key-in-its-source"
    assert observed.get("/api/billing/plans").json() == []
    assert observed.subscribe("starter").status_code == 200


def test_a_second_purchase_leaves_two_subscriptions_and_shows_the_older(gateway, observed):
    assert observed.subscribe("starter").status_code == 200
    first = Lago.subscriptions[0]["external_id"]
    Lago.subscriptions[0]["external_id"] = f"{first}-before"
    assert observed.subscribe("growth").status_code == 200
    assert [each["plan_code"] for each in Lago.subscriptions] == ["starter", "growth"]
    assert observed.get("/api/billing/subscription", observed.issuer.token()).json()["plan_slug"] == "starter"
    Lago.subscriptions = []
    assert [gateway.subscribe(plan).status_code for plan in ("starter", "growth")] == [200, 200]
    assert [each["plan_code"] for each in Lago.subscriptions] == ["growth"]


def test_what_it_makes_of_lago(gateway):
    assert {plan["description"] for plan in gateway.get("/api/billing/plans").json()} == {None}
    bought = gateway.subscribe("starter").json()
    assert bought["id"].startswith(f"sub_{TENANT}_")
    assert "T" in bought["current_period_end"] and not bought["current_period_end"].endswith(("Z", "+00:00"))
    made = {path.rpartition("/")[2]: body for method, path, body in Lago.asked if method == "POST"}
    assert made["subscriptions"]["subscription"]["billing_time"] == "calendar"
    customer = made["customers"]["customer"]
    assert (customer["name"], customer["email"]) == (TENANT, f"admin@{TENANT}.com")


def test_one_trial_period_costs_it_all_plans_and_its_log_says_so(gateway):
    Lago.plans = [STARTER, {**GROWTH, "trial_period": 14.5}]
    assert "professional" in {plan["slug"] for plan in gateway.get("/api/billing/plans").json()}
    assert "Lago error fetching plans: 1 validation error" in gateway.container.logs()
    assert "14.5" in gateway.container.logs()


def test_a_key_that_lago_refuses_gives_its_own_plans_and_shows_in_its_log(gateway):
    Lago.key = "another"
    shown = gateway.get("/api/billing/plans").json()
    assert {plan["slug"]: plan["amount"] for plan in shown}["starter"] == 29
    assert all(plan["description"] for plan in shown)
    assert "Lago error fetching plans: Client error '401 Unauthorized'" in gateway.container.logs()


def test_invoices_are_read_by_names_that_lago_does_not_send(gateway, observed):
    token = gateway.issuer.token()
    assert [each["amount"] for each in gateway.get("/api/billing/invoices", token).json()] == [49]
    assert observed.get("/api/billing/invoices", token).json() == []
    assert "Lago error listing invoices: 1 validation error" in observed.container.logs()


def test_each_version_finds_the_keys_by_its_issuers_name(gateway, observed):
    for each, path in ((gateway, "/.well-known/jwks.json"), (observed, "/jwks/")):
        docker("restart", "--time", "1", each.container.name)
        assert until(each.answers, PATIENCE)
        assert each.get("/api/billing/invoices", each.issuer.token()).status_code == 200
        assert ("GET", path, None) in Lago.asked


def test_the_other_routes(gateway, observed):
    assert gateway.get("/metrics").status_code == 200
    assert gateway.get("/ping").status_code == 404
    assert gateway.get("/webhooks/razorpay").status_code == 200
    answer = gateway.get("/health", origin="https://elsewhere.example.test")
    assert answer.headers["access-control-allow-origin"] == "https://elsewhere.example.test"
    assert answer.headers["access-control-allow-credentials"] == "true"
    document = gateway.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0" and len(document["paths"]) >= 112
    there = operations(document)
    assert set(there) == {"plans", "subscribe", "subscriptions", "invoices", "usage"}
    assert there["subscribe"].query == ("plan_slug",)
    assert set(operations(observed.get("/openapi.json").json())) == set(there) - {"usage"}


def test_a_tenant_gets_a_row_whatever_else_its_table_wants(database):
    name = f"wide_{secrets.token_hex(4)}"
    psql = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "brain")
    assert database.execute(*psql, "-d", "brain", "-c", f"CREATE SCHEMA {name}").returncode == 0
    try:
        path = f"ALTER ROLE brain IN DATABASE brain SET search_path TO {name}"
        for statement in (path, f"SET search_path TO {name}; {WIDE}"):
            ended = database.execute(*psql, "-d", "brain", "-c", statement)
            assert ended.returncode == 0, ended.stderr
        for _ in range(2):
            assert tenant_row.insert(LocalHost(), Permit("a test"), database.name, TENANT) == ""
        rows = database.execute(
            *psql, "-d", "brain", "-Atc", "SELECT id, slug, name, kind, seats, tags FROM tenants"
        )
        assert rows.stdout == f"{TENANT}|{TENANT[:12]}|{TENANT}|first|0|{{}}\n"
        database.execute(*psql, "-d", "brain", "-c", "DROP TABLE tenants")
        assert tenant_row.insert(LocalHost(), Permit("a test"), database.name, TENANT) == ""
    finally:
        database.execute(*psql, "-d", "brain", "-c", "ALTER ROLE brain IN DATABASE brain RESET search_path")
        database.execute(*psql, "-d", "brain", "-c", f"DROP SCHEMA {name} CASCADE")
    assert "has no row" in tenant_row.insert(LocalHost(), Permit("a test"), "nobodys-container", TENANT)

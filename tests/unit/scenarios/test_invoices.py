"""A round's steps on answers of Lago as they may come, and not as the stand-in's always do."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import httpx
import pytest
import respx

from lago_acceptance.clients.answers import Refused
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.lago import Lago
from lago_acceptance.clients.webhook_receiver import Delivery
from lago_acceptance.core.findings import Red
from lago_acceptance.core.secrets import Secret
from lago_acceptance.scenarios import invoices
from lago_acceptance.scenarios.context import Context, Names, Timeouts
from lago_acceptance.scenarios.preconditions import Preconditions
from tests.support.patience import PATIENCE

API = "https://api.example.test"
PDF = httpx.Response(200, content=b"%PDF-1.4 ...", headers={"Content-Type": "application/pdf"})
PATH = "/rails/active_storage/blobs/redirect/x/1.pdf"


@pytest.fixture
def context() -> Iterator[Context]:
    connection = Connection("api", API, "192.0.2.7", seconds=PATIENCE)
    lago = Lago(connection, Secret("a-key-of-this-test"))
    yield Context(lago, Names("1"), Preconditions(), Timeouts(file=0.1))
    connection.close()


def to(location: str, status: int = 302) -> httpx.Response:
    return httpx.Response(status, headers={"Location": location})


def has_file(url: str) -> None:
    """Lago tells of a file at this URL; each name is answered at the origin."""
    amounts = {"currency": "USD", "fees_amount_cents": 4900, "total_amount_cents": 4900}
    invoice = {"invoice": {"lago_id": "i", "status": "finalized", **amounts, "file_url": url}}
    respx.get("https://192.0.2.7/api/v1/invoices/i").respond(json=invoice)


WAYS = {
    "absolute": (f"{API}{PATH}", {f"https://192.0.2.7{PATH}": to(f"{API}/disk/1.pdf")}),
    "relative": (f"{API}{PATH}", {f"https://192.0.2.7{PATH}": to("/disk/1.pdf", 307)}),
    "by http": (
        f"http://api.example.test{PATH}",
        {
            f"http://192.0.2.7{PATH}": to(f"{API}{PATH}", 308),
            f"https://192.0.2.7{PATH}": to(f"{API}/disk/1.pdf"),
        },
    ),
}


@pytest.mark.parametrize("way", WAYS)
@respx.mock
def test_an_invoices_file_is_fetched_as_a_browser_does(way, context):
    url, answers = WAYS[way]
    has_file(url)
    for asked, answer in answers.items():
        respx.get(asked).mock(return_value=answer)
    last = respx.get("https://192.0.2.7/disk/1.pdf").mock(return_value=PDF)
    assert invoices.file(context, {"lago_id": "i"}) == url
    assert last.call_count == 1


@pytest.mark.parametrize(
    ("url", "answer", "said"),
    [
        (
            "http://lago-api:3000/x.pdf",
            httpx.ConnectError("Name or service not known"),
            "http://lago-api:3000/x.pdf",
        ),
        (f"{API}/x.pdf", to(f"{API}/x.pdf"), "gives 302"),
        (f"{API}/x.pdf", httpx.Response(200, html="<title>Lago</title>"), "200 text/html"),
    ],
)
@respx.mock
def test_a_file_that_does_not_come_is_red_by_its_own_name(url, answer, said, context):
    has_file(url)
    known = {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": answer}
    respx.get(url.replace("api.example.test", "192.0.2.7")).mock(**known)
    with pytest.raises(Red) as raised:
        invoices.file(context, {"lago_id": "i"})
    assert raised.value.findings[0].id == "invoice-file-unreadable"
    assert said in raised.value.findings[0].problem and "LAGO_API_URL" in raised.value.findings[0].fix


@pytest.mark.parametrize("served", [None, 7, "A", "//79"])
@respx.mock
def test_a_public_key_that_is_none_is_refused(served, context):
    respx.get("https://192.0.2.7/api/v1/webhooks/json_public_key").respond(
        json={"webhook": {"public_key": served}}
    )
    with pytest.raises(Refused):
        context.lago.public_key()


# --- webhooks ---


@pytest.fixture(scope="module")
def keys():
    """Two key pairs."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return tuple(rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def public(key) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


BODY = json.dumps({"webhook_type": "customer.created", "object_type": "customer", "customer": {"name": "é"}})


def delivery(key, **claims) -> Delivery:
    """A webhook as it was recorded: the body as a text in the token's data, beside who has sent it."""
    import jwt

    whole = json.dumps({"data": BODY, "iss": "http://api.lago.test", **claims}).encode()
    token = jwt.PyJWS().encode(whole, key, algorithm="RS256")
    return Delivery("/jwt", {"X-Lago-Signature": token, "X-Lago-Signature-Algorithm": "jwt"}, BODY)


@pytest.mark.parametrize("claims", [{}, {"iss": None}, {"data": json.dumps(json.loads(BODY), indent=1)}])
def test_a_webhook_in_lagos_form_is_well_signed(claims, keys):
    assert delivery(keys[0], **claims).trouble(public(keys[0])) is None


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"data": json.dumps({"webhook_type": "other"})}, "another document"),
        ({"data": {"webhook_type": "other"}}, "no document"),
        ({"data": "{"}, "no document"),
    ],
)
def test_a_signature_of_something_else_is_told(claims, said, keys):
    assert said in delivery(keys[0], **claims).trouble(public(keys[0]))


def test_another_keys_signature_is_told(keys):
    assert "not signed with the key that the API serves" in delivery(keys[1]).trouble(public(keys[0]))
    hmac = base64.b64encode(bytes(32)).decode()
    assert "not signed" in Delivery("/hmac", {"x-lago-signature": hmac}, BODY).trouble(public(keys[0]))
    assert Delivery("/", {}, "[1]").type == ""
    assert "has no X-Lago-Signature" in Delivery("/", {}, BODY).trouble(public(keys[0]))

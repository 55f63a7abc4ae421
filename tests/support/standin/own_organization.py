"""An organization of its own beside the recorded one, for facts that no recording holds
(docs/lago-facts.md, section 3).
"""

from __future__ import annotations

import secrets
from typing import Any

import httpx

SIGN_UP = "mutation($input: RegisterUserInput!){registerUser(input:$input){token organization{id name} membership{id}}}"


class Own:
    """Asks one Lago as an organization that was signed up for this."""

    def __init__(self, url: str):
        self.name = secrets.token_hex(4)
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        answer = self.sign_up(f"{self.name}@example.test", "Of-no-consequence-1").json()
        made = answer["data"]["registerUser"]
        self.session = {
            "Authorization": f"Bearer {made['token']}",
            "x-lago-organization": made["organization"]["id"],
        }
        self.key: str = self.graphql("{organization{apiKey}}").json()["data"]["organization"]["apiKey"]
        self._client.headers["Authorization"] = f"Bearer {self.key}"

    def sign_up(self, email: str, password: str) -> httpx.Response:
        wanted = {"email": email, "password": password, "organizationName": self.name}
        return self._client.post("/graphql", json={"query": SIGN_UP, "variables": {"input": wanted}})

    def graphql(self, query: str) -> httpx.Response:
        return self._client.post("/graphql", json={"query": query}, headers=self.session)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self._client.request(method, f"/api/v1/{path}", json=body)

    def took(self, method: str, path: str, kind: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """What Lago has kept of one object."""
        answer = self.ask(method, path, {kind: values} if values is not None else None)
        assert answer.status_code == 200, answer.text
        return answer.json()[kind]

    def refused(self, method: str, path: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Why Lago takes something not: the details of a 422."""
        answer = self.ask(method, path, {kind: values})
        assert (answer.status_code, answer.json().get("code")) == (422, "validation_errors"), answer.text
        return answer.json()["error_details"]

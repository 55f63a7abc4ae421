"""Usage that goes on while a deployment is changed, and a job that keeps the worker busy."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from lago_acceptance.clients.answers import NotAnswered
from lago_acceptance.core.waiting import until
from tests.support.deploy.host import DeployableHost, event
from tests.support.patience import PATIENCE

HOLD = "BEGIN; LOCK TABLE webhooks IN EXCLUSIVE MODE; SELECT 'held';\n"


@dataclass
class Stream:
    """What became of the events: transaction ids that Lago took, and those that it did not.

    ``longest_gap`` is the longest time in seconds without an accepted answer, the downtime as a client saw it.
    """

    accepted: list[str] = field(default_factory=list)
    not_answered: list[str] = field(default_factory=list)
    longest_gap: float = 0.0


@contextlib.contextmanager
def flowing(host: DeployableHost, subscription: str, rate: float = 5) -> Iterator[Stream]:
    """Send events of a subscription to the public API, ``rate`` a second, until the block ends.

    One that gets no answer, or another one than 200, is sent again under the same transaction id.
    """
    stream, ended = Stream(), threading.Event()
    sender = threading.Thread(target=_send, args=(host, subscription, 1 / rate, stream, ended), daemon=True)
    sender.start()
    try:
        yield stream
    finally:
        ended.set()
        sender.join(PATIENCE)
        assert not sender.is_alive(), "the stream of events does not end"


def _send(
    host: DeployableHost, subscription: str, pause: float, stream: Stream, ended: threading.Event
) -> None:
    client, last = host.client(5), time.monotonic()
    number = 0
    while not ended.is_set():
        number += 1
        transaction = f"{subscription}-stream-{time.time_ns()}-{number}"
        taken = False
        while not taken and not ended.wait(pause):
            taken = _taken(client, event(subscription, transaction))
        now = time.monotonic()
        stream.longest_gap = max(stream.longest_gap, now - last)
        last = now if taken else last
        (stream.accepted if taken else stream.not_answered).append(transaction)


def _taken(client, values: dict) -> bool:
    """Whether Lago has the event: it may have it although its answer to an earlier attempt was lost."""
    try:
        answer = client.ask("POST", "events", {"event": values})
    except NotAnswered:
        return False
    return answer.status == 200 or (answer.status == 422 and "value_already_exist" in str(answer.body))


def events_counted(host: DeployableHost) -> set[str]:
    """The transaction ids in the database."""
    return set(host.sql("SELECT transaction_id FROM events WHERE deleted_at IS NULL").splitlines())


@contextlib.contextmanager
def busy_worker(host: DeployableHost) -> Iterator[None]:
    """A worker that is in one job until the block ends: it waits to write down a webhook. Dumps and reads go on."""
    client, name = host.client(), f"busy-{time.time_ns()}"
    url = "http://127.0.0.1:9/"
    endpoint = client.create("webhook_endpoints", "webhook_endpoint", {"webhook_url": url})
    command = ["docker", "exec", "-i", host.container("lago-db"), "psql", "-XqAt", "-U", "lago", "-d", "lago"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdin and held.stdout
        held.stdin.write(HOLD)
        held.stdin.flush()
        assert held.stdout.readline().strip() == "held"
        client.create("customers", "customer", {"external_id": name, "name": name, "currency": "USD"})
        try:
            assert until(lambda: waits(host), PATIENCE), "no job waits for the table of webhooks"
            yield
        finally:
            # psql ends with its input, and the lock with it.
            held.stdin.close()
            held.wait(PATIENCE)
            client.delete(f"webhook_endpoints/{endpoint['lago_id']}")


def waits(host: DeployableHost) -> bool:
    """Whether a job waits to write down a webhook."""
    asked = "SELECT count(*) FROM pg_locks WHERE relation = 'webhooks'::regclass AND NOT granted"
    return host.sql(asked) != "0"

"""A healthy live host by ssh on loopback: one smoke run beside plain testinfra and the plan's own shell
commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench._measuring import DEADLINE, line, machine, note_failure, seconds
from bench._replayed import looking
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support import suite_run
from tests.support.live import lago

ROUNDS = 5
AT_MOST, AT_LEAST = 1.3, 4

# Phases 1 to 5 of the plan, as it writes them, each by an ssh of its own.
PLAN = (
    "ls -la {directory}/lago_rsa_private.pem",
    "openssl rsa -in {directory}/lago_rsa_private.pem -check -noout",
    "docker ps -a --filter label=com.docker.compose.project={project}",
    "docker logs --tail 50 {project}-lago-migrate-1",
    "docker logs --tail 50 {project}-lago-api-1",
    "docker logs --tail 50 {project}-lago-worker-1",
    "docker exec {project}-lago-db-1 pg_isready -U lago",
    "docker exec {project}-lago-redis-1 redis-cli ping",
    "docker exec {project}-lago-api-1 curl -fsS http://localhost:3000/health",
    "docker network inspect {network}",
    "docker inspect {project}-lago-api-1",
    "docker inspect {project}-lago-front-1",
    "df -h /",
)

# With testinfra as its documentation shows it, a command for each question: first whether the services run.
TESTINFRA = """
import pytest
NAMES = [f"{project}-lago-{{name}}-1" for name in ("db", "redis", "api", "worker", "clock", "front", "pdf")]
@pytest.mark.parametrize("name", NAMES)
def test_runs(host, name):
    assert host.docker(name).is_running
@pytest.mark.parametrize("name", NAMES)
def test_does_not_restart(host, name):
    assert host.docker(name).inspect()["RestartCount"] == 0
@pytest.mark.parametrize("name", NAMES)
def test_is_healthy(host, name):
    assert host.docker(name).inspect()["State"]["Health"]["Status"] == "healthy"
def test_key(host):
    key = host.file("{directory}/lago_rsa_private.pem")
    assert key.exists and key.mode == 0o600
def test_key_is_consistent(host):
    assert host.run("openssl rsa -in {directory}/lago_rsa_private.pem -check -noout").rc == 0
@pytest.mark.parametrize("command", [
    "docker exec {project}-lago-db-1 pg_isready -U lago", "docker exec {project}-lago-redis-1 redis-cli ping",
    "docker exec {project}-lago-api-1 curl -fsS http://localhost:3000/health", "df -h /",
    "docker logs --tail 50 {project}-lago-api-1", "docker logs --tail 50 {project}-lago-worker-1",
])
def test_command(host, command):
    assert host.run(command).rc == 0
"""


# Then what a smoke run asks beside that, as far as one command answers it.
_ASKED_IN_LAGO = tuple(
    f"docker exec {{project}}-{service}-1 getent ahosts {store}"
    for service in ("lago-api", "lago-worker", "lago-clock")
    for store in ("lago-db", "lago-redis")
)
_ASKED_IN_POSTGRESQL = (
    "SELECT system_identifier FROM pg_control_system()",
    "SHOW default_transaction_read_only",
    "SELECT pg_is_in_recovery()",
    "SELECT count(*) FROM pg_stat_activity",
    "SELECT pid, age(now(), xact_start) FROM pg_stat_activity WHERE xact_start IS NOT NULL",
    "SELECT * FROM pg_locks WHERE NOT granted",
    "SELECT slot_name FROM pg_replication_slots WHERE NOT active",
    "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid",
    "SELECT name, setting FROM pg_settings WHERE source = 'configuration file'",
    "SELECT * FROM pg_db_role_setting",
    "SELECT sequencename, last_value FROM pg_sequences",
    "SELECT count(*), max(version) FROM schema_migrations",
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT conname FROM pg_constraint",
    "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT count(*) FROM invoices WHERE status = 0",
    "SELECT count(*) FROM invoices WHERE payment_status = 2",
    "SELECT count(*) FROM subscriptions WHERE ending_at < now()",
    "SELECT count(*) FROM wallet_transactions WHERE status = 0",
    "SELECT count(*) FROM webhooks WHERE status = 2",
    "SELECT count(*) FROM events WHERE timestamp > now()",
    "SELECT count(*) FROM organizations",
    "SELECT count(*) FROM api_keys",
)
_ASKED_IN_REDIS = (
    *(f"INFO {part}" for part in ("persistence", "memory", "replication", "clients", "server")),
    "CONFIG GET maxmemory-policy",
    "CLIENT LIST",
    "SMEMBERS queues",
    "SMEMBERS processes",
    "ZCARD retry",
    "ZCARD schedule",
    "ZCARD dead",
)
_ASKED_OF_THE_HOST = (
    "df -i /",
    "cat /proc/meminfo",
    "cat /proc/loadavg",
    "docker version",
    "docker network ls",
    "docker volume ls",
    "docker image ls",
)
ASKED = (
    *_ASKED_IN_LAGO,
    *(f'docker exec {{project}}-lago-db-1 psql -U lago -c "{each}"' for each in _ASKED_IN_POSTGRESQL),
    *(f"docker exec {{project}}-lago-redis-1 redis-cli {each}" for each in _ASKED_IN_REDIS),
    *_ASKED_OF_THE_HOST,
)
TESTINFRA_TOO = """
@pytest.mark.parametrize("command", {asked!r})
def test_answer(host, command):
    assert host.run(command).rc == 0
"""


def main(folder: Path) -> None:
    """Print what was measured; the ratios of this one run beside what is promised of them."""
    host = lago.bring_up(folder / "host")
    try:
        measure(host, folder)
    finally:
        lago.take_down(host)


def measure(host: lago.LiveLago, folder: Path) -> None:
    """All numbers of one host that is up."""
    words = {
        "project": host.project,
        "directory": str(host.folder / "deployment"),
        "network": host.stack.network("proxy"),
    }
    machine()

    # As on any machine, the second start finds what the first one compiled.
    compiled = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "BENCH_MODULES": str(folder / "modules"),
    }

    def smoke(*more: str, marks: str = "smoke") -> suite_run.Result:
        result = suite_run.run(folder / "reports", "-m", marks, *host.options, *more, **compiled)
        note_failure("a live run", result.code, result.output)
        return result

    smoke("-p", "bench._loading")
    host.server.forget_commands()
    result = smoke()
    line("remote commands of a smoke run", str(len(host.server.commands())), "at most 3")
    checks = len(result.checks("passed")) + len(result.checks("unknown"))

    def collect(*more: str) -> None:
        suite_run.run(
            folder / "reports", "-m", "smoke", *host.options, "--collect-only", "-q", *more, **compiled
        )

    whole, core, collecting, start_up, probe, first, every, plan = seconds(
        smoke,
        lambda: smoke(marks="smoke and (phase1 or phase2 or phase3)"),
        collect,
        lambda: collect("-p", "bench._loading"),
        lambda: facts(host),
        lambda: testinfra(host, folder, TESTINFRA.format(**words)),
        lambda: testinfra(host, folder, every_question(words)),
        lambda: by_hand(host, words),
        rounds=ROUNDS,
    )
    line(f"live smoke, whole process, {checks} checks", f"{whole:.2f} s")
    line("the same, phases 1 to 3", f"{core:.2f} s")
    line("collecting the same checks", f"{collecting:.2f} s")
    line("start-up: collecting, and loading what a live run loads", f"{start_up:.2f} s")
    line("slowest single probe (the facts, a connection of its own)", f"{probe:.2f} s")
    line("plain testinfra, the first 29 checks, a command each", f"{first:.2f} s")
    line(f"plain testinfra, {29 + len(ASKED)} checks", f"{every:.2f} s")
    line(f"the plan's {len(PLAN)} shell commands by ssh", f"{plan:.2f} s")
    line(
        "smoke beside slowest probe and start-up",
        f"{whole / (probe + start_up):.2f}",
        f"at most {AT_MOST}",
    )
    line("smoke beside slowest probe and collecting alone", f"{whole / (probe + collecting):.2f}")
    line("plain testinfra beside smoke", f"{every / whole:.1f}", f"at least {AT_LEAST}")
    line("its first 29 checks alone beside smoke", f"{first / whole:.1f}")
    line("the plan's shell commands beside smoke", f"{plan / whole:.1f}")


def facts(host: lago.LiveLago) -> None:
    """One look at the host as a run takes it, with a connection of its own."""
    from lago_acceptance.facts.collect import observe

    there = SshHost(parse(host.server.url), host.server.ssh_config)
    try:
        observe(there, **looking(host))
    finally:
        there.close()


def every_question(words: dict[str, str]) -> str:
    """The plain tests of the services, and a test for each further question."""
    asked = [each.format(**words) for each in ASKED]
    return TESTINFRA.format(**words) + TESTINFRA_TOO.format(asked=asked)


def testinfra(host: lago.LiveLago, folder: Path, tests: str) -> None:
    """testinfra's own plugin, its ssh backend, no ControlPath."""
    file = folder / "plain" / "test_plain.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(tests)
    command = suite_run.command(
        "-q",
        "-c",
        "/dev/null",
        "--rootdir",
        str(file.parent),
        "-p",
        "testinfra.plugin",
        f"--hosts={host.server.url}",
        f"--ssh-config={host.server.ssh_config}",
        str(file),
    )
    ended = subprocess.run(
        command,
        cwd=file.parent,
        env=suite_run.environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    note_failure("plain testinfra", ended.returncode, ended.stdout)


def by_hand(host: lago.LiveLago, words: dict[str, str]) -> None:
    """An ssh for each command."""
    ssh = ["ssh", "-F", str(host.server.ssh_config), "-p", str(host.server.port), "127.0.0.1"]
    for command in PLAN:
        subprocess.run([*ssh, command.format(**words)], capture_output=True, timeout=DEADLINE, check=True)

"""promtool reads the metrics without a complaint; contrib's alerts and dashboard are valid, and ask only for what is written."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

from lago_acceptance.reports.metrics import PREFIX, write
from tests.support.nights import HOST, MEASURED, MORNING, night, red_night
from tests.support.paths import ROOT

PROMETHEUS = ROOT / "contrib" / "prometheus"
RULES, TESTS = PROMETHEUS / "lago-acceptance.rules.yml", PROMETHEUS / "lago-acceptance.test.yml"
DASHBOARD = json.loads((ROOT / "contrib" / "grafana" / "lago-acceptance.json").read_text("utf-8"))
QUERIES = [
    target["expr"].replace("$host", ".*") for panel in DASHBOARD["panels"] for target in panel["targets"]
]
ALERTS = [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def promtool(*arguments) -> str:
    ended = subprocess.run(
        ["promtool", *map(str, arguments)],
        cwd=PROMETHEUS,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_metrics_are_as_prometheus_wants_them(tmp_path):
    write(tmp_path / "lago.prom", [red_night(measurements=MEASURED), night(host="root@b")], {HOST: MORNING})
    with (tmp_path / "lago.prom").open() as metrics:
        ended = subprocess.run(
            ["promtool", "check", "metrics"],
            stdin=metrics,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> dict[str, set[str]]:
    """The labels of each metric that is written."""
    path = tmp_path_factory.mktemp("metrics") / "lago.prom"
    write(path, [red_night(measurements=MEASURED)], {HOST: MORNING})
    samples = re.findall(r"^(\w+)\{(.*)\}", path.read_text("utf-8"), re.MULTILINE)
    return {name: set(re.findall(r'(\w+)="', pairs)) for name, pairs in samples}


def test_the_rules_are_valid():
    assert f"{len(ALERTS)} rules found" in promtool(
        "check", "rules", "--lint=all", "--lint-fatal", RULES.name
    )


def test_the_rules_fire_on_their_faults_alone():
    promtool("test", "rules", TESTS.name)


def test_each_rule_has_a_test():
    tests = yaml.safe_load(TESTS.read_text("utf-8"))["tests"]
    fired = {
        alert["alertname"]
        for test in tests
        for alert in test.get("alert_rule_test", [])
        if alert.get("exp_alerts")
    }
    assert fired == {rule["alert"] for rule in ALERTS}


def test_the_queries_of_the_dashboard_are_valid(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(QUERIES)]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", "--lint=none", file)


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in ALERTS)])
def test_what_is_asked_for_is_written(query, labels):
    names = set(re.findall(rf"\b{PREFIX}\w+", query))
    assert names and names <= set(labels)
    asked = set(re.findall(r"(\w+)=~?\"", query))
    assert all(asked <= labels[name] | {"state"} for name in names)


def test_the_state_of_billing_is_one_number_for_each_host(tmp_path):
    """3 does not bill, 2 not known, 1 with faults, 0 bills."""
    states = ("bills", "bills, with faults", "not known", "does not bill")
    series = [
        {
            "series": f'{PREFIX}billing_state{{host="{host}",project="",state="{state}"}}',
            "values": f"{host == state:d}",
        }
        for host in states
        for state in states
    ]
    test = {
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": QUERIES[0],
                "eval_time": "0m",
                "exp_samples": [
                    {"labels": f'{{host="{host}"}}', "value": number} for number, host in enumerate(states)
                ],
            }
        ],
    }
    file = tmp_path / "states.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": [test]}))
    promtool("test", "rules", file)


def test_the_panels_have_ids_of_their_own_and_lie_beside_each_other():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells)) and all(x < 24 for x, _ in cells)

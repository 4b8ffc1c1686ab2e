"""Alerts and board, held against the page of the metrics, which tests/integration/test_metrics.py holds against a server.

promtool judges every expression. It is skipped, and counted so, where Debian's prometheus is not installed.
"""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from alert_cases import CASES, SPLIT
from harness import TOP
from metrics_page import asked_for, documented, family

MONITORING = TOP / "deploy" / "monitoring"
ALERTS = MONITORING / "alerts.yaml"
BOARD = MONITORING / "board.json"

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not here: Debian's package prometheus")


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def alerts():
    """{name: rule}"""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    found = {rule["alert"]: rule for rule in rules}
    assert len(found) == len(rules), "two of one name"
    return found


# --- alerts ---


@needs_promtool
def test_the_alerts_are_rules_that_prometheus_takes():
    status, said = promtool("check", "rules", ALERTS)
    assert status == 0 and f"{len(alerts())} rules found" in said, said


def rule_tests(cases):
    """The form that `promtool test rules` reads: which alerts fire, exactly, for each list of series."""
    tests = []
    for name, minute, series, firing in cases:
        query = {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{minute}m"}
        query["exp_samples"] = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in firing]
        tests.append({"name": name, "interval": "1m", "input_series": series, "promql_expr_test": [query]})
    return {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}


def judge(cases, tmp_path):
    path = tmp_path / "cases.yaml"
    path.write_text(yaml.safe_dump(rule_tests(cases), width=1000))
    return promtool("test", "rules", path)


def test_every_alert_has_its_cases():
    assert CASES.keys() == alerts().keys()


@needs_promtool
@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_alone_on_what_is_bad_and_not_on_what_is_good(alert, tmp_path):
    minute, bad, good = CASES[alert]
    status, said = judge([(f"{alert}, bad", minute, bad, [alert]), (f"{alert}, good", minute, good, [])], tmp_path)
    assert status == 0, said


@needs_promtool
@pytest.mark.parametrize("what", SPLIT)
def test_a_cluster_whose_roles_are_in_jobs_of_their_own_is_judged_as_one(what, tmp_path):
    minute, series, firing = SPLIT[what]
    status, said = judge([(what, minute, series, firing)], tmp_path)
    assert status == 0, said


@needs_promtool
def test_a_case_that_is_wrong_is_noticed(tmp_path):
    minute, bad, good = CASES["CarillonDatabaseAway"]
    for series, firing in ((bad, []), (good, ["CarillonDatabaseAway"])):
        status, said = judge([("wrong", minute, series, firing)], tmp_path)
        assert status != 0 and "FAILED" in said


def test_alerts_ask_for_metrics_and_values_that_are_documented():
    known = documented()
    for name, rule in alerts().items():
        asked = asked_for(rule["expr"], known)
        assert asked <= known.keys() and (asked or name == "CarillonDown"), (name, asked - known.keys())
        for label, value in re.findall(r'(\w+)="(\w+)"', rule["expr"]):
            values = {v for metric in asked for v in known[metric].labels.get(label, [])}
            assert value in values or label == "status", (name, label, value)


def test_an_alert_says_how_grave_it_is_what_it_means_and_only_labels_that_it_has():
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"] and rule["annotations"]["description"][-1] in ".?", name
        grouped = re.search(r"by \(([^)]*)\)", rule["expr"])
        kept = re.split(r", *", grouped.group(1)) if grouped else ["job", "instance", "type", "lane"]
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert used <= set(kept), (name, used)


# --- the board ---


def board():
    return json.loads(BOARD.read_text())


def panels(kinds=None):
    every = [p for row in board()["panels"] for p in (row, *row.get("panels", []))]
    return [p for p in every if p["type"] != "row"] if kinds is None else [p for p in every if p["type"] in kinds]


def expressions():
    return [(p["title"], target["expr"]) for p in panels() for target in p["targets"]]


def test_the_board_is_what_its_program_writes():
    done = subprocess.run([sys.executable, MONITORING / "board.py", "-"], capture_output=True, text=True, check=True)
    assert done.stdout == BOARD.read_text(), "run deploy/monitoring/board.py"


def test_the_board_has_every_documented_metric_and_no_other():
    known = documented()
    drawn = set().union(*(asked_for(expr, known) for _, expr in expressions()))
    assert drawn == known.keys(), drawn ^ known.keys()
    rows = [p["title"] for p in panels(["row"])]
    assert rows == list(dict.fromkeys(m.section for m in known.values())), "rows are those of the page"


@needs_promtool
def test_every_expression_of_the_board_is_one_that_prometheus_takes(tmp_path):
    rules = []
    for i, (_, expr) in enumerate(expressions()):
        plain = expr.replace("$__rate_interval", "5m").replace("$__range", "1h")
        rules.append({"record": f"board:{i}", "expr": re.sub(r"\$\w+", "x", plain)})
    path = tmp_path / "board.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    status, said = promtool("check", "rules", path)
    assert status == 0 and f"{len(rules)} rules found" in said, said


def test_counters_are_drawn_as_rates_and_gauges_as_they_are():
    known = documented()
    for title, expr in expressions():
        for function, name in re.findall(r"(?:(rate|increase)\()?((?:carillon|process)_\w+)", expr):
            of = known[family(name, known)]
            assert bool(function) == (of.type != "gauge"), (title, name)


def test_panels_do_not_overlap_and_have_what_grafana_needs():
    made = board()
    assert made["uid"] == "carillon" and len(made["uid"]) <= 40 and made["schemaVersion"] >= 36
    assert {v["name"] for v in made["templating"]["list"]} == {"datasource", "job", "instance"}
    taken, ids = {}, set()
    for panel in panels() + panels(["row"]):
        assert panel["id"] not in ids, panel["title"]
        ids.add(panel["id"])
        at = panel["gridPos"]
        assert 0 <= at["x"] and at["x"] + at["w"] <= 24 and at["w"] > 0 and at["h"] > 0
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
    for panel in panels():
        assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert 'job=~"$job"' in target["expr"] and target["refId"]


def through_the_schema(data):
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    return json.loads(json.dumps(Dashboard.from_json(data), cls=JSONEncoder))


def lost(before, after, path="board"):
    """Where a member did not come through: one that the schema does not know, or takes for something else."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key not in after:
                yield f"{path}.{key}"
            else:
                yield from lost(value, after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (b, a) in enumerate(zip(before, after)):
            yield from lost(b, a, f"{path}[{i}]")
    elif before != after:
        yield path


def test_grafanas_schema_knows_every_member_of_the_board(grafana):
    assert list(lost(board(), through_the_schema(board()))) == []


def test_a_member_that_grafana_does_not_know_is_noticed(grafana):
    made = board()
    made["templating"]["lst"] = []
    made["panels"][1]["fieldConfig"]["defaults"]["untis"] = "s"
    unknown = {"board.panels[1].fieldConfig.defaults.untis", "board.templating.lst"}
    assert set(lost(made, through_the_schema(made))) == unknown

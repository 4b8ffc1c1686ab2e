"""What a server tells at /metrics, held against docs/metrics.md: neither knows a metric that the other does not.

tests/deploy/test_monitoring.py holds the alerts and the board against the same page.
"""

import re
import shutil
import subprocess

import pytest

from harness import definition, wait_until
from metrics_page import documented, family
from postgres_peer import Postgres

SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Scrape:
    """One answer of /metrics."""

    def __init__(self, instance):
        answer = instance.api.get("/metrics")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        self.text = answer.body.decode()
        self.types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", self.text, re.M))
        self.helps = dict(re.findall(r"^# HELP (\w+) (.+)$", self.text, re.M))
        self.samples = []  # (name, labels)
        for line in self.text.splitlines():
            if line and not line.startswith("#"):
                match = SAMPLE.match(line)
                assert match, line
                float(match["value"])
                self.samples.append((match["name"], dict(LABEL.findall(match["labels"] or ""))))

    def series(self):
        return {(name, *sorted(labels.items())) for name, labels in self.samples}


def use_everything(instance, url):
    """So that what is only told once it occurred has occurred."""
    instance.api.wait_finished(instance.api.register(definition(url))["id"])
    assert instance.api.get("/nowhere").status == 404


def judge(scrape):
    """Every family of it is documented as what it is."""
    known = documented()
    assert scrape.types.keys() == scrape.helps.keys() == {family(name, known) for name, _ in scrape.samples}
    assert scrape.types.keys() <= known.keys(), scrape.types.keys() - known.keys()
    for name, kind in scrape.types.items():
        assert known[name].type == kind, name
    for name, labels in scrape.samples:
        one = known[family(name, known)]
        assert labels.keys() - {"le"} == one.labels.keys(), name
        for label, value in labels.items():
            assert not one.labels.get(label) or value in one.labels[label], (name, label, value)
    return scrape.types.keys()


def test_an_instance_tells_what_the_page_says_and_nothing_else(carillon, receiver):
    use_everything(carillon, receiver.url)
    told = judge(Scrape(carillon))
    # The rest is of instances that hear each other, which is the next test.
    assert documented().keys() - told == {name for name in documented() if name.startswith("carillon_wakeup_")}


@pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")
def test_an_instance_of_a_cluster_tells_all_of_it(make_carillon, receiver, postgres):
    one = make_carillon(CARILLON_DATABASE_URL=postgres.url)
    use_everything(one, receiver.url)
    assert judge(Scrape(one)) == documented().keys()


def test_a_unit_is_in_the_name_where_it_is_one_of_prometheus():
    for name, one in documented().items():
        assert (one.type == "counter") == name.endswith("_total"), name
        base = name.removesuffix("_total")
        for unit in ("seconds", "bytes"):
            assert base.endswith("_" + unit) == one.unit.startswith(unit), name
        assert one.says, name


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not here: Debian's package prometheus")
def test_prometheus_takes_what_is_told_and_has_no_objection(carillon, receiver):
    use_everything(carillon, receiver.url)
    text = Scrape(carillon).text
    judged = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", ""), judged
    # It does look.
    wrong = subprocess.run(["promtool", "check", "metrics"], input=text + "a b c\n", capture_output=True, text=True, check=False)
    assert wrong.returncode != 0


def test_the_number_of_series_does_not_grow_with_what_users_make_up(carillon, receiver):
    use_everything(carillon, receiver.url)
    schedule_id = carillon.api.register(definition(receiver.url, "delay", "1000", "first"))["id"]
    assert carillon.api.schedule(schedule_id) and carillon.api.get("/nowhere").status == 404
    before = Scrape(carillon)
    for i in range(30):
        made = definition(f"{receiver.url}/path{i}", "now", "", f"key{i}", name=f"name {i}")
        made["client"].update(application=f"application{i}", group=f"group{i}")
        carillon.api.schedule(carillon.api.register(made)["id"])
        assert carillon.api.get(f"/nowhere{i}").status == 404
    receiver.wait_for(31)
    wait_until(lambda: carillon.metrics()['carillon_attempts_total{type="rest",result="ok"}'] == 31, "all are counted")
    after = Scrape(carillon)
    # GET /metrics counts itself, from the second time on.
    assert {s for s in after.series() - before.series() if ("route", "/metrics") not in s} == set()
    paths = carillon.api.get("/openapi.json").json()["paths"].keys()
    assert {labels["route"] for _, labels in after.samples if "route" in labels} <= paths | {"unmatched"}

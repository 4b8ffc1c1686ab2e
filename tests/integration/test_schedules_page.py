"""docs/schedules.md: every example is taken, fires with what it says, and at the times it shows."""

import json
import re

import pytest

from harness import TOP

PAGE = (TOP / "docs" / "schedules.md").read_text()
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S)]


def shown_times():
    """Definition, from when, and the times that the page shows below it."""
    for text, start, times in re.findall(r"```json\n([^`]*)```\n\n```times\n(\S+): (.*?)\n```", PAGE, re.S):
        yield json.loads(text), start, times.split(", ")


def test_there_is_one_for_each_type():
    assert {d["type"] for d in EXAMPLES} == {"now", "delay", "date", "delay-recur", "cron"}
    assert {d["task"]["type"] for d in EXAMPLES} == {"rest", "kafka", "redis"}
    assert len(list(shown_times())) == 4


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda d: d["name"])
def test_an_example_is_taken_as_it_stands_and_sends_what_it_says(example, carillon, receiver):
    # As it stands, but silent: nobody is to be called where the page says.
    taken = carillon.api.post("/schedules", {**example, "paused": True})
    assert taken.status == 201, taken
    stored = carillon.api.schedule(taken.json()["id"])
    assert {k: stored[k] for k in ("name", "type")} == {k: example[k] for k in ("name", "type")}
    if example["task"]["type"] != "rest":
        return  # delivered by test_kafka.py and test_redis.py
    path = "/" + example["task"]["connection"]["host"].split("/", 3)[3]
    here = json.loads(json.dumps(example))
    here["task"]["connection"]["host"] = receiver.url + path
    made = carillon.api.register(here)
    if example["type"] != "now":
        assert carillon.api.post(f"/schedules/{made['id']}/trigger").status == 202
    (request,) = receiver.wait_for(1, path)
    assert (json.loads(request.body) if request.body else None) == example["task"].get("data")
    assert request.headers["Idempotency-Key"].startswith(made["id"] + "/")


@pytest.mark.parametrize("example, start, times", shown_times(), ids=lambda v: v["name"] if isinstance(v, dict) else "")
def test_it_fires_at_the_times_that_are_shown(example, start, times, carillon):
    asked = {k: v for k, v in example.items() if k not in ("name", "task", "misfire", "overlap")}
    answer = carillon.api.post("/preview", asked, query={"from": start, "n": 10 if "end_at" in example else len(times)})
    assert answer.status == 200, answer
    assert [t["local"] for t in answer.json()["times"]] == times

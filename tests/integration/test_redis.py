"""Redis tasks over the built binary and a real Redis, read back over a plain socket."""

import json
import re

import pytest

from harness import definition, wait_until
from redis_peer import Redis, entries

pytestmark = pytest.mark.skipif(not Redis.available(), reason="there is no redis-server")


@pytest.fixture
def redis():
    one = Redis()
    yield one
    one.stop()


def task(host, topic, mode=None, **members):
    connection = {"host": host, "topic": topic, **({"mode": mode} if mode else {}), **members.pop("connection", {})}
    return {"type": "redis", "connection": connection, **members}


def register(carillon, key, **members):
    return carillon.api.register(definition("", "now", key=key, task=task(**members)))


def test_publish_reaches_a_subscriber(carillon, redis):
    redis.subscribe("channel")
    made = register(carillon, "1", host=redis.host, topic="channel")
    assert json.loads(redis.next_message()) == {"key": "1"}
    (run,) = wait_until(lambda: [r for r in carillon.api.runs(made["id"]) if r["state"] == "succeeded"], "success")
    assert run["attempt"] == 1


def test_a_stream_entry_carries_identity_and_data(carillon, redis):
    made = register(carillon, "1", host=f"redis://{redis.host}/0", topic="events", mode="stream", connection={"maxlen": 1000})
    carillon.api.wait_finished(made["id"])
    (entry,) = entries(redis, "events")
    (run,) = carillon.api.runs(made["id"])
    assert json.loads(entry["data"]) == {"key": "1"}
    assert entry["Carillon-Schedule-Id"] == made["id"]
    assert entry["Carillon-Run-Id"] == run["id"]
    assert entry["Carillon-Attempt"] == "1"
    assert entry["Idempotency-Key"] == f"{made['id']}/{entry['Carillon-Scheduled-At']}"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", entry["traceparent"])


def test_a_list_gets_the_whole_event_where_asked_for(carillon, redis):
    made = register(carillon, "1", host=redis.host, topic="jobs", mode="list", body="event")
    carillon.api.wait_finished(made["id"])
    event = json.loads(redis("LPOP", "jobs"))
    assert (event["id"], event["attempt"], event["client"]["key"]) == (made["id"], 1, "1")
    assert event["task"]["data"] == {"key": "1"}


def test_user_password_and_database(carillon):
    redis = Redis(password="s3cret")
    try:
        made = register(carillon, "1", host=f"redis://:s3cret@{redis.host}/2", topic="jobs", mode="list")
        carillon.api.wait_finished(made["id"])
        redis("SELECT", 2)
        assert redis("LLEN", "jobs") == 1
        shown = json.dumps(carillon.api.schedule(made["id"]))
        assert "s3cret" not in shown and f"redis://***@{redis.host}/2" in shown
        wrong = register(carillon, "2", host=f"redis://:wr0ng@{redis.host}", topic="jobs", mode="list")
        carillon.api.wait_finished(wrong["id"])
        (run,) = carillon.api.runs(wrong["id"])
        assert run["state"] == "failed"
        assert "refused the user or the password" in run["error"]
        assert "wr0ng" not in run["error"] and "wr0ng" not in carillon.log_text()
    finally:
        redis.stop()


@pytest.mark.parametrize(
    "connection,pointer",
    [
        ({"host": "rediss://h:6379", "topic": "t"}, "/task/connection/host"),
        ({"host": "h:port", "topic": "t"}, "/task/connection/host"),
        ({"host": "h"}, "/task/connection/topic"),
        ({"host": "h", "topic": "t", "mode": "queue"}, "/task/connection/mode"),
        ({"host": "h", "topic": "t", "maxlen": 10}, "/task/connection/maxlen"),
    ],
)
def test_what_cannot_be_right_is_refused_at_registration(carillon, connection, pointer):
    answer = carillon.api.post("/schedules", definition("", "now", task={"type": "redis", "connection": connection}))
    assert answer.status == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert carillon.api.get("/schedules").json() == []


def test_a_server_killed_and_restarted_under_load_loses_nothing(carillon, redis):
    count = 300
    policy = {"failed_policy": "retry", "retry_wait": 0.3, "timeout": 3}
    made = [
        definition("", "delay", str(round(0.2 + i / 150, 3)), key=str(i),
                   task={**task(redis.host, "work", "stream"), "data": {"n": i}, **policy})
        for i in range(count)
    ]
    answers = carillon.api.post("/schedules/batch", made).json()
    assert all(a["status"] == 201 for a in answers)
    wait_until(lambda: redis("XLEN", "work") > count // 10, "the first entries")
    redis.kill()
    wait_until(lambda: carillon.metrics().get('carillon_attempts_total{type="redis",result="failed"}', 0) > 0, "a failure")
    redis.start()
    finished = lambda: len(carillon.api.get("/schedules?state=finished&limit=1000").json()) == count
    wait_until(finished, "the end of all", 60)
    found = entries(redis, "work")
    assert {json.loads(e["data"])["n"] for e in found} == set(range(count))
    attempts = {}
    for e in found:
        attempts.setdefault(e["Idempotency-Key"], []).append(int(e["Carillon-Attempt"]))
    assert len(attempts) == count
    # A second entry is there only where the first one's answer was lost, and is a later attempt of the same run.
    assert all(tries == sorted(set(tries)) for tries in attempts.values())
    states = [carillon.api.runs(a["id"])[0] for a in answers if a["id"]]
    assert {r["state"] for r in states} == {"succeeded"}
    failures = sum(r["failures"] for r in states)
    assert failures == carillon.metrics()['carillon_attempts_total{type="redis",result="failed"}'] > 0
    assert all(r["attempt"] == r["failures"] + 1 for r in states)

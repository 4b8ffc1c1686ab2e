"""Kafka tasks over the built binary: librdkafka's mock cluster always, a real broker where it can be had. Read
back with kcat."""

import json
import re
import shutil

import pytest

from harness import definition, wait_until
from kafka_peer import MockKafka, RealKafka, broker_jars

pytestmark = pytest.mark.skipif(not shutil.which("kcat"), reason="there is no kcat")


@pytest.fixture(scope="module")
def real():
    jars, why = broker_jars()
    if not jars:
        pytest.skip(f"no real Kafka: {why}")
    one = RealKafka(jars)
    yield one
    one.stop()


@pytest.fixture
def mock():
    one = MockKafka()
    yield one
    one.stop()


@pytest.fixture(params=["mock", "real"])
def kafka(request):
    return request.getfixturevalue(request.param)


def task(brokers, topic, config=None, **members):
    connection = {"host": brokers, "topic": topic, **({"config": config} if config else {}), **members.pop("connection", {})}
    return {"type": "kafka", "connection": connection, **members}


def register(carillon, key, **members):
    return carillon.api.register(definition("", "now", key=key, task=task(**members)))


def only_run(carillon, made):
    carillon.api.wait_finished(made["id"], 60)
    (run,) = carillon.api.runs(made["id"])
    return run


def test_a_record_carries_key_data_and_identity(carillon, kafka):
    kafka.make_topic("one")
    made = register(carillon, "12345678", brokers=kafka.brokers, topic="one", connection={"headers": {"X-Mine": "yes"}})
    run = only_run(carillon, made)
    assert (run["state"], run["attempt"], run.get("error")) == ("succeeded", 1, None)
    (record,) = kafka.records("one")
    assert record["key"] == "12345678"
    assert json.loads(record["payload"]) == {"key": "12345678"}
    headers = record["headers"]
    assert headers["X-Mine"] == "yes"
    assert headers["Carillon-Schedule-Id"] == made["id"]
    assert headers["Carillon-Run-Id"] == run["id"]
    assert headers["Carillon-Attempt"] == "1"
    assert headers["Idempotency-Key"] == f"{made['id']}/{headers['Carillon-Scheduled-At']}"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", headers["traceparent"])


def test_the_whole_event_where_asked_for(carillon, mock):
    mock.make_topic("event")
    made = register(carillon, "1", brokers=mock.brokers, topic="event", body="event")
    only_run(carillon, made)
    (record,) = mock.records("event")
    event = json.loads(record["payload"])
    assert (event["id"], event["attempt"], event["task"]["data"]) == (made["id"], 1, {"key": "1"})


def test_a_topic_that_is_not_there_is_told_and_not_made(carillon, real):
    run = only_run(carillon, register(carillon, "1", brokers=real.brokers, topic="nowhere"))
    assert (run["state"], run["error"]) == ("failed", "there is no topic nowhere")
    # Found when it has been made since, without a restart.
    real.make_topic("nowhere")
    again = register(carillon, "2", brokers=real.brokers, topic="nowhere", failed_policy="retry", retry_wait=0.5)
    assert only_run(carillon, again)["state"] == "succeeded"
    assert [r["key"] for r in real.records("nowhere")] == ["2"]


def test_a_record_too_large_for_the_broker_is_told(carillon, real):
    real.make_topic("small")
    run = only_run(carillon, register(carillon, "1", brokers=real.brokers, topic="small", data="x" * 300000))
    assert (run["state"], run["error"]) == ("failed", "the record is larger than topic small takes")
    assert only_run(carillon, register(carillon, "2", brokers=real.brokers, topic="small", data="y"))["state"] == "succeeded"


def test_a_broker_that_is_not_there_is_told(carillon):
    run = only_run(carillon, register(carillon, "1", brokers="127.0.0.1:1", topic="t", timeout=1))
    assert run["state"] == "failed"
    assert "timeout after 1 s: " in run["error"] and "127.0.0.1:1" in run["error"]


def test_sasl_lets_in_who_knows_the_password(carillon, real):
    real.make_topic("login")
    config = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "anna"}
    good = register(carillon, "1", brokers=real.sasl_brokers, topic="login", config={**config, "sasl.password": "s3cret"})
    assert only_run(carillon, good)["state"] == "succeeded"
    bad = register(carillon, "2", brokers=real.sasl_brokers, topic="login", timeout=2,
                   config={**config, "sasl.password": "wr0ng"})
    run = only_run(carillon, bad)
    assert run["state"] == "failed"
    assert "uthentication" in run["error"]
    for schedule, password in ((good, "s3cret"), (bad, "wr0ng")):
        assert password not in json.dumps(carillon.api.schedule(schedule["id"]))
        assert password not in run["error"] and password not in carillon.log_text()
    assert [r["key"] for r in real.records("login")] == ["1"]


@pytest.mark.parametrize(
    "connection,pointer",
    [
        ({"host": "k:port", "topic": "t"}, "/task/connection/host"),
        ({"host": "k"}, "/task/connection/topic"),
        ({"host": "k", "topic": "a/b"}, "/task/connection/topic"),
        ({"host": "k", "topic": "t", "config": {"plugin.library.paths": "x"}}, "/task/connection/config/plugin.library.paths"),
        ({"host": "k", "topic": "t", "config": {"sasl.mechanism": "GSSAPI"}}, "/task/connection/config/sasl.mechanism"),
        ({"host": "k", "topic": "t", "mode": "stream"}, "/task/connection/mode"),
    ],
)
def test_what_cannot_be_right_is_refused_at_registration(carillon, connection, pointer):
    answer = carillon.api.post("/schedules", definition("", "now", task={"type": "kafka", "connection": connection}))
    assert answer.status == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert carillon.api.get("/schedules").json() == []


def test_a_broker_killed_and_restarted_under_load_loses_nothing(carillon, kafka):
    count = 300
    kafka.make_topic("work")
    policy = {"failed_policy": "retry", "retry_wait": 0.3, "timeout": 1}
    made = [
        definition("", "delay", str(round(0.2 + i / 150, 3)), key=str(i),
                   task={**task(kafka.brokers, "work"), "data": {"n": i}, **policy})
        for i in range(count)
    ]
    answers = carillon.api.post("/schedules/batch", made).json()
    assert all(a["status"] == 201 for a in answers)
    ok = 'carillon_attempts_total{type="kafka",result="ok"}'
    failed = 'carillon_attempts_total{type="kafka",result="failed"}'
    wait_until(lambda: carillon.metrics().get(ok, 0) > count // 10, "the first records")
    kafka.kill()
    wait_until(lambda: carillon.metrics().get(failed, 0) > 0, "a failure")
    kafka.start()
    finished = lambda: len(carillon.api.get("/schedules?state=finished&limit=1000").json()) == count
    wait_until(finished, "the end of all", 90)
    found = kafka.records("work")
    assert {json.loads(r["payload"])["n"] for r in found} == set(range(count))
    # A second record is there only where the first one's answer was lost: a later attempt of the same run.
    attempts = [(r["headers"]["Idempotency-Key"], r["headers"]["Carillon-Attempt"]) for r in found]
    assert len(set(attempts)) == len(attempts)
    assert len({key for key, _ in attempts}) == count
    states = [carillon.api.runs(a["id"])[0] for a in answers]
    assert {r["state"] for r in states} == {"succeeded"}
    assert sum(r["failures"] for r in states) == carillon.metrics()[failed] > 0
    assert all(r["attempt"] == r["failures"] + 1 for r in states)

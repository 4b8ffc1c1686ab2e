"""Several instances over one PostgreSQL: what one registers any may fire, once; whatever goes away, nothing is lost.

The receiver counts each occurrence by its Idempotency-Key.
"""

import re
import shutil
import signal
import time

import pytest

from harness import definition, wait_until
from postgres_peer import Postgres
from receiver import Answer

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

LEASE_S = 3


def instances(make_carillon, postgres, count, **settings):
    common = {
        "CARILLON_DATABASE_URL": postgres.url,
        "CARILLON_SCHEDULER_LEASE": f"{LEASE_S}s",
        "CARILLON_SCHEDULER_FETCH_INTERVAL": "5s",
        **settings,
    }
    return [make_carillon(**common) for _ in range(count)]


def register_all(api, definitions):
    answer = api.post("/schedules/batch", definitions)
    assert answer.status == 200, answer
    assert all(r["status"] in (200, 201) for r in answer.json()), answer
    return [r["id"] for r in answer.json()]


def keys_of(requests):
    found = {}
    for request in requests:
        found.setdefault(request.key, []).append(request)
    return found


def started(instance):
    """Attempts that this instance began, by its own count."""
    text = instance.api.get("/metrics").body.decode()
    return sum(float(n) for n in re.findall(r"^carillon_attempts_total\{.*\} ([0-9.e+]+)$", text, re.M))


def test_what_one_instance_registers_is_fired_once(make_carillon, postgres, receiver):
    first, second = instances(make_carillon, postgres, 2)
    for i in range(30):
        (first if i % 2 else second).api.register(definition(receiver.url + "/x", "now", "", f"k{i}"))
    receiver.wait_for(30)
    ids = [s["id"] for s in first.api.get("/schedules").json()]
    assert ids == [s["id"] for s in second.api.get("/schedules").json()]
    for schedule_id in ids:
        second.api.wait_finished(schedule_id)
    assert len(receiver.requests()) == 30
    assert len(keys_of(receiver.requests())) == 30


def test_instances_share_what_is_due_at_once(make_carillon, postgres, receiver):
    both = instances(make_carillon, postgres, 2, CARILLON_SCHEDULER_FETCH_COUNT="50")
    register_all(both[0].api, [definition(receiver.url + "/x", "delay", "1.5", f"k{i}") for i in range(1000)])
    receiver.wait_for(1000, timeout=40)
    wait_until(lambda: sum(started(i) for i in both) >= 1000, "all are counted")
    assert len(keys_of(receiver.requests())) == 1000
    assert len(receiver.requests()) == 1000
    assert all(started(i) > 100 for i in both), [started(i) for i in both]


def test_a_schedule_deleted_on_one_instance_fires_on_none(make_carillon, postgres, receiver):
    first, second = instances(make_carillon, postgres, 2)
    ids = register_all(
        first.api, [definition(receiver.url + "/x", "cron", "* * * * * *", f"k{i}") for i in range(20)]
    )
    receiver.wait_for(40)
    for schedule_id in ids:
        assert second.api.delete(f"/schedules/{schedule_id}").status == 200
    deleted = time.time()
    # Within a second the other has heard of it; what was in flight may still come.
    wait_until(lambda: time.time() > deleted + 2.5, "2.5 s")
    late = [r for r in receiver.requests() if r.at > deleted + 1]
    assert not late


def test_what_a_killed_instance_held_is_taken_over(make_carillon, postgres, receiver):
    first, second = instances(make_carillon, postgres, 2)
    receiver.rule("/slow", Answer(200, stall=0.05))
    register_all(first.api, [definition(receiver.url + "/slow", "delay", "1", f"k{i}") for i in range(300)])
    receiver.wait_for(60)
    first.kill9()
    keys = wait_until(lambda: len(k := keys_of(receiver.requests())) == 300 and k, "300 occurrences", 40)
    doubles = [k for k, r in keys.items() if len(r) > 1]
    for key in doubles:
        attempts = [int(r.headers["Carillon-Attempt"]) for r in keys[key]]
        assert attempts == sorted(set(attempts)), key
    wait_until(lambda: not second.api.get("/runs", query={"state": "running"}).json(), "nothing is open")


def test_an_instance_that_was_stopped_for_longer_than_its_lease_does_no_harm(make_carillon, postgres, receiver):
    first, second = instances(make_carillon, postgres, 2)
    receiver.rule("/slow", Answer(200, stall=0.05))
    register_all(first.api, [definition(receiver.url + "/slow", "delay", "1", f"k{i}") for i in range(200)])
    receiver.wait_for(40)
    first.process.send_signal(signal.SIGSTOP)
    keys = wait_until(lambda: len(k := keys_of(receiver.requests())) == 200 and k, "200 occurrences", 40)
    wait_until(lambda: not second.api.get("/runs", query={"state": "running"}).json(), "nothing is open", 40)
    first.process.send_signal(signal.SIGCONT)
    # It is itself again, and what it says of what it once held changes nothing.
    first.api.register(definition(receiver.url + "/x", "now", "", "after"))
    receiver.wait_for(1, path="/x")
    wait_until(lambda: not first.api.get("/runs", query={"state": "running"}).json(), "nothing is open")
    states = postgres.ask("SELECT state, count(*) FROM carillon.run_log GROUP BY state")
    assert states == [["3", "201"]]
    for key, requests in keys.items():
        attempts = [int(r.headers["Carillon-Attempt"]) for r in requests]
        assert attempts == sorted(set(attempts)), key


@pytest.mark.parametrize("what", ["cut", "fast", "immediate"])
def test_nothing_is_lost_when_the_database_goes_away(make_carillon, postgres, receiver, what):
    both = instances(make_carillon, postgres, 2)
    ids = []
    for i in range(10):
        ids += register_all(
            both[i % 2].api,
            [definition(receiver.url + "/x", "delay", f"{0.2 + k / 20}", f"{i}-{k}") for k in range(40)],
        )
        if i in (3, 6):
            if what == "cut":
                # Who is still away from the last time has none to cut.
                assert postgres.cut_connections() >= 1
            else:
                postgres.restart(what)
    keys = wait_until(lambda: len(k := keys_of(receiver.requests())) == 400 and k, "400 occurrences", 60)
    assert {key.split("/")[0] for key in keys} == set(ids)
    for schedule_id in ids[::20]:
        both[0].api.wait_finished(schedule_id)
    assert all(i.api.get("/readyz").status == 200 for i in both)


@pytest.mark.skipif(not shutil.which("pgbouncer", path="/usr/sbin"), reason="pgbouncer is not installed")
def test_a_pooler_in_transaction_mode_may_be_in_between(make_carillon, postgres, receiver):
    if not postgres.pooler:
        postgres.start_pooler()
    first, second = instances(
        make_carillon,
        postgres,
        2,
        CARILLON_DATABASE_URL=postgres.pooled_url,
        CARILLON_DATABASE_PREPARED="false",
        CARILLON_WAKEUP_URL=postgres.url,
    )
    for i in range(30):
        (first if i % 2 else second).api.register(definition(receiver.url + "/x", "now", "", f"k{i}"))
    receiver.wait_for(30)
    for s in first.api.get("/schedules").json():
        second.api.wait_finished(s["id"])
    assert len(receiver.requests()) == 30


def test_another_schema_is_another_cluster(make_carillon, postgres, receiver):
    postgres.ask("DROP SCHEMA IF EXISTS other CASCADE")
    one = instances(make_carillon, postgres, 1)[0]
    other = instances(make_carillon, postgres, 1, CARILLON_DATABASE_SCHEMA="other")[0]
    one.api.register(definition(receiver.url + "/x", "delay", "1000", "k"))
    assert len(one.api.get("/schedules").json()) == 1
    assert other.api.get("/schedules").json() == []

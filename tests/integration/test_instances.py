"""Who shares a PostgreSQL: heartbeats, the monitor, its succession, and instances that have part of the roles."""

import json
import time

import pytest

from harness import definition, run_cli, wait_until
from postgres_peer import Postgres

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

# A busy monitor's word is good for 9 s, a watcher's for 12, and the next beat comes within 3; the rest is for
# a machine that many share.
SUCCESSION_S = 40


def make(make_carillon, postgres, name, roles="api,worker,monitor", **settings):
    return make_carillon(
        CARILLON_DATABASE_URL=postgres.url,
        CARILLON_SERVER_INSTANCE=name,
        CARILLON_ROLES=roles,
        CARILLON_SCHEDULER_LEASE="3s",
        **settings,
    )


def living(instance):
    answer = instance.api.get("/instances")
    assert answer.status == 200, answer
    return {i["name"]: i for i in answer.json()}


def monitors(instance):
    return [name for name, i in living(instance).items() if i["monitor"]]


def cron(receiver, key):
    return definition(receiver.url + "/x", "cron", "* * * * * *", key)


def test_each_instance_shows_all_of_them(make_carillon, postgres):
    a = make(make_carillon, postgres, "a")
    b = make(make_carillon, postgres, "b", "worker,api")
    for one in (a, b):
        found = wait_until(lambda o=one: len(f := living(o)) == 2 and f, "both are shown")
        assert list(found) == ["a", "b"]
        assert found["a"]["roles"] == ["api", "worker", "monitor"]
        assert found["b"]["roles"] == ["api", "worker"]
        assert found["a"]["id"] != found["b"]["id"]
        assert found["a"]["version"] == one.api.get("/version").json()["version"]
        assert found["a"]["started_at"] <= found["a"]["heartbeat_at"]
        assert 0 <= found["a"]["heartbeat_age_ms"] < 60000
        assert found["a"]["held"] == 0
        assert [f["monitor"] for f in found.values()] == [True, False]
    wait_until(lambda: a.metrics()["carillon_monitor"] == 1, "a says so too")
    assert "carillon_monitor" not in b.metrics(), "it cannot be one"
    wait_until(lambda: b.metrics().get("carillon_monitors") == 1, "b knows that there is one", 60)
    wait_until(lambda: b.metrics()["carillon_instances"] == 2, "b knows of both")


def test_an_embedded_database_has_one_instance_which_is_the_monitor(make_carillon):
    one = make_carillon(CARILLON_SERVER_INSTANCE="only")
    found = wait_until(lambda: monitors(one) and living(one), "it is the monitor")
    assert list(found) == ["only"]
    assert found["only"]["roles"] == ["api", "worker", "monitor"]
    assert one.metrics()["carillon_instances"] == 1


def test_an_instance_that_stops_is_gone_at_once_and_another_is_the_monitor(make_carillon, postgres, receiver):
    a = make(make_carillon, postgres, "a")
    b = make(make_carillon, postgres, "b")
    # So that both beat every few seconds: an idle one would look for the monitor twice a minute.
    for i in range(20):
        a.api.register(cron(receiver, f"k{i}"))
    wait_until(lambda: monitors(b) == ["a"], "a is the monitor")
    assert a.stop() == 0, a.log_text()
    assert list(living(b)) == ["b"]
    stopped = time.monotonic()
    wait_until(lambda: monitors(b) == ["b"], "b is the monitor", SUCCESSION_S)
    print(f"b was the monitor {time.monotonic() - stopped:.1f} s after a had stopped")


def test_a_monitor_killed_under_load_is_followed_within_seconds(make_carillon, postgres, receiver):
    a = make(make_carillon, postgres, "a")
    b = make(make_carillon, postgres, "b")
    for i in range(20):
        a.api.register(cron(receiver, f"k{i}"))
    wait_until(lambda: monitors(b) == ["a"], "a is the monitor")
    receiver.wait_for(60, timeout=60)
    a.kill9()
    killed = time.monotonic()
    wait_until(lambda: monitors(b) == ["b"], "b is the monitor", SUCCESSION_S)
    print(f"b was the monitor {time.monotonic() - killed:.1f} s after a had been killed")
    wait_until(lambda: list(living(b)) == ["b"], "a is missed", SUCCESSION_S)


def test_only_the_monitor_cleans_up(make_carillon, postgres, receiver):
    settings = {"CARILLON_RETENTION_EVERY": "1s", "CARILLON_RETENTION_FINISHED": "0s"}
    worker = make(make_carillon, postgres, "worker", "api,worker", **settings)
    worker.api.register(definition(receiver.url + "/x", "now", "", "k"))
    receiver.wait_for(1)
    wait_until(lambda: worker.api.get("/schedules", query={"state": "finished"}).json(), "it is finished")
    time.sleep(3)  # the span in which it would be removed, had anybody the right
    assert len(worker.api.get("/schedules").json()) == 1
    make(make_carillon, postgres, "keeper", "monitor", **settings)
    wait_until(lambda: not worker.api.get("/schedules").json(), "it is removed", 60)


def test_an_instance_that_is_no_worker_fires_nothing(make_carillon, postgres, receiver):
    front = make(make_carillon, postgres, "front", "api,monitor")
    schedule_id = front.api.register(definition(receiver.url + "/x", "now", "", "k"))["id"]
    front.api.register(cron(receiver, "each second"))
    time.sleep(3)  # the span in which it would fire
    assert not receiver.requests()
    # A 0 would read as a worker that does nothing.
    told = front.metrics()
    assert not [name for name in told if name.startswith(("carillon_attempts", "carillon_engine_claims", "carillon_lateness"))]
    assert (told["carillon_monitor"], told["carillon_workers"], told["carillon_monitors"]) == (1, 0, 1)
    worker = make(make_carillon, postgres, "worker", "worker")
    receiver.wait_for(3)
    front.api.wait_finished(schedule_id)
    assert worker.metrics()["carillon_attempts_total{type=\"rest\",result=\"ok\"}"] >= 3
    wait_until(lambda: worker.metrics().get("carillon_workers") == 1, "it knows of itself")
    told = worker.metrics()
    assert "carillon_monitor" not in told and told["carillon_monitors"] == 1


def test_an_instance_that_is_no_api_answers_for_itself_alone(make_carillon, postgres):
    worker = make(make_carillon, postgres, "worker", "worker,monitor")
    for path in ("/healthz", "/readyz", "/metrics", "/version", "/instances"):
        assert worker.api.get(path).status == 200, path
    for method, path in (
        ("GET", "/schedules"),
        ("POST", "/schedules"),
        ("DELETE", "/schedules?application=x"),
        ("GET", "/runs"),
        ("POST", "/preview"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
    ):
        answer = worker.api.call(method, path, {} if method == "POST" else None)
        assert answer.status == 403, (method, path, answer)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "role" in answer.json()["detail"]
    assert worker.api.get("/nothing").status == 404


def test_who_is_no_monitor_is_never_elected(make_carillon, postgres, receiver):
    one = make(make_carillon, postgres, "one", "api,worker")
    one.api.register(cron(receiver, "k"))
    receiver.wait_for(5)
    assert monitors(one) == []
    make(make_carillon, postgres, "late", "monitor")
    wait_until(lambda: monitors(one) == ["late"], "the only candidate is elected")


def test_the_command_line_shows_them(make_carillon, postgres):
    a = make(make_carillon, postgres, "a")
    b = make(make_carillon, postgres, "b", "worker")
    wait_until(lambda: len(living(a)) == 2, "both are shown")
    for one in (a, b):
        done = run_cli("instances", url=one.url)
        assert done.returncode == 0, done.stderr
        head, *rows = done.stdout.splitlines()
        assert head.split()[:4] == ["NAME", "ROLES", "MONITOR", "HELD"]
        assert [row.split()[0] for row in rows] == ["a", "b"]
        assert "api,worker,monitor" in rows[0]
        assert rows[0].split()[2] == "yes"
        assert rows[1].split()[2] == "no"
    done = run_cli("instances", "--json", url=a.url)
    assert [i["name"] for i in json.loads(done.stdout)] == ["a", "b"]

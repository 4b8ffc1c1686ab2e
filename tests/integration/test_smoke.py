"""The main job: what is registered over REST fires at a real receiver, on time, with body, headers and identity."""

import datetime
import os
import pathlib
import re
import signal
import threading
import time

import pytest

from harness import definition, wait_until
from receiver import answer, hold

# How late a fire may be here: a sanitizer's build on a busy machine. How late it really is, the bench says.
LATE = 3.0


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


# --- the five types ---


def test_now_fires_once_at_once(carillon, receiver):
    before = time.time()
    made = carillon.api.register(definition(receiver.url + "/now", "now"))
    (request,) = receiver.wait_for(1, "/now")
    assert before <= request.at <= before + LATE
    carillon.api.wait_finished(made["id"])
    assert len(receiver.requests("/now")) == 1


def test_delay_fires_once_after_it(carillon, receiver):
    before = time.time()
    made = carillon.api.register(definition(receiver.url + "/delay", "delay", "0.7"))
    after = time.time()
    (request,) = receiver.wait_for(1, "/delay")
    assert before + 0.7 <= request.at <= after + 0.7 + LATE
    carillon.api.wait_finished(made["id"])
    assert len(receiver.requests("/delay")) == 1


def test_date_fires_once_at_it(carillon, receiver):
    due = round(time.time() + 1.0, 3)
    made = carillon.api.register(definition(receiver.url + "/date", "date", iso(due)))
    (request,) = receiver.wait_for(1, "/date")
    assert due <= request.at <= due + LATE
    assert instant(request.headers["Carillon-Scheduled-At"]) == pytest.approx(due, abs=1e-6)
    carillon.api.wait_finished(made["id"])
    assert len(receiver.requests("/date")) == 1


def test_a_date_without_offset_is_local_in_the_zone(carillon, receiver):
    made = carillon.api.register(definition(receiver.url, "date", "2090-01-01T09:00:00"))
    assert made["next_at"] == "2090-01-01T00:00:00Z"


def test_a_date_in_the_past_fires_at_once(carillon, receiver):
    carillon.api.register(definition(receiver.url + "/past", "date", "2001-02-03T04:05:06Z"))
    (request,) = receiver.wait_for(1, "/past")
    assert request.headers["Carillon-Scheduled-At"] == "2001-02-03T04:05:06Z"


def test_delay_recur_fires_again_that_long_after_the_end_of_each(carillon, receiver):
    ended = []
    go = threading.Event()

    def act(request):
        ended.append(request.at)
        return answer(200)

    receiver.rule("/recur", act)
    before = time.time()
    carillon.api.register(definition(receiver.url + "/recur", "delay-recur", "0.4"))
    requests = receiver.wait_for(4, "/recur")
    assert requests[0].at >= before + 0.4
    for earlier, later in zip(requests, requests[1:]):
        assert later.at - earlier.at >= 0.4
    assert len({r.key for r in requests}) == len(requests)
    assert not go.is_set()


def test_delay_recur_waits_for_the_end_of_a_slow_run(carillon, receiver):
    go = threading.Event()
    receiver.script("/slow", hold(go))
    carillon.api.register(definition(receiver.url + "/slow", "delay-recur", "0.2"))
    receiver.wait_for(1, "/slow")
    with pytest.raises(AssertionError):
        receiver.wait_for(2, "/slow", timeout=1.0)
    opened = time.time()
    go.set()
    second = receiver.wait_for(2, "/slow")[1]
    assert second.at >= opened + 0.2


def test_cron_with_seconds_fires_at_every_match(carillon, receiver):
    made = carillon.api.register(definition(receiver.url + "/cron", "cron", "* * * * * *"))
    requests = receiver.wait_for(3, "/cron")
    due = [instant(r.headers["Carillon-Scheduled-At"]) for r in requests]
    assert all(d == int(d) for d in due)
    assert [b - a for a, b in zip(due, due[1:])] == [1, 1]
    for request, nominal in zip(requests, due):
        assert nominal <= request.at <= nominal + LATE
    assert carillon.api.schedule(made["id"])["state"] == "active"


def test_cron_with_five_fields_is_by_the_minute(carillon, receiver):
    made = carillon.api.register(definition(receiver.url, "cron", "30 4 1 1 *", timezone="Europe/Berlin"))
    assert re.fullmatch(r"\d{4}-01-01T03:30:00Z", made["next_at"])


# --- what arrives ---


def test_body_headers_and_identity_arrive(carillon, receiver):
    wanted = definition(
        receiver.url + "/run/DELAY-TEST-9",
        "now",
        task={
            "connection": {
                "host": receiver.url + "/run/DELAY-TEST-9",
                "headers": {"Content-Type": "application/json", "accept": "*/*", "Authorization": "Bearer s3cret"},
            },
            "data": {"instanceName": "delay-test-999", "variables": {"ü": [1, 2.5, None, True]}},
            "history_check": False,
            "failed_policy": "retry",
            "retry_wait": 60,
        },
    )
    made = carillon.api.register(wanted)
    (r,) = receiver.wait_for(1, "/run/DELAY-TEST-9")
    assert r.method == "POST"
    assert r.json() == {"instanceName": "delay-test-999", "variables": {"ü": [1, 2.5, None, True]}}
    assert r.headers["Content-Type"] == "application/json"
    assert r.headers["Accept"] == "*/*"
    assert r.headers["Authorization"] == "Bearer s3cret"
    assert r.headers["User-Agent"].startswith("carillon/")
    assert r.headers["Carillon-Schedule-Id"] == made["id"]
    assert r.headers["Carillon-Attempt"] == "1"
    assert r.key == f"{made['id']}/{r.headers['Carillon-Scheduled-At']}"
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", r.headers["traceparent"])
    run = wait_until(lambda: [x for x in carillon.api.runs(made["id"]) if x["state"] == "succeeded"], "success")[0]
    assert run["id"] == r.headers["Carillon-Run-Id"]
    assert (run["attempt"], run["status"]) == (1, 200)
    shown = carillon.api.schedule(made["id"])
    assert shown["task"]["connection"]["headers"]["Authorization"] == "***"


def test_the_event_body_has_the_whole_schedule(carillon, receiver):
    made = carillon.api.register(definition(receiver.url + "/event", "now", task={"body": "event"}))
    (r,) = receiver.wait_for(1, "/event")
    event = r.json()
    assert event["id"] == made["id"]
    assert event["client"]["key"] == "1"
    assert event["task"]["data"] == {"key": "1"}
    assert event["attempt"] == 1
    assert event["scheduled_at"] == r.headers["Carillon-Scheduled-At"]


def test_a_failed_attempt_is_tried_again_with_the_same_identity(carillon, receiver):
    receiver.script("/retry", answer(500), answer(503))
    made = carillon.api.register(
        definition(receiver.url + "/retry", "now", task={"failed_policy": "retry", "retry_wait": 0.2})
    )
    requests = receiver.wait_for(3, "/retry")
    assert len({r.key for r in requests}) == 1
    assert [r.headers["Carillon-Attempt"] for r in requests] == ["1", "2", "3"]
    carillon.api.wait_finished(made["id"])
    (run,) = carillon.api.runs(made["id"])
    assert (run["state"], run["attempt"], run["failures"]) == ("succeeded", 3, 2)


# --- identity ---


def test_the_same_client_replaces_in_place(carillon, receiver):
    first = carillon.api.post("/schedules", definition(receiver.url + "/old", "delay", "1.5", key="same"))
    second = carillon.api.post("/schedules", definition(receiver.url + "/new", "delay", "0.1", key="same"))
    assert (first.status, second.status) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    receiver.wait_for(1, "/new")
    # The old one would have been due by now: nothing but time can show that it is not coming.
    with pytest.raises(AssertionError):
        receiver.wait_for(1, "/old", timeout=2.0)
    (only,) = carillon.api.get("/schedules").json()
    assert only["task"]["connection"]["host"].endswith("/new")


def test_members_with_commas_never_collide(carillon, receiver):
    def with_client(path, **client):
        base = {"operation": "", "application": "", "group": "", "key": "", "type": ""}
        return {**definition(receiver.url + path, "now"), "client": {**base, **client}}

    one = carillon.api.register(with_client("/a", operation="a,b", application="c"))
    two = carillon.api.register(with_client("/b", operation="a", application="b,c"))
    three = carillon.api.register(with_client("/c", operation="a,b,c"))
    assert len({one["id"], two["id"], three["id"]}) == 3
    for path in ("/a", "/b", "/c"):
        receiver.wait_for(1, path)


def test_a_deleted_schedule_does_not_fire(carillon, receiver):
    made = carillon.api.register(definition(receiver.url + "/gone", "delay", "1.0"))
    assert carillon.api.delete(f"/schedules/{made['id']}").status == 200
    with pytest.raises(AssertionError):
        receiver.wait_for(1, "/gone", timeout=2.0)


# --- coming and going ---


def test_what_was_registered_is_there_after_a_restart(carillon, receiver):
    made = carillon.api.register(definition(receiver.url + "/later", "delay", "1.0"))
    carillon.restart()
    assert carillon.api.schedule(made["id"])["id"] == made["id"]
    receiver.wait_for(1, "/later")
    carillon.api.wait_finished(made["id"])
    assert len(receiver.requests("/later")) == 1


def test_what_was_due_meanwhile_fires_after_the_start(carillon, receiver):
    made = carillon.api.register(definition(receiver.url + "/missed", "delay", "0.5"))
    carillon.kill9()
    with pytest.raises(AssertionError):
        receiver.wait_for(1, "/missed", timeout=1.0)
    carillon.start()
    (request,) = receiver.wait_for(1, "/missed")
    assert request.headers["Carillon-Schedule-Id"] == made["id"]


def test_sigterm_lets_what_is_in_flight_end(carillon, receiver):
    go = threading.Event()
    receiver.rule("/inflight", hold(go))
    made = carillon.api.register(definition(receiver.url + "/inflight", "now"))
    receiver.wait_for(1, "/inflight")
    carillon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: carillon.log_events("stopping"), "the word that it stops")
    go.set()
    assert carillon.wait() == 0
    carillon.start()
    (run,) = carillon.api.runs(made["id"])
    assert run["state"] == "succeeded"
    assert len(receiver.requests("/inflight")) == 1


def test_what_the_grace_does_not_suffice_for_is_handed_back(make_carillon, receiver):
    one = make_carillon(CARILLON_SHUTDOWN_GRACE="0.3s")
    go = threading.Event()
    receiver.script("/long", hold(go))
    made = one.api.register(definition(receiver.url + "/long", "now", task={"timeout": 60}))
    receiver.wait_for(1, "/long")
    assert one.stop() == 0
    one.start()
    first, second = receiver.wait_for(2, "/long")
    assert first.key == second.key
    assert second.headers["Carillon-Attempt"] == "2"
    go.set()
    one.api.wait_finished(made["id"])


def test_a_second_sigterm_ends_it_at_once(carillon, receiver):
    go = threading.Event()
    receiver.rule("/stuck", hold(go))
    carillon.api.register(definition(receiver.url + "/stuck", "now", task={"timeout": 60}))
    receiver.wait_for(1, "/stuck")
    carillon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: carillon.log_events("stopping"), "the word that it stops")

    def ended():
        carillon.process.send_signal(signal.SIGTERM)
        return carillon.process.poll() is not None

    wait_until(ended, "the end")
    go.set()
    assert carillon.wait() == -signal.SIGTERM


def make_zones(folder, release, **zones):
    """A small time zone database: names to the zone each is a copy of."""
    system = pathlib.Path(os.environ.get("CARILLON_ZONEINFO", "/usr/share/zoneinfo"))
    folder.mkdir(exist_ok=True)
    (folder / "+VERSION").write_text(release + "\n")
    for name, copied in {"Asia/Seoul": "Asia/Seoul", **zones}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((system / copied).read_bytes())


def test_a_new_time_zone_database_moves_what_is_to_come(make_carillon, receiver, tmp_path):
    zones = tmp_path / "zones"
    make_zones(zones, "2090a", **{"Test/Zone": "Asia/Tokyo"})
    one = make_carillon(CARILLON_ZONEINFO=str(zones))

    def register(key, kind, schedule, zone="Test/Zone"):
        return one.api.register(definition(receiver.url, kind, schedule, key=key, timezone=zone))["id"]

    cron = register("cron", "cron", "0 12 1 1 *")
    date = register("date", "date", "2090-01-01T12:00:00")
    fixed = register("fixed", "date", "2090-01-01T12:00:00Z")
    other = register("other", "cron", "0 12 1 1 *", "Asia/Seoul")
    delay = register("delay", "delay", "1000000")
    before = {i: one.api.schedule(i) for i in (cron, date, fixed, other, delay)}
    assert before[cron]["next_at"].endswith("-01-01T03:00:00Z")
    one.restart()
    assert {i: one.api.schedule(i) for i in before} == before
    assert not one.log_events("the time zone database changed")

    assert one.stop() == 0
    make_zones(zones, "2090b", **{"Test/Zone": "UTC"})
    one.start()
    after = {i: one.api.schedule(i) for i in before}
    assert after[cron]["next_at"] == before[cron]["next_at"].replace("T03:", "T12:")
    assert (before[date]["next_at"], after[date]["next_at"]) == ("2090-01-01T03:00:00Z", "2090-01-01T12:00:00Z")
    for same in (fixed, other, delay):
        assert after[same] == before[same]
    (told,) = one.log_events("the time zone database changed")
    assert (told["from"], told["to"], told["moved"]) == ("2090a", "2090b", 2)
    one.restart()
    assert len(one.log_events("the time zone database changed")) == 1


# --- the rest of what it shows ---


def test_it_is_alive_and_ready_and_says_what_it_is(carillon):
    assert carillon.api.get("/healthz").status == 200
    assert carillon.api.get("/readyz").status == 200
    assert re.fullmatch(r"\d+\.\d+\.\d+", carillon.api.get("/version").json()["version"])
    page = carillon.api.get("/docs")
    assert page.status == 200
    assert not re.search(rb"(src|href)=\"https?://", page.body)


def test_metrics_count_what_happened(carillon, receiver):
    made = carillon.api.register(definition(receiver.url + "/m", "now"))
    receiver.wait_for(1, "/m")
    carillon.api.wait_finished(made["id"])

    def counted():
        m = carillon.metrics()
        return m if m.get('carillon_attempts_total{type="rest",result="ok"}') == 1 else None

    found = wait_until(counted, "the attempt in the metrics")
    assert found["carillon_lateness_seconds_count"] == 1
    assert found['carillon_lane_connected{lane="writer"}'] == 1
    assert found['carillon_lane_operations_total{lane="writer"}'] >= 3

"""Runs by hand: redriven, discarded, backfilled; everything removed. What one instance is asked any may do."""

import datetime
import time

from harness import definition, wait_until
from receiver import answer, hold
from rest_ground import _servers, make_service, service  # noqa: F401 (fixtures)

import threading

DLQ = {"failed_policy": "retry_dlq", "max_retry_count": 0, "retry_wait": 0.1}


def runs_in(api, schedule_id, state):
    return [r for r in api.runs(schedule_id) if r["state"] == state]


def dead_run(service, receiver, path="/x", key="1", **members):
    """Of a one-shot whose target fails."""
    receiver.rule(path, answer(500))
    made = service.a.register(definition(receiver.url + path, key=key, task=dict(DLQ), **members))
    (run,) = wait_until(lambda: runs_in(service.b, made["id"], "dead"), "a dead run")
    return made["id"], run


def refused(answer_, status, words):
    assert answer_.status == status, answer_
    assert answer_.headers["Content-Type"] == "application/problem+json"
    assert words in answer_.json()["detail"], answer_


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


# --- redrive ---


def test_a_redriven_run_starts_at_once_with_its_own_key_and_the_next_attempt(service, receiver):
    schedule, run = dead_run(service, receiver)
    receiver.rule("/x", answer(200))
    answer_ = service.b.post(f"/runs/{run['id']}/redrive")
    assert answer_.status == 202, answer_
    pending = answer_.json()
    assert (pending["state"], pending["failures"], pending["attempt"]) == ("pending", 0, 1)
    assert pending["by_hand_at"] is not None and run["by_hand_at"] is None
    wait_until(lambda: service.a.get(f"/runs/{run['id']}").json()["state"] == "succeeded", "the run succeeds")
    first, second = receiver.requests("/x")
    assert first.key == second.key
    assert (first.headers["Carillon-Attempt"], second.headers["Carillon-Attempt"]) == ("1", "2")
    assert service.a.get("/runs", query={"state": "dead"}).json() == []


def test_retry_for_is_counted_anew_and_the_run_may_die_again(service, receiver):
    receiver.rule("/x", answer(500))
    task = {"failed_policy": "retry_dlq", "retry_wait": 0.2, "retry_for": 0.5}
    made = service.a.register(definition(receiver.url + "/x", task=task))
    (run,) = wait_until(lambda: runs_in(service.a, made["id"], "dead"), "a dead run")
    before = len(receiver.requests("/x"))
    assert before >= 2
    time.sleep(0.6)  # longer than retry_for since the occurrence
    assert service.a.post(f"/runs/{run['id']}/redrive").status == 202
    wait_until(lambda: len(receiver.requests("/x")) >= before + 2 and runs_in(service.a, made["id"], "dead"), "dead again")


def test_only_dead_runs_are_redriven_and_others_are_told_why(service, receiver):
    made = service.a.register(definition(receiver.url + "/ok", key="ok"))
    service.a.wait_finished(made["id"])
    (run,) = service.a.runs(made["id"])
    refused(service.a.post(f"/runs/{run['id']}/redrive"), 409, "this one is succeeded")
    refused(service.a.post("/runs/00000000-0000-7000-8000-000000000000/redrive"), 404, "no run")
    assert service.a.post(f"/runs/{run['id']}/redrive", {"a": 1}).status == 422


def test_a_redriven_run_goes_by_the_definition_in_force_even_of_a_paused_schedule(service, receiver):
    receiver.rule("/x", answer(500))
    made = service.a.register(
        definition(receiver.url + "/x", "delay-recur", "0.1", task=dict(DLQ), max_runs=1)
    )
    (run,) = wait_until(lambda: runs_in(service.a, made["id"], "dead"), "a dead run")
    replaced = service.a.register(definition(receiver.url + "/mended", "cron", "0 0 1 1 *", paused=True))
    assert replaced["id"] == made["id"]
    assert service.b.post(f"/runs/{run['id']}/redrive").status == 202
    receiver.wait_for(1, "/mended")
    wait_until(lambda: service.a.get(f"/runs/{run['id']}").json()["state"] == "succeeded", "the run succeeds")
    assert service.a.schedule(made["id"])["state"] == "paused"
    assert service.a.get(f"/runs/{run['id']}").json()["schedule_version"] == replaced["version"]


def test_a_dead_run_of_a_deleted_schedule_can_be_discarded_only(service, receiver):
    schedule, run = dead_run(service, receiver)
    assert service.a.delete(f"/schedules/{schedule}").status == 200
    refused(service.b.post(f"/runs/{run['id']}/redrive"), 409, "was deleted")
    assert service.b.delete(f"/runs/{run['id']}").json()["state"] == "cancelled"


def test_many_are_redriven_by_their_ids_each_judged_alone(service, receiver):
    one, first = dead_run(service, receiver, "/x", "1")
    two, second = dead_run(service, receiver, "/x", "2")
    unknown = "00000000-0000-7000-8000-000000000000"
    receiver.rule("/x", answer(200))
    answer_ = service.a.post("/runs/redrive", {"ids": [first["id"], unknown, second["id"], first["id"]]})
    assert answer_.status == 202, answer_
    said = answer_.json()
    assert (said["redriven"], said["refused"], said["more"]) == (2, 1, False)
    assert [e["id"] for e in said["errors"]] == [unknown]
    for schedule in (one, two):
        wait_until(lambda s=schedule: runs_in(service.b, s, "succeeded"), "it succeeds")


def test_all_dead_runs_of_a_schedule_or_of_all_are_redriven_up_to_a_limit(service, receiver):
    receiver.rule("/x", answer(500))
    ids = [service.a.register(definition(receiver.url + "/x", key=f"k{i}", task=dict(DLQ)))["id"] for i in range(5)]
    wait_until(lambda: len(service.a.get("/runs", query={"state": "dead"}).json()) == 5, "five dead runs")
    receiver.rule("/x", answer(200))
    said = service.a.post("/runs/redrive", {"schedule_id": ids[0]}).json()
    assert (said["redriven"], said["more"]) == (1, False)
    said = service.b.post("/runs/redrive", {"state": "dead", "limit": 3}).json()
    assert (said["redriven"], said["more"]) == (3, True)
    said = service.a.post("/runs/redrive", {"state": "dead"}).json()
    assert (said["redriven"], said["refused"], said["more"]) == (1, 0, False)
    for schedule in ids:
        wait_until(lambda s=schedule: runs_in(service.b, s, "succeeded"), "it succeeds")
    for body in ({}, {"limit": 5}, {"state": "failed"}, {"ids": []}, {"ids": ["x"]}, {"ids": [ids[0]], "limit": 1}, [], {"a": 1}):
        assert service.a.post("/runs/redrive", body).status == 422, body


# --- discard ---


def test_a_dead_run_is_discarded_once(service, receiver):
    schedule, run = dead_run(service, receiver)
    answer_ = service.b.delete(f"/runs/{run['id']}")
    assert answer_.status == 200, answer_
    assert answer_.json()["state"] == "cancelled"
    refused(service.a.delete(f"/runs/{run['id']}"), 409, "it is cancelled")
    assert service.a.get("/runs", query={"state": "dead"}).json() == []


def test_a_run_that_waits_for_its_retry_is_cancelled_and_not_tried_again(service, receiver):
    receiver.rule("/x", answer(500))
    task = {"failed_policy": "retry", "retry_wait": 3}
    made = service.a.register(definition(receiver.url + "/x", task=task))
    (run,) = wait_until(lambda: runs_in(service.a, made["id"], "retrying"), "a retrying run")
    assert service.b.delete(f"/runs/{run['id']}").json()["state"] == "cancelled"
    service.a.wait_finished(made["id"])
    assert len(receiver.requests("/x")) == 1


def test_a_run_under_way_is_not_discarded(service, receiver):
    let = threading.Event()
    receiver.rule("/x", hold(let))
    made = service.a.register(definition(receiver.url + "/x"))
    receiver.wait_for(1, "/x")
    (run,) = wait_until(lambda: runs_in(service.b, made["id"], "running"), "a running run")
    refused(service.b.delete(f"/runs/{run['id']}"), 409, "under way")
    let.set()
    service.a.wait_finished(made["id"])
    assert runs_in(service.a, made["id"], "succeeded")
    assert service.a.delete("/runs/00000000-0000-7000-8000-000000000000").status == 404


# --- backfill ---


def test_a_backfill_makes_the_runs_of_a_range_once(service, receiver):
    let = threading.Event()
    receiver.rule("/x", hold(let))
    made = service.a.register(
        definition(receiver.url + "/x", "cron", "0 * * * *", overlap="allow", max_lateness=1)
    )
    path = f"/schedules/{made['id']}/backfill"
    body = {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00"}
    dry = service.a.post(path, {**body, "dry_run": True})
    assert (dry.status, dry.json()) == (200, {"created": 24, "skipped": 0, "dry_run": True})
    assert service.a.runs(made["id"]) == []
    answer_ = service.a.post(path, body)
    assert (answer_.status, answer_.json()) == (202, {"created": 24, "skipped": 0, "dry_run": False})
    assert service.b.post(path, body).json() == {"created": 0, "skipped": 24, "dry_run": False}
    more = {"from": "2026-01-01T12:00:00", "to": "2026-01-02T02:00:00"}
    assert service.b.post(path, more).json() == {"created": 2, "skipped": 12, "dry_run": False}
    # All at once, oldest first; the past is no lateness to what was asked for by hand.
    requests = receiver.wait_for(26, "/x")
    expected = {iso(1767193200 + 3600 * h) for h in range(26)}  # 2026-01-01T00:00:00+09:00
    assert {r.headers["Carillon-Scheduled-At"] for r in requests} == expected
    let.set()
    wait_until(lambda: len(runs_in(service.a, made["id"], "succeeded")) == 26, "all succeed")
    assert service.a.post(path, body).json() == {"created": 0, "skipped": 24, "dry_run": False}
    assert service.a.schedule(made["id"])["runs"] == 0  # those of the plan


def test_without_allow_the_runs_of_a_backfill_start_one_behind_the_other_oldest_first(service, receiver):
    most = 0
    now = 0
    lock = threading.Lock()

    def act(_):
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1

    receiver.rule("/x", act)
    made = service.a.register(definition(receiver.url + "/x", "cron", "0 0 * * *", timezone="UTC"))
    body = {"from": "2026-01-01T00:00:00", "to": "2026-01-11T00:00:00"}
    assert service.a.post(f"/schedules/{made['id']}/backfill", body).json()["created"] == 10
    requests = receiver.wait_for(10, "/x")
    times = [r.headers["Carillon-Scheduled-At"] for r in requests]
    assert times == [f"2026-01-{d:02}T00:00:00Z" for d in range(1, 11)]
    assert most == 1


def test_occurrences_that_lie_ahead_are_left_to_the_plan(service, receiver):
    made = service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 * *", timezone="UTC"))
    body = {"from": iso(time.time()), "to": "2027-12-31T00:00:00"}
    said = service.a.post(f"/schedules/{made['id']}/backfill", body).json()
    assert said["created"] == 0 and said["skipped"] > 10
    assert service.a.runs(made["id"]) == []


def test_a_backfill_of_ten_thousand_is_made_in_parts_and_one_more_is_refused(service, receiver):
    made = service.a.register(
        definition(receiver.url + "/x", "cron", "* * * * * *", timezone="UTC", paused=True)
    )
    path = f"/schedules/{made['id']}/backfill"
    refused_ = service.a.post(path, {"from": "2026-01-01T00:00:00", "to": "2026-01-01T02:46:41"})
    assert refused_.status == 422
    assert "10000" in refused_.json()["errors"][0]["detail"] and refused_.json()["errors"][0]["pointer"] == "/to"
    said = service.a.post(path, {"from": "2026-01-01T00:00:00", "to": "2026-01-01T02:46:40"}).json()
    assert said == {"created": 10000, "skipped": 0, "dry_run": False}
    assert service.b.delete(f"/schedules/{made['id']}").status == 200


def test_what_cannot_be_backfilled_says_why(service, receiver):
    recur = service.a.register(definition(receiver.url + "/x", "delay-recur", "5000"))
    body = {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00"}
    refused(service.a.post(f"/schedules/{recur['id']}/backfill", body), 409, "only a cron schedule")
    cron = service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *", key="2"))
    path = f"/schedules/{cron['id']}/backfill"
    for wrong, pointer in (
        ({}, "/from"),
        ({"from": "2026-01-01T00:00:00"}, "/to"),
        ({"from": "x", "to": "2026-01-02T00:00:00"}, "/from"),
        ({"from": "2026-01-02T00:00:00", "to": "2026-01-02T00:00:00"}, "/to"),
        ({**body, "dry": True}, "/dry"),
        ({**body, "dry_run": 1}, "/dry_run"),
    ):
        answer_ = service.a.post(path, wrong)
        assert answer_.status == 422, answer_
        assert answer_.json()["errors"][0]["pointer"] == pointer, answer_
    assert service.a.post(path, body, headers={"If-Match": '"7"'}).status == 412
    assert service.a.post(path, body, headers={"If-Match": '"1"'}).status == 202
    assert service.a.post("/schedules/00000000-0000-7000-8000-000000000000/backfill", body).status == 404


def test_a_trigger_is_not_late_however_late_it_starts(service, receiver):
    let = threading.Event()
    receiver.rule("/x", hold(let))
    made = service.a.register(
        definition(receiver.url + "/x", "cron", "0 0 1 1 *", max_lateness=0, overlap="allow")
    )
    assert service.a.post(f"/schedules/{made['id']}/trigger").status == 202
    receiver.wait_for(1, "/x")
    let.set()
    wait_until(lambda: runs_in(service.b, made["id"], "succeeded"), "it succeeds")


# --- reset ---


def test_reset_is_off_unless_the_configuration_allows_it(service, receiver):
    service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *"))
    refused(service.a.post("/admin/reset"), 403, "admin.reset")
    assert len(service.a.get("/schedules").json()) == 1


def test_reset_removes_everything_and_the_other_instance_hears_of_it(make_service, receiver):
    service = make_service(CARILLON_ADMIN_RESET="true")
    receiver.rule("/dead", answer(500))
    made = service.a.register(definition(receiver.url + "/dead", key="dead", task=dict(DLQ)))
    wait_until(lambda: runs_in(service.a, made["id"], "dead"), "a dead run")
    batch = [definition(receiver.url + "/x", "cron", "* * * * * *", f"k{i}", overlap="allow") for i in range(1200)]
    for part in (batch[:600], batch[600:]):
        assert service.a.post("/schedules/batch", part).status == 200
    receiver.wait_for(1, "/x")
    said = service.b.post("/admin/reset")
    assert said.status == 200, said
    assert said.json()["schedules"] == 1201 and said.json()["runs"] >= 1
    assert service.a.get("/schedules").json() == []
    assert service.a.get("/runs", query={"state": "dead"}).json() == []
    # Within a second nothing fires any more, on any instance.
    time.sleep(1.5)
    before = len(receiver.requests("/x"))
    time.sleep(1.5)
    assert len(receiver.requests("/x")) == before

"""What becomes of a run whose target fails: ignore, retry, retry_dlq and their limits, over a real receiver."""

import time

import pytest

from harness import definition, wait_until
from receiver import Answer, answer, stall

EARLY = 0.005  # clocks are read on two threads


def states(carillon, schedule_id):
    return [r["state"] for r in carillon.api.runs(schedule_id)]


def ended(carillon, schedule_id, state):
    return wait_until(lambda: states(carillon, schedule_id) == [state], f"one run {state}")


def task(policy, **more):
    return {"failed_policy": policy, "retry_wait": 0.2, **more}


def gaps(requests):
    return [b.at - a.at for a, b in zip(requests, requests[1:])]


def test_by_default_a_failure_is_not_retried(carillon, receiver):
    receiver.rule("/x", answer(500))
    made = carillon.api.register(definition(receiver.url + "/x"))
    ended(carillon, made["id"], "failed")
    (run,) = carillon.api.runs(made["id"])
    assert run["status"] == 500
    assert len(receiver.requests("/x")) == 1


def test_retry_tries_again_until_it_succeeds(carillon, receiver):
    receiver.script("/x", answer(500), answer(404), answer(302))
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry")))
    ended(carillon, made["id"], "succeeded")
    requests = receiver.requests("/x")
    assert [r.headers["Carillon-Attempt"] for r in requests] == ["1", "2", "3", "4"]
    assert len({r.key for r in requests}) == 1
    assert all(gap >= 0.2 - EARLY for gap in gaps(requests))


def test_retry_ends_as_failed_at_the_limit_of_retries(carillon, receiver):
    receiver.rule("/x", answer(503))
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry", max_retry_count=2)))
    ended(carillon, made["id"], "failed")
    assert len(receiver.requests("/x")) == 3


def test_retry_dlq_keeps_the_dead_run_and_lists_it(carillon, receiver):
    receiver.rule("/x", answer(500))
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry_dlq", max_retry_count=1)))
    ended(carillon, made["id"], "dead")
    listed = carillon.api.get("/runs", query={"state": "dead"}).json()
    assert [r["schedule_id"] for r in listed] == [made["id"]]
    assert carillon.api.get(f"/runs/{listed[0]['id']}").json()["state"] == "dead"
    carillon.restart()
    assert states(carillon, made["id"]) == ["dead"]


def test_each_wait_is_the_last_times_the_backoff_up_to_its_maximum(carillon, receiver):
    receiver.rule("/x", answer(500))
    made = carillon.api.register(
        definition(receiver.url + "/x", task=task("retry", retry_backoff=2, retry_wait_max=0.5, max_retry_count=4))
    )
    ended(carillon, made["id"], "failed")
    for gap, least in zip(gaps(receiver.requests("/x")), (0.2, 0.4, 0.5, 0.5), strict=True):
        assert gap >= least - EARLY


def test_no_retry_starts_after_retry_for(carillon, receiver):
    receiver.rule("/x", answer(500))
    before = time.time()
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry", retry_for=0.7)))
    ended(carillon, made["id"], "failed")
    requests = receiver.requests("/x")
    assert 2 <= len(requests) <= 4
    assert requests[-1].at <= before + 0.7 + 1.0


def test_an_attempt_may_take_its_timeout_and_no_longer(carillon, receiver):
    receiver.rule("/x", stall(30))
    before = time.time()
    made = carillon.api.register(definition(receiver.url + "/x", task={"timeout": 0.5}))
    ended(carillon, made["id"], "failed")
    assert time.time() - before >= 0.5
    (run,) = carillon.api.runs(made["id"])
    assert "0.5 s" in run["error"] or "time" in run["error"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(carillon, receiver, status):
    receiver.script("/x", answer(status, {"Retry-After": "1"}))
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry")))
    ended(carillon, made["id"], "succeeded")
    (gap,) = gaps(receiver.requests("/x"))
    assert gap >= 1 - EARLY


def test_a_target_that_refuses_or_cuts_off_is_tried_again_when_it_is_back(carillon, receiver):
    receiver.script("/x", Answer(cut="before"), Answer(cut="within"))
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry")))
    ended(carillon, made["id"], "succeeded")
    assert len(receiver.requests("/x")) == 3

    receiver.refuse()
    # Longer than a claim looks ahead, so that the wait can be seen.
    other = carillon.api.register(definition(receiver.url + "/y", key="2", task=task("retry", retry_wait=2)))
    wait_until(lambda: states(carillon, other["id"]) == ["retrying"], "state retrying")
    receiver.listen()
    ended(carillon, other["id"], "succeeded")


def test_a_failing_delay_recur_goes_on(carillon, receiver):
    receiver.rule("/x", answer(500))
    made = carillon.api.register(definition(receiver.url + "/x", "delay-recur", "0.1"))
    receiver.wait_for(3, "/x")
    assert carillon.api.schedule(made["id"])["state"] == "active"


def test_deleting_ends_the_retries(carillon, receiver):
    receiver.rule("/x", answer(500))
    made = carillon.api.register(definition(receiver.url + "/x", task=task("retry", retry_wait=2)))
    wait_until(lambda: states(carillon, made["id"]) == ["retrying"], "state retrying")
    assert carillon.api.delete(f"/schedules/{made['id']}").status == 200
    # A later schedule to the same receiver, after the retry's time, shows that the retry never came.
    carillon.api.register(definition(receiver.url + "/later", "delay", "2.5", key="2"))
    receiver.wait_for(1, "/later")
    assert len(receiver.requests("/x")) == 1


def test_overlap_skips_by_default_and_counts_what_it_skipped(carillon, receiver):
    receiver.rule("/x", stall(2.5))
    made = carillon.api.register(definition(receiver.url + "/x", "cron", "* * * * * *"))
    receiver.wait_for(1, "/x")
    skipped = wait_until(lambda: carillon.api.schedule(made["id"])["missed"].get("overlap", 0) >= 1, "a skipped occurrence")
    assert skipped
    assert len(receiver.requests("/x")) == 1


def test_a_secret_header_arrives_but_is_never_read_back(carillon, receiver):
    made = carillon.api.register(
        definition(
            receiver.url + "/x",
            "delay",
            "3600",
            task={"connection": {"host": receiver.url + "/x", "headers": {"Authorization": "Bearer MARKER"}}},
        )
    )
    shown = carillon.api.schedule(made["id"])
    assert shown["task"]["connection"]["headers"]["Authorization"] == "***"
    # What was read can be written back: the secret stays.
    again = {k: shown[k] for k in ("name", "client", "type", "schedule", "timezone", "task")}
    assert carillon.api.put(f"/schedules/{made['id']}", again).status == 200
    assert carillon.api.post(f"/schedules/{made['id']}/trigger").status == 202
    (request,) = receiver.wait_for(1, "/x")
    assert request.headers["Authorization"] == "Bearer MARKER"
    assert "MARKER" not in carillon.log_text()

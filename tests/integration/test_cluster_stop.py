"""A deletion, a pause or a replacement on one instance stops the others within a second.

They hold the runs already: the horizon is long, so that what is prefetched is still far from its moment. The receiver
is the judge: nothing may start later than a second after the answer.
"""

import time

import pytest

from harness import definition, wait_until
from postgres_peer import Postgres
from receiver import Answer
from redis_peer import Redis
from siege import SECOND, iso, now_us, register_all, us_of

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

HORIZON_S = 8
LEAD_S = HORIZON_S / 2  # a claim is sent half a horizon ahead
MANY = 1500


@pytest.fixture(scope="module")
def redis():
    one = Redis() if Redis.available() else None
    yield one
    if one:
        one.stop()


@pytest.fixture(params=["postgres", "redis"])
def mode(request, redis):
    """How B hears of what A did."""
    if request.param == "postgres":
        return {"CARILLON_WAKEUP_MODE": "postgres"}
    if not redis:
        pytest.skip("redis is not installed")
    return {"CARILLON_WAKEUP_MODE": "redis", "CARILLON_REDIS_URL": f"redis://{redis.host}"}


def pair(make_carillon, postgres, **settings):
    """A and B: whatever is registered, both hold some of it."""
    common = {"CARILLON_DATABASE_URL": postgres.url, "CARILLON_SCHEDULER_FETCH_INTERVAL": "1s", **settings}
    return [make_carillon(**common) for _ in range(2)]


def held(instance):
    return instance.metrics()["carillon_engine_runs_held"]


def in_flight(instance):
    return instance.metrics()["carillon_engine_attempts_in_flight"]


class Held:
    """Schedules due at one instant; both instances hold their runs."""

    def __init__(self, both, url, count):
        self.both = both
        self.due = now_us() + int((LEAD_S + 2) * SECOND)
        self.definitions = [definition(url, "date", iso(self.due), f"k{i}") for i in range(count)]
        self.ids = register_all(both[0].api, self.definitions)
        wait_until(lambda: sum(map(held, both)) == count, f"{count} runs are held", 60)
        assert held(both[1]) > 0, "the other instance holds nothing, so nothing would be shown"


def nothing_started_after(counting, answered, due, path):
    """Waits past the moment it was due, and judges."""
    time.sleep(max(0.0, (due - now_us()) / SECOND) + 0.5)
    late = [a for a in counting.arrivals(path) if a.at > answered + 1]
    assert not late, f"{len(late)} started more than a second after the answer: {late[:3]}"


def nothing_is_open(instance):
    for state in ("running", "pending", "retrying"):
        wait_until(lambda s=state: not instance.api.get("/runs", query={"state": s}).json(), f"no run is {state}")


def several(make_carillon, postgres, counting, count, act, **settings):
    settings = {"CARILLON_SCHEDULER_HORIZON": f"{HORIZON_S}s", "CARILLON_SCHEDULER_FETCH_COUNT": "100", **settings}
    both = pair(make_carillon, postgres, **settings)
    what = Held(both, counting.url + "/old", count)
    act(both[0].api, what)
    answered = time.time()
    nothing_started_after(counting, answered, what.due, "/old")
    if answered + 1 < what.due / SECOND:
        assert counting.arrivals("/old") == []
    nothing_is_open(both[0])
    return both


def test_a_deletion_of_many_stops_what_the_other_has_prefetched(make_carillon, postgres, counting, mode):
    def act(api, what):
        answer = api.delete("/schedules", query={"application": "tests"})
        assert answer.json() == {"count": len(what.ids)}, answer

    both = several(make_carillon, postgres, counting, MANY, act, **mode)
    wait_until(lambda: sum(map(held, both)) == 0, "nothing is held")


def test_deletions_one_by_one_stop_what_the_other_has_prefetched(make_carillon, postgres, counting):
    def act(api, what):
        for schedule_id in what.ids:
            assert api.delete(f"/schedules/{schedule_id}").status == 200

    several(make_carillon, postgres, counting, 200, act)


def test_a_pause_stops_what_the_other_has_prefetched(make_carillon, postgres, counting):
    def act(api, what):
        for schedule_id in what.ids:
            assert api.post(f"/schedules/{schedule_id}/pause").status == 200

    several(make_carillon, postgres, counting, 200, act)


def test_a_replacement_stops_what_the_other_has_prefetched_and_fires_in_its_place(make_carillon, postgres, counting, mode):
    new = {}

    def act(api, what):
        new["due"] = what.due + 1 * SECOND
        again = [{**d, "schedule": iso(new["due"])} for d in what.definitions]
        for one in again:
            one["task"] = {**one["task"], "connection": {"host": counting.url + "/new"}}
        assert register_all(api, again) == what.ids

    several(make_carillon, postgres, counting, MANY, act, **mode)
    wait_until(lambda: len(counting.arrivals("/new")) >= MANY, "the new definitions fire")
    assert len(counting.by_key("/new")) == len(counting.arrivals("/new")) == MANY


def test_where_nobody_is_told_what_was_prefetched_starts_within_a_second_or_not_at_all(make_carillon, postgres, counting):
    """`wakeup: poll`: what bounds it is the horizon of a second."""
    both = pair(make_carillon, postgres, CARILLON_WAKEUP_MODE="poll", CARILLON_SCHEDULER_FETCH_COUNT="10")
    due = now_us() + 3 * SECOND
    # Two seconds of them: some are held, some are not yet, and some have fired.
    dates = [definition(counting.url + "/old", "date", iso(due + i * 10_000), f"k{i}") for i in range(200)]
    register_all(both[0].api, dates)
    wait_until(lambda: len(counting.arrivals()) >= 20 and held(both[1]) > 0, "some have fired, some are held", 60)
    assert both[0].api.delete("/schedules", query={"application": "tests"}).status == 200
    answered = time.time()
    nothing_started_after(counting, answered, due + 2 * SECOND, "/old")
    nothing_is_open(both[0])


def test_a_put_stops_what_the_other_has_prefetched_and_fires_in_its_place(make_carillon, postgres, counting):
    def act(api, what):
        for schedule_id, one in zip(what.ids, what.definitions):
            new = {**one, "schedule": iso(what.due + 1 * SECOND)}
            new["task"] = {**new["task"], "connection": {"host": counting.url + "/new"}}
            assert api.put(f"/schedules/{schedule_id}", new).status == 200

    several(make_carillon, postgres, counting, 100, act)
    wait_until(lambda: len(counting.arrivals("/new")) >= 100, "the new definitions fire")
    assert len(counting.by_key("/new")) == len(counting.arrivals("/new")) == 100


@pytest.mark.parametrize("how", ["delete", "pause", "replace"])
def test_an_attempt_in_flight_elsewhere_ends_and_is_not_retried(make_carillon, postgres, receiver, how):
    both = pair(make_carillon, postgres, CARILLON_SCHEDULER_FETCH_COUNT="4")
    receiver.rule("/fails", Answer(500, stall=1.5))
    soon = iso(now_us() + 2 * SECOND)
    once = [
        definition(receiver.url + "/fails", "date", soon, f"k{i}", task={"failed_policy": "retry", "retry_wait": 0})
        for i in range(40)
    ]
    ids = register_all(both[0].api, once)
    wait_until(lambda: sum(map(in_flight, both)) == 40, "40 attempts in flight")
    assert in_flight(both[1]) > 0
    if how == "delete":
        assert both[0].api.delete("/schedules", query={"group": "g"}).json() == {"count": 40}
    elif how == "pause":
        assert all(both[0].api.post(f"/schedules/{i}/pause").status == 200 for i in ids)
    else:
        far = iso(now_us() + 86400 * SECOND)
        register_all(both[0].api, [{**d, "type": "date", "schedule": far} for d in once])
    answered = time.time()
    nothing_is_open(both[0])
    late = [r for r in receiver.requests("/fails") if r.at > answered + 1]
    assert not late, late[:3]
    kept = [run for i in ids for run in both[1].api.runs(i)] if how != "delete" else []
    assert all(run["attempt"] == 1 for run in kept), kept[:3]


@pytest.mark.parametrize("how", ["delete", "pause", "replace"])
def test_a_retry_that_waits_elsewhere_does_not_come(make_carillon, postgres, receiver, how):
    both = pair(make_carillon, postgres)
    receiver.rule("/fails", Answer(500))
    once = [
        definition(receiver.url + "/fails", "now", "", f"k{i}", task={"failed_policy": "retry", "retry_wait": 3})
        for i in range(40)
    ]
    ids = register_all(both[0].api, once)
    receiver.wait_for(40, "/fails", 60)
    wait_until(lambda: len(both[0].api.get("/runs", query={"state": "retrying"}).json()) == 40, "40 wait")
    if how == "delete":
        assert both[0].api.delete("/schedules", query={"group": "g"}).json() == {"count": 40}
    elif how == "pause":
        assert all(both[0].api.post(f"/schedules/{i}/pause").status == 200 for i in ids)
    else:
        far = iso(now_us() + 86400 * SECOND)
        register_all(both[0].api, [{**d, "type": "date", "schedule": far} for d in once])
    answered = time.time()
    nothing_is_open(both[0])
    time.sleep(max(0.0, answered + 4 - time.time()))  # past the moment of the retries
    late = [r for r in receiver.requests("/fails") if r.at > answered + 1]
    assert not late, late[:3]


def test_an_occurrence_gives_up_the_attempt_that_it_replaces_wherever_that_is(make_carillon, postgres, receiver):
    """`overlap: replace` over two instances: of each schedule one attempt is under way, the newest's."""
    both = pair(make_carillon, postgres, CARILLON_SCHEDULER_FETCH_COUNT="4")
    receiver.rule("/hangs", Answer(200, stall=60))
    last = (now_us() // (2 * SECOND) + 4) * 2 * SECOND
    members = {"overlap": "replace", "end_at": iso(last + SECOND // 2), "task": {"timeout": 60}}
    crons = [definition(receiver.url + "/hangs", "cron", "*/2 * * * * *", f"k{i}", **members) for i in range(20)]
    ids = register_all(both[0].api, crons)

    def newest(schedule_id):
        runs = both[1].api.runs(schedule_id)
        return runs and us_of(runs[0]["scheduled_at"]) == last and runs

    # Three or four occurrences each: all but the last are given up, and nothing else is.
    for i in ids:
        runs = wait_until(lambda one=i: newest(one), "the last occurrence", 60)
        assert len(runs) >= 3, runs
    wait_until(lambda: sum(map(in_flight, both)) == 20, "one attempt of each is in flight")
    for i in ids:
        runs = wait_until(lambda one=i: (r := both[1].api.runs(one)) and all(x["state"] == "cancelled" for x in r[1:]) and r, "given up")
        assert runs[0]["state"] == "running", runs
    arrivals = receiver.requests("/hangs")
    assert len({r.key for r in arrivals}) == len(arrivals) > 40
    started = [one.metrics()["carillon_engine_attempts_started_total"] for one in both]
    assert min(started) > 0 and sum(started) == len(arrivals), started
    receiver.close()

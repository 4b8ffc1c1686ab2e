"""Losing things under 600 fires a second: whatever dies, stalls or goes away, each occurrence comes.

Three instances over one PostgreSQL, a receiver that lives through all of it, and siege.py's account of what is owed. A
double is only where an instance died or lost the database between sending and recording; `-s` shows their number.
"""

import os
import random
import signal
import time

import pytest

from harness import definition, wait_until
from postgres_peer import Postgres
from redis_peer import Redis
from siege import SECOND, Siege, judge_record, now_us, register_all

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

LEASE_S = 3
INSTANCES = 3


@pytest.fixture
def make_cluster(make_carillon, postgres):
    settings = {
        "CARILLON_DATABASE_URL": postgres.url,
        "CARILLON_SCHEDULER_LEASE": f"{LEASE_S}s",
        "CARILLON_SCHEDULER_FETCH_INTERVAL": "1s",
    }

    def make(**more):
        return [make_carillon(**settings, **more, CARILLON_SERVER_INSTANCE=f"node{i}") for i in range(INSTANCES)]

    return make


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


@pytest.fixture
def redis():
    one = Redis()
    yield one
    one.stop()


@pytest.fixture
def tell(capsys):
    def say(text):
        with capsys.disabled():
            print(text, end="")

    return say


def in_flight(instance):
    return instance.metrics()["carillon_engine_attempts_in_flight"]


def known(api):
    """{name: what is told of an instance}"""
    return {i["name"]: i for i in api.get("/instances").json()}


def monitor(api):
    return next((name for name, i in known(api).items() if i["monitor"]), None)


def judge(siege, postgres, api, tell):
    doubles = siege.finish(api)
    judge_record(postgres, siege)
    tell(siege.account(doubles))
    return doubles


def test_an_instance_that_is_killed_loses_nothing(cluster, postgres, counting, tell):
    siege = Siege(cluster, counting, "/after-100")
    for second, victim in ((2, cluster[0]), (5, cluster[1])):
        siege.until(second)
        wait_until(lambda one=victim: in_flight(one) > 0, "attempts in flight")
        with siege.fault("kill -9"):
            victim.kill9()
        victim.start()
    judge(siege, postgres, cluster[2].api, tell)


def test_a_stopped_instance_comes_back_too_late_and_is_refused(cluster, postgres, counting, tell):
    siege = Siege(cluster, counting)
    siege.until(2)
    # Long ones beside the load, so that whoever is stopped has sent what it could not record.
    long = "/after-4000"
    register_all(cluster[0].api, [definition(counting.url + long, "now", "", f"long {i}") for i in range(90)])
    wait_until(lambda: len(counting.arrivals(long)) == 90, "the long ones are in flight", 60)
    zombie = max(cluster, key=in_flight)
    other = next(one for one in cluster if one is not zombie)
    with siege.fault("SIGSTOP for longer than the lease", stalls=True):
        zombie.process.send_signal(signal.SIGSTOP)
        stopped = now_us()
        siege.wait_due_before(stopped)
        time.sleep(max(0.0, stopped / SECOND + LEASE_S + 1 - time.time()))
        # What it held has other holders by now, or is done.
        wait_until(
            lambda: postgres.ask(f"SELECT count(*) FROM carillon.run WHERE lease_until BETWEEN 1 AND {now_us()}") == [["0"]],
            "every lease is taken over",
        )
        zombie.process.send_signal(signal.SIGCONT)
    wait_until(lambda: zombie.metrics()["carillon_engine_outcomes_stale_total"] > 0, "it is refused")
    siege.extra(long)
    doubles = judge(siege, postgres, other.api, tell)
    stale = zombie.metrics()["carillon_engine_outcomes_stale_total"]
    tell(f" [{stale:.0f} outcomes refused, {len(siege.late)} sent after the stop]")
    assert doubles


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_is_restarted_loses_nothing(cluster, postgres, counting, tell, mode):
    siege = Siege(cluster, counting)
    for second in (2.1, 5.1):
        siege.until(second)
        with siege.fault(f"PostgreSQL restarted {mode}"):
            postgres.restart(mode)
    judge(siege, postgres, cluster[0].api, tell)


def test_connections_that_are_cut_lose_nothing(cluster, postgres, counting, tell):
    siege = Siege(cluster, counting)
    for second in (1.1, 2.05, 3.5, 5.0, 6.01):
        siege.until(second)
        with siege.fault("connections cut"):
            postgres.cut_connections()
    judge(siege, postgres, cluster[0].api, tell)


@pytest.mark.skipif(not Redis.available(), reason="redis is not installed")
def test_redis_is_not_needed_for_anything_to_fire(make_cluster, redis, postgres, counting, tell):
    cluster = make_cluster(CARILLON_WAKEUP_MODE="redis", CARILLON_REDIS_URL=f"redis://{redis.host}")
    siege = Siege(cluster, counting)
    siege.until(1.1)
    with siege.fault("Redis killed"):
        redis.kill()
    siege.until(4)
    # Nobody can be told of it, and it comes all the same.
    cluster[1].api.register(definition(counting.url + "/alone", "now"))
    wait_until(lambda: counting.arrivals("/alone"), "what is registered without Redis")
    redis.start()
    siege.until(6)
    with siege.fault("Redis killed"):
        redis.kill()
    redis.start()
    siege.extra("/alone")
    assert judge(siege, postgres, cluster[0].api, tell) == {}


def test_the_monitor_is_followed_when_it_is_killed(cluster, postgres, counting, tell):
    names = {f"node{i}": one for i, one in enumerate(cluster)}
    siege = Siege(cluster, counting, "/after-100")
    siege.until(2)
    name = wait_until(lambda: monitor(cluster[0].api), "a monitor")
    victim, other = names[name], next(one for n, one in names.items() if n != name)
    wait_until(lambda: in_flight(victim) > 0, "attempts in flight")
    with siege.fault(f"kill -9 of the monitor {name}"):
        victim.kill9()
    dead = time.monotonic()
    follower = wait_until(lambda: (m := monitor(other.api)) != name and m, "another monitor", 60)
    tell(f" [{follower} follows {name} after {time.monotonic() - dead:.1f} s]")
    wait_until(lambda: name not in known(other.api), "the dead one is struck off", 60)
    judge(siege, postgres, other.api, tell)


def test_a_rolling_restart_neither_loses_nor_doubles(cluster, postgres, counting, tell):
    siege = Siege(cluster, counting, "/after-100")
    for i, instance in enumerate(cluster):
        siege.until(1.1 + i * 2)
        assert instance.stop() == 0
        instance.start()
    tell(" [each instance restarted]")
    assert judge(siege, postgres, cluster[0].api, tell) == {}


def test_instances_that_are_told_to_end_finish_what_is_in_flight_and_hand_back_the_rest(
    cluster, postgres, counting, tell
):
    siege = Siege(cluster, counting, "/after-100")
    for i, instance in enumerate(cluster):
        siege.until(2.1 + i)
        wait_until(lambda one=instance: in_flight(one) > 0, "attempts in flight")
        itself = known(instance.api)[f"node{i}"]["id"]
        assert instance.stop() == 0
        assert postgres.ask(f"SELECT count(*) FROM carillon.instance WHERE id = '{itself}'") == [["0"]]
    # Nobody is there: so nothing may be leased, and what was sent is recorded.
    assert postgres.ask("SELECT count(*) FROM carillon.run WHERE state = 1 OR lease_until <> 0") == [["0"]]
    sent = len(siege.came())
    assert postgres.ask("SELECT state, count(*) FROM carillon.run_log GROUP BY state") == [["3", str(sent)]]
    cluster[1].start()
    tell(" [all ended by SIGTERM, one started]")
    assert judge(siege, postgres, cluster[1].api, tell) == {}


class Havoc:
    """Faults one after another, drawn by a seed, some of which last while others begin."""

    def __init__(self, cluster, postgres, siege, seed):
        self.cluster = cluster
        self.postgres = postgres
        self.siege = siege
        self.random = random.Random(seed)
        self.stopped = []  # (when it goes on, instance, its fault)

    def someone(self):
        running = [one for one in self.cluster if all(one is not s[1] for s in self.stopped)]
        return self.random.choice(running)

    def kill(self):
        one = self.someone()
        with self.siege.fault("kill -9"):
            one.kill9()
            one.start()

    def end(self):
        one = self.someone()
        with self.siege.fault("SIGTERM"):
            assert one.stop() == 0
            one.start()

    def stall(self):
        if self.stopped:
            return
        one = self.someone()
        fault = self.siege.fault("SIGSTOP", stalls=True).__enter__()
        one.process.send_signal(signal.SIGSTOP)
        self.stopped.append((time.time() + self.random.uniform(0.5, 2 * LEASE_S), one, fault))

    def wake(self, now=False):
        for stop in list(self.stopped):
            when, one, fault = stop
            if now or time.time() >= when:
                one.process.send_signal(signal.SIGCONT)
                fault.__exit__()
                self.stopped.remove(stop)

    def cut(self):
        with self.siege.fault("cut"):
            self.postgres.cut_connections()

    def restart(self):
        mode = self.random.choice(["fast", "immediate"])
        with self.siege.fault(f"PostgreSQL {mode}"):
            self.postgres.restart(mode)

    def wreak(self):
        self.random.choice([self.kill, self.end, self.stall, self.cut, self.restart])()
        self.wake()
        time.sleep(self.random.uniform(0, 1))
        self.wake()


def test_many_faults_one_upon_another_lose_nothing(cluster, postgres, counting, tell):
    """CARILLON_CHAOS_SEED and CARILLON_CHAOS_SECONDS make other and longer ones."""
    seed = int(os.environ.get("CARILLON_CHAOS_SEED") or time.time())
    tell(f" [seed {seed}]")
    siege = Siege(cluster, counting, "/after-50", seconds=int(os.environ.get("CARILLON_CHAOS_SECONDS", "12")))
    havoc = Havoc(cluster, postgres, siege, seed)
    siege.until(1)
    while time.time() < siege.begin / SECOND + siege.seconds - 1:
        havoc.wreak()
    havoc.wake(now=True)
    judge(siege, postgres, cluster[0].api, tell)

"""Four instances share what is due at one instant fairly: each fires between 15% and 35%, none twice, together not later
than one alone.

By the release binary: a sanitizer's build has other proportions. CARILLON_SHARE=100000 runs it with so many.
"""

import http.client
import json
import os
import subprocess
import time

import pytest

import harness
from harness import definition, wait_until
from kafka_peer import build_folder
from postgres_peer import Postgres
from siege import SECOND, iso, now_us, register_all

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

RELEASE = harness.TOP / "build" / "release" / "carillon"
RECEIVER = build_folder() / "bench" / "receiver" / "receiver"
COUNT = int(os.environ.get("CARILLON_SHARE", "20000"))
BATCH = 5000
REGISTERED_A_SECOND = 3000  # and more; what is slower only begins to fire before all is registered
END_S = 120


class Tally:
    """bench/receiver: counts tens of thousands a second by their keys."""

    def __init__(self):
        # It ends with its connections open, which a sanitizer takes for leaks.
        env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        self.process = subprocess.Popen([RECEIVER], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.url = f"http://127.0.0.1:{self.port}/run"

    def call(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path)
        text = connection.getresponse().read()
        connection.close()
        return json.loads(text)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture
def tally():
    one = Tally()
    yield one
    one.stop()


@pytest.fixture
def postgres():
    one = Postgres(shared_buffers="256MB", max_wal_size="2GB")
    yield one
    one.stop()


def fire(instances, tally, name):
    """COUNT dates of one instant, to their end: (seconds since that instant, attempts of each instance)."""
    tally.call("POST", "/reset")
    before = [started(i) for i in instances]
    due = now_us() + int((3 + COUNT / REGISTERED_A_SECOND) * SECOND)
    at = iso(due)
    for first in range(0, COUNT, BATCH):
        batch = [definition(tally.url, "date", at, f"{name} {first + i}") for i in range(min(BATCH, COUNT - first))]
        register_all(instances[0].api, batch)
    counted = wait_until(lambda: (t := tally.call("GET", "/tally"))["distinct"] >= COUNT and t, f"{COUNT} fires", END_S)
    wait_until(lambda: not instances[0].api.get("/runs", query={"state": "running"}).json(), "nothing is open", END_S)
    counted = tally.call("GET", "/tally")
    assert (counted["distinct"], counted["doubles"]) == (COUNT, 0)
    return (counted["last_us"] - due) / SECOND, [started(i) - b for i, b in zip(instances, before)]


def started(instance):
    return instance.metrics()["carillon_engine_attempts_started_total"]


def test_four_instances_share_what_is_due_at_once(postgres, make_carillon, tally, monkeypatch, capsys):
    assert RELEASE.exists(), "make build comes first"
    monkeypatch.setenv("CARILLON_BIN", str(RELEASE))
    settings = {
        "CARILLON_DATABASE_URL": postgres.url,
        # As the defaults are to 100,000: shares are made of whole claims, of which a fifth of the schedules has a fifth.
        "CARILLON_SCHEDULER_FETCH_COUNT": str(COUNT // 100),
        "CARILLON_SCHEDULER_MAX_HELD": str(COUNT // 10),
    }
    first = make_carillon(**settings)
    alone, _ = fire([first], tally, "alone")
    four = [first, *(make_carillon(**settings) for _ in range(3))]
    together, attempts = fire(four, tally, "together")
    shares = [n / COUNT for n in attempts]
    with capsys.disabled():
        print(
            f" [{COUNT} due at once: one instance {alone:.1f} s, four {together:.1f} s; shares "
            + " ".join(f"{s:.1%}" for s in sorted(shares)) + "]",
            end="",
        )
    assert sum(attempts) == COUNT
    assert all(0.15 <= s <= 0.35 for s in shares), shares
    # Two cores are shared by all of them, and by whatever else runs: the limit is for waits that nobody means.
    assert together <= alone * 2 + 5

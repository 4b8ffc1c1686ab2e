"""Idle costs nothing: ten thousand schedules that are far away neither wake the process nor fill its memory.

Measured on the release binary: a sanitizer's build has other memory.
"""

import pathlib
import re
import time

import pytest

import harness
from harness import definition, wait_until

RELEASE = harness.TOP / "build" / "release" / "carillon"
SECONDS = 10


def switches(pid):
    """Voluntary context switches by thread: each is a wake."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        found[task.name] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1))
    return found


def resident_mib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1024


@pytest.fixture
def released(make_carillon, monkeypatch):
    assert RELEASE.exists(), "make build comes first"
    monkeypatch.setenv("CARILLON_BIN", str(RELEASE))
    return make_carillon()


def test_ten_thousand_far_schedules_wake_it_less_than_once_a_second_and_take_under_20_mib(released):
    far = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30 * 86400))
    for at in range(0, 10000, 1000):
        batch = [definition("http://127.0.0.1:9/", "date", far, f"far {at + i}") for i in range(1000)]
        assert released.api.post("/schedules/batch", batch).status == 200

    def rest():
        """Until two looks, a moment apart, find nothing woken: what the registrations began has ended."""
        before = switches(released.pid)
        time.sleep(0.5)
        return switches(released.pid) == before

    wait_until(rest, "rest")
    before = sum(switches(released.pid).values())
    time.sleep(SECONDS)  # the span that is measured, not a wait for something
    woken = sum(switches(released.pid).values()) - before
    resident = resident_mib(released.pid)
    print(f"{woken} wakes in {SECONDS} s, {resident:.1f} MiB")
    assert woken < SECONDS
    assert resident < 20

"""Fixtures: instances of the built binary, and a receiver for them to call.

    carillon       one instance that runs
    make_carillon  a function that makes more, with settings of their own
    receiver       records what it gets; see receiver.py for what it can do
    counting       counts what it gets, in a process of its own, for loads; see counting.py
    server         a PostgreSQL for the tests of one file
    postgres       the same, without anything of Carillon's in it
"""

import signal

import pytest

from counting import Counting
from harness import Carillon
from postgres_peer import Postgres
from receiver import Receiver

TEST_SECONDS = 180


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.when == "call":
        item.failed_call = report.failed


@pytest.fixture(autouse=True)
def time_limit():
    """A test that hangs is a failed test, not a hung suite."""

    def expired(*_):
        raise AssertionError(f"the test took longer than {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def make_carillon(tmp_path, request):
    made = []

    def make(start=True, config=None, **settings):
        """settings: CARILLON_... variables by their names."""
        one = Carillon(tmp_path / f"instance{len(made)}", settings, config)
        made.append(one)
        return one.start() if start else one

    yield make
    if getattr(request.node, "failed_call", False):
        for one in made:
            print(f"--- log of {one.folder.name} ---\n{one.log_text()[-20000:]}")
    faults = []
    for one in made:
        try:
            one.close()
        except AssertionError as fault:
            print(f"--- log of {one.folder.name} ---\n{one.log_text()[-20000:]}")
            faults.append(str(fault))
    assert not faults, faults


@pytest.fixture
def carillon(make_carillon):
    return make_carillon()


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def counting(tmp_path):
    one = Counting(tmp_path)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def server():
    one = Postgres()
    yield one
    one.stop()


@pytest.fixture
def postgres(server):
    server.ask("DROP SCHEMA IF EXISTS carillon CASCADE")
    return server

"""SIGTERM: claiming stops at once, what is in flight ends within the grace, and nothing that hangs keeps the process."""

import signal
import socket
import sqlite3
import threading
import time

from harness import definition, wait_until
from receiver import hold


def begin_a_body(url):
    """A request whose body never comes."""
    host, port = url.split("//")[1].split(":")
    s = socket.create_connection((host, int(port)))
    s.sendall(b"POST /schedules HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    return s


def test_a_client_that_stalls_takes_nothing_of_the_grace(make_carillon, receiver):
    one = make_carillon(CARILLON_SHUTDOWN_GRACE="60s")
    go = threading.Event()
    receiver.rule("/slow", hold(go))
    made = one.api.register(
        definition(receiver.url + "/slow", "cron", "* * * * * *", overlap="allow", task={"timeout": 100})
    )
    receiver.wait_for(2, "/slow")
    with begin_a_body(one.url):
        one.process.send_signal(signal.SIGTERM)
        wait_until(lambda: one.log_events("stopping"), "the word that it stops")
        time.sleep(0.2)  # what was due at that very moment
        begun = len(receiver.requests("/slow"))
        time.sleep(3.5)  # three occurrences that nobody may claim
        assert len(receiver.requests("/slow")) == begun
        go.set()
        before = time.monotonic()
        assert one.wait() == 0
        assert time.monotonic() - before < 30
    one.start()
    runs = {r["scheduled_at"]: r["state"] for r in one.api.runs(made["id"])}
    delivered = [r.key.split("/")[1] for r in receiver.requests("/slow")[:begun]]
    assert len(set(delivered)) == len(delivered)
    assert [runs[at] for at in delivered] == ["succeeded"] * len(delivered)


def test_a_stop_ends_though_the_database_is_locked(make_carillon, receiver):
    one = make_carillon(CARILLON_SHUTDOWN_GRACE="1s")
    one.api.register(definition(receiver.url + "/x", "cron", "* * * * * *"))
    receiver.wait_for(1, "/x")
    locker = sqlite3.connect(one.folder / "carillon.db", timeout=60, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        threads = [
            threading.Thread(target=lambda i=i: try_register(one, receiver, i), daemon=True) for i in range(20)
        ]
        for t in threads:
            t.start()
        time.sleep(1)
        before = time.monotonic()
        one.process.send_signal(signal.SIGTERM)
        assert one.wait(timeout=30) == 0
        assert time.monotonic() - before < 1 + 5 + 4  # grace, what follows it, and a busy machine
    finally:
        locker.close()
    one.start()
    receiver.clear()
    receiver.wait_for(1, "/x", timeout=60)


def try_register(one, receiver, i):
    try:
        one.api.post("/schedules", definition(receiver.url + "/y", "delay", "1000", f"k{i}"))
    except OSError:
        pass  # it stops

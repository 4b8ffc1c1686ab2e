"""GET /events: server-sent events of what an instance does, read by a plain HTTP client."""

import http.client
import json
import socket
import time
import urllib.parse

import pytest

from harness import definition, wait_until

LONG = 60


class Listener:
    """One stream. Reads in the background of whoever asks for the next event."""

    def __init__(self, server, last=None, timeout=LONG, **query):
        url = urllib.parse.urlsplit(server.url)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
        path = "/events" + ("?" + urllib.parse.urlencode(query) if query else "")
        self.connection.request("GET", path, headers={"Last-Event-ID": last} if last else {})
        self.answer = self.connection.getresponse()

    def event(self):
        """The next event as (kind, id, data); None at the end. Comments are passed over."""
        members = {}
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                members[name] = value
            elif not line and "data" in members:
                return members["event"], members.get("id"), json.loads(members["data"])
            elif not line:
                members = {}

    def until(self, kind):
        """All events up to the first of this kind."""
        found = []
        while not found or found[-1][0] != kind:
            event = self.event()
            assert event, f"the stream ended before {kind}: {found}"
            found.append(event)
        return found

    def close(self):
        self.answer.close()
        self.connection.close()


@pytest.fixture
def listen():
    made = []

    def make(server, **options):
        made.append(Listener(server, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def register(server, what):
    got = server.api.post("/schedules", what)
    assert got.status in (200, 201), got
    return got.json()["id"]


def test_a_listener_hears_of_every_schedule(carillon, receiver, listen):
    listener = listen(carillon)
    assert listener.answer.status == 200
    assert listener.answer.getheader("Content-Type") == "text/event-stream"
    one = register(carillon, definition(receiver.url))
    told = listener.until("succeeded")
    assert [kind for kind, _, _ in told] == ["registered", "started", "succeeded"]
    for kind, event_id, data in told:
        assert (data["kind"], data["id"], data["schedule_id"]) == (kind, event_id, one)
        assert data["name"] == "test 1" and data["client"]["application"] == "tests"
    assert carillon.api.delete(f"/schedules/{one}").status == 200
    assert listener.until("deleted")[-1][2]["client"]["key"] == "1"


def test_asked_by_head_the_connection_ends_with_the_header(carillon):
    url = urllib.parse.urlsplit(carillon.url)
    with socket.create_connection((url.hostname, url.port), timeout=LONG) as s:
        s.sendall(b"HEAD /events HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while piece := s.recv(4096):
            got += piece
    assert got.startswith(b"HTTP/1.1 200 ") and b"connection: close" in got.lower()
    assert got.count(b"HTTP/1.1") == 1, "nobody takes what libmicrohttpd sends behind it for another answer"


def test_filters_let_pass_what_is_asked_for(carillon, receiver, listen):
    first = register(carillon, definition(receiver.url, "cron", "0 0 1 1 *", key="1"))
    by_schedule = listen(carillon, schedule=first)
    by_kind = listen(carillon, kind="succeeded")
    by_application = listen(carillon, application='quo"te')
    other = definition(receiver.url, key='application":"quo"te')
    register(carillon, other)
    carillon.api.post(f"/schedules/{first}/trigger", {})
    theirs = definition(receiver.url, key="3")
    theirs["client"]["application"] = 'quo"te'
    third = register(carillon, theirs)
    assert [e[0] for e in by_schedule.until("succeeded")] == ["triggered", "started", "succeeded"]
    assert by_kind.event()[0] == "succeeded"
    assert [e[2]["schedule_id"] for e in by_application.until("succeeded")] == [third] * 3
    assert carillon.api.get("/events", query={"kind": "eaten"}).status == 422


def test_a_listener_that_comes_again_misses_nothing(carillon, receiver, listen):
    listener = listen(carillon)
    register(carillon, definition(receiver.url, key="1"))
    seen = listener.until("registered")[-1][1]
    listener.close()
    for key in ("2", "3"):
        carillon.api.wait_finished(register(carillon, definition(receiver.url, key=key)))
    again = listen(carillon, last=seen)
    told = again.until("registered")
    told += again.until("registered")
    assert "gap" not in [e[0] for e in told]
    assert [e[2]["client"]["key"] for e in told if e[0] == "registered"] == ["2", "3"]
    assert seen not in [e[1] for e in told]


def test_a_gap_is_told(carillon, receiver, listen):
    listener = listen(carillon, last="0192d3a0-0000-7000-8000-000000000000")
    kind, event_id, _ = listener.event()
    assert (kind, event_id) == ("gap", None)
    register(carillon, definition(receiver.url))
    assert listener.event()[0] == "registered"


def noise(carillon, round_no):
    """Fifty events of 4 KiB, the last of them known."""
    batch = [definition("http://127.0.0.1:9/", "cron", "0 0 1 1 *", key=f"{i}-" + "k" * 900) for i in range(50)]
    for one in batch:
        one["name"] = "noise"
        one["client"].update(operation="o" * 900, group="g" * 900, type="t" * 900)
    batch[-1]["name"] = f"round {round_no}"
    got = carillon.api.post("/schedules/batch", batch)
    assert all("id" in result for result in got.json()), got


def test_a_slow_reader_is_dropped_and_not_buffered(carillon, listen):
    url = urllib.parse.urlsplit(carillon.url)
    slow = socket.create_connection((url.hostname, url.port), timeout=LONG)
    slow.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert slow.recv(1)
    quick = listen(carillon)
    rounds = 0
    try:
        while streams(carillon) == 2:
            rounds += 1
            assert rounds < 400, "a reader that reads nothing is still there after 80 MB"
            noise(carillon, rounds)
            while quick.event()[2]["name"] != f"round {rounds}":
                pass
        assert streams(carillon) == 1
    finally:
        slow.close()


def test_many_listeners_hear_the_same_and_too_many_are_refused(make_carillon, receiver, listen):
    server = make_carillon(CARILLON_SERVER_EVENT_STREAMS="40")
    listeners = [listen(server) for _ in range(40)]
    one_more = listen(server)
    assert one_more.answer.status == 503 and one_more.answer.getheader("Retry-After")
    register(server, definition(receiver.url))
    told = [[e[1] for e in listener.until("succeeded")] for listener in listeners]
    assert len(told[0]) == 3 and all(t == told[0] for t in told)
    listeners[0].close()
    # Who has gone is noticed when there is something to send.
    wait_until(lambda: poke(server, receiver) and streams(server) == 39, "a free place", LONG)
    assert listen(server).answer.status == 200


def poke(server, receiver):
    return register(server, definition(receiver.url, key=str(time.monotonic())))


def streams(server):
    return server.metrics()["carillon_event_streams"]


def test_streams_end_when_the_server_stops(make_carillon, receiver, listen):
    server = make_carillon()
    listeners = [listen(server) for _ in range(5)]
    register(server, definition(receiver.url))
    for listener in listeners:
        listener.until("succeeded")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 20, "it waited for its listeners"
    assert all(listener.event() is None for listener in listeners)


def test_no_secret_is_streamed(make_carillon, receiver, listen):
    marker = "s3cr3t-stream-0123456789"
    server = make_carillon()
    receiver.rule("/echo", lambda r: __import__("receiver").answer(500, body=json.dumps(dict(r.headers.items())).encode()))
    listener = listen(server)
    headers = {"Authorization": f"Bearer {marker}"}
    task = {"history_check": True, "connection": {"host": receiver.url + "/echo", "headers": headers}}
    register(server, definition(receiver.url, task=task))
    told = json.dumps([e[2] for e in listener.until("failed")])
    assert "***" in told and marker not in told

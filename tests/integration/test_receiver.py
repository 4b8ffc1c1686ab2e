"""The receiver is judged too: what it claims to have seen other tests rely on."""

import http.client
import socket
import threading
import time

import pytest

from receiver import answer, cut, hold


def post(receiver, path="/", body=b"x", timeout=5):
    host, port = receiver.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request("POST", path, body, {"Idempotency-Key": "k"})
        got = connection.getresponse()
        return got.status, got.read()
    finally:
        connection.close()


def test_it_records_what_came(receiver):
    assert post(receiver, "/a", b"one") == (200, b"")
    assert post(receiver, "/b", b"two") == (200, b"")
    (one,) = receiver.wait_for(1, "/a")
    assert (one.method, one.path, one.body, one.key, one.number) == ("POST", "/a", b"one", "k", 0)
    assert [r.body for r in receiver.requests()] == [b"one", b"two"]


def test_a_script_is_followed_in_turn(receiver):
    receiver.script("/", answer(500), answer(429, {"Retry-After": "3"}, b"no"))
    assert [post(receiver)[0] for _ in range(3)] == [500, 429, 200]


def test_it_cuts_off_before_and_within(receiver):
    receiver.script("/", cut("before"), cut("within"))
    with pytest.raises(http.client.RemoteDisconnected):
        post(receiver)
    with pytest.raises(http.client.IncompleteRead):
        post(receiver)
    assert len(receiver.requests()) == 2


def test_it_holds_an_answer_until_told(receiver):
    go = threading.Event()
    receiver.rule("/", hold(go))
    with pytest.raises(socket.timeout):
        post(receiver, timeout=0.2)
    go.set()
    assert post(receiver)[0] == 200


def test_it_refuses_and_comes_back_on_its_port(receiver):
    before = receiver.url
    receiver.refuse()
    with pytest.raises(ConnectionRefusedError):
        post(receiver)
    receiver.listen()
    assert receiver.url == before
    assert post(receiver)[0] == 200


def test_waiting_in_vain_says_what_came(receiver):
    post(receiver, "/a")
    with pytest.raises(AssertionError, match="1 of 2 requests"):
        receiver.wait_for(2, "/a", timeout=0.1)


def test_it_tells_when_bytes_came_not_when_it_looked(receiver):
    """Between the two lies whatever the machine is busy with: here, a receiver that does not look at all."""
    host, port = receiver.url.removeprefix("http://").split(":")
    receiver._server.shutdown()  # nobody accepts, the kernel still does
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        before = time.time()
        connection.sendall(b"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        after = time.time()
        with pytest.raises(socket.timeout):
            connection.settimeout(0.3)
            connection.recv(1)
        thread = threading.Thread(target=receiver._server.serve_forever, daemon=True)
        thread.start()
        receiver._thread = thread
        (request,) = receiver.wait_for(1, "/late")
    assert before - 0.001 <= request.at <= after + 0.001

"""The receiver is judged too: what it claims to have seen other tests rely on."""

import http.client
import socket
import threading

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

"""Running out of descriptors: our lack, for which no run is failed."""

import resource

from harness import binary, definition, wait_until


# What is open stays so; nothing new below it is free.
NONE_LEFT = 3


def test_a_run_that_has_no_descriptor_for_its_connection_is_delivered_later(carillon, receiver):
    schedule = carillon.api.register(definition(receiver.url + "/late", "delay", "3"))
    other = carillon.api.register(definition(receiver.url.replace("127.0.0.1", "localhost") + "/late", "delay", "3", "2"))
    before = resource.prlimit(carillon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(carillon.pid, resource.RLIMIT_NOFILE, (NONE_LEFT, before[1]))
    said = wait_until(lambda: carillon.log_events("attempts are put off until they can be made"), "putting off")
    assert "Too many open files" in said[0]["error"]
    assert receiver.requests("/late") == []
    resource.prlimit(carillon.pid, resource.RLIMIT_NOFILE, before)
    receiver.wait_for(2, "/late")
    for one in (schedule, other):
        carillon.api.wait_finished(one["id"])
        (run,) = carillon.api.runs(one["id"])
        assert (run["state"], run["attempt"]) == ("succeeded", 1)
    assert {r.headers["Carillon-Attempt"] for r in receiver.requests("/late")} == {"1"}
    numbers = carillon.metrics()
    assert numbers["carillon_engine_attempts_not_sent_total"] >= 2
    assert numbers['carillon_attempts_total{type="rest",result="failed"}'] == 0


def test_a_limit_below_the_configured_connections_is_warned_of(make_carillon, tmp_path, monkeypatch):
    wrapper = tmp_path / "with-few-descriptors"
    wrapper.write_text(f'#!/bin/sh\nulimit -n 500\nexec "{binary()}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("CARILLON_BIN", str(wrapper))
    few = make_carillon()
    (warning,) = [e for e in few.log_events() if "ulimit -n" in e["msg"]]
    assert (warning["limit"], warning["wanted"]) == (500, 1024 + 1024 + 64)
    enough = make_carillon(CARILLON_SERVER_MAX_CONNECTIONS="100", CARILLON_DELIVERY_MAX_CONNECTIONS="300")
    assert not [e for e in enough.log_events() if "ulimit -n" in e["msg"]]

"""Limits of a target host: so many attempts a second, and no hammering of one that does not answer."""

from harness import definition, wait_until

CAREFUL = {
    "CARILLON_DELIVERY_PER_HOST_CONNECTIONS": "1",  # one after the other
    "CARILLON_DELIVERY_CIRCUIT_FAILURES": "3",
}
RUNS = 40


def runs_of(carillon, made):
    """Of each schedule its one run, of those that have theirs."""
    return [run for one in made for run in carillon.api.runs(one["id"])]


def all_ended(carillon, made):
    runs = runs_of(carillon, made)
    return len(runs) == len(made) and all(r["state"] in ("succeeded", "failed") for r in runs)


def test_a_target_that_is_down_is_probed_and_what_waits_is_delivered_when_it_answers(make_carillon, receiver):
    carillon = make_carillon(**CAREFUL)
    receiver.refuse()
    batch = [definition(receiver.url + "/x", key=str(i)) for i in range(RUNS)]
    made = carillon.api.post("/schedules/batch", batch).json()
    wait_until(lambda: carillon.metrics()['carillon_circuits_open{type="rest"}'] == 1, "the circuit to open")
    (opened,) = carillon.log_events("a target does not answer; until it does it is only probed")
    assert opened["target"] == receiver.url.split("//")[1] and "Connection refused" in opened["error"]
    wait_until(lambda: carillon.metrics()["carillon_engine_attempts_started_total"] >= 5, "two probes")
    # A second and two have passed; without the circuit all would have been attempted.
    assert sum(r["state"] != "failed" for r in runs_of(carillon, made)) >= RUNS - 10
    receiver.listen()
    wait_until(lambda: all_ended(carillon, made), "all ended", 90)
    runs = runs_of(carillon, made)
    assert {r["attempt"] for r in runs} == {1}
    arrived = {r.key for r in receiver.requests("/x")}
    assert len(arrived) == sum(r["state"] == "succeeded" for r in runs) >= RUNS - 10
    wait_until(lambda: carillon.metrics()['carillon_circuits_open{type="rest"}'] == 0, "the circuit to close")
    assert carillon.metrics()['carillon_circuits_opened_total{type="rest"}'] == 1
    assert len(carillon.log_events("a target answers again")) == 1


def test_what_waits_for_a_target_that_is_down_survives_a_restart(make_carillon, receiver):
    carillon = make_carillon(**CAREFUL)
    receiver.refuse()
    made = carillon.api.post("/schedules/batch", [definition(receiver.url + "/x", key=str(i)) for i in range(RUNS)]).json()
    wait_until(lambda: carillon.metrics()['carillon_circuits_open{type="rest"}'] == 1, "the circuit to open")
    carillon.restart()
    receiver.listen()
    wait_until(lambda: all_ended(carillon, made), "all ended", 90)
    runs = runs_of(carillon, made)
    assert sum(r["state"] == "succeeded" for r in runs) >= RUNS - 10
    assert {r["attempt"] for r in runs if r["state"] == "succeeded"} == {1}


def test_a_target_that_answers_with_errors_is_not_held_back(make_carillon, receiver):
    from receiver import answer

    carillon = make_carillon(**CAREFUL)
    receiver.rule("/x", lambda _: answer(500))
    made = carillon.api.post("/schedules/batch", [definition(receiver.url + "/x", key=str(i)) for i in range(RUNS)]).json()
    wait_until(lambda: all_ended(carillon, made), "all ended")
    assert {r["state"] for r in runs_of(carillon, made)} == {"failed"}
    assert carillon.metrics()['carillon_circuits_opened_total{type="rest"}'] == 0


def test_a_host_gets_no_more_attempts_a_second_than_allowed_however_it_is_spelled(make_carillon, receiver):
    carillon = make_carillon(CARILLON_DELIVERY_PER_HOST_RATE="20")
    port = receiver.url.rsplit(":", 1)[1]
    spelled = [f"127.0.0.1:{port}", f"127.1:{port}", f"0x7f000001:{port}", f"2130706433:0{port}", f"127.0.0.%31:{port}", f"me@127.0.0.1:0{port}"]
    made = carillon.api.post("/schedules/batch", [definition(f"http://{spelled[i % 6]}/x", key=str(i)) for i in range(61)]).json()
    receiver.wait_for(61, "/x", timeout=60)
    at = sorted(r.at for r in receiver.requests("/x"))
    # Two at once, then 20 a second; what a busy machine delays at the beginning is not counted against it.
    assert at[-1] - at[0] >= 2.0
    for one in made:
        carillon.api.wait_finished(one["id"])
    assert {r["attempt"] for r in runs_of(carillon, made)} == {1}
    assert len(receiver.requests("/x")) == 61

"""A target that does not answer holds up its own runs and nobody else's."""

import contextlib
import socket

import pytest

from harness import definition, wait_until


@contextlib.contextmanager
def dead_target():
    """Takes connections and never answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(1024)
        yield f"http://127.0.0.1:{s.getsockname()[1]}/"


SMALL = {
    "CARILLON_SCHEDULER_MAX_IN_FLIGHT": "20",
    "CARILLON_SCHEDULER_MAX_HELD": "100",
    "CARILLON_SCHEDULER_FETCH_COUNT": "50",
    "CARILLON_DELIVERY_PER_HOST_CONNECTIONS": "0",
}


@pytest.mark.parametrize("hosts", [1, 2])
def test_others_fire_on_time_while_a_target_is_dead(make_carillon, receiver, hosts):
    carillon = make_carillon(**SMALL)
    with contextlib.ExitStack() as stack:
        dead = [stack.enter_context(dead_target()) for _ in range(hosts)]
        batch = [
            definition(dead[i % hosts], "now", "", f"dead{i}", task={"timeout": 600}) for i in range(300)
        ]
        assert carillon.api.post("/schedules/batch", batch).status == 200
        wait_until(lambda: carillon.metrics()["carillon_engine_attempts_in_flight"] >= 15, "the dead ones under way")
        carillon.api.register(definition(receiver.url + "/alive", "cron", "* * * * * *", "alive", overlap="allow"))
        receiver.wait_for(5, "/alive", timeout=60)
        # None of the dead ones, whose timeout is far away, had to end for that.
        assert not [r for r in receiver.requests() if r.path != "/alive"]
        assert carillon.metrics()["carillon_engine_attempts_in_flight"] >= 10
        if hosts == 1:  # more than may wait were given back, and nothing is lost
            wait_until(lambda: carillon.metrics()["carillon_engine_runs_put_back_total"] > 0, "some given back")
        assert len(carillon.api.get("/runs", query={"limit": 1000}).json()) >= 300

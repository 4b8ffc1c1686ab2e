"""Idempotency-Key: what succeeded once is not done again, on any instance, whatever crashed in between."""

import http.client
import json
import random
import subprocess
import threading
import urllib.parse

import pytest

from harness import definition, wait_until
from postgres_peer import Postgres, bin_folder
from rest_ground import _servers, make_service, service  # noqa: F401 (fixtures)


def keyed(api, method_path, key, body=None):
    return api.post(method_path, body, headers={"Idempotency-Key": key})


def test_an_answer_is_given_again_by_every_instance_and_after_a_restart(service, receiver):
    made = service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *"))
    path = f"/schedules/{made['id']}/trigger"
    first = keyed(service.a, path, "one")
    assert first.status == 202
    for api in (service.b, service.a):
        again = keyed(api, path, "one")
        assert (again.status, again.body) == (202, first.body)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]
    assert len(service.a.runs(made["id"])) == 1
    assert keyed(service.b, path, "one", {}).status == 422  # another body
    service.instances[0].restart()
    assert keyed(service.instances[0].api, path, "one").body == first.body
    assert len(service.b.runs(made["id"])) == 1


def test_every_call_that_changes_something_is_done_once(make_service, receiver):
    service = make_service(CARILLON_ADMIN_RESET="true")
    d = definition(receiver.url + "/x", "cron", "0 0 * * *")
    made = service.a.register(d)
    here = f"/schedules/{made['id']}"
    backfill = {"from": "2026-01-01T00:00:00", "to": "2026-01-03T00:00:00"}
    calls = [
        ("/schedules", d),
        ("/schedules/batch", [d, {**d, "name": ""}]),
        (f"{here}/update", d),
        (f"{here}/pause", None),
        (f"{here}/resume", None),
        (f"{here}/trigger", None),
        (f"{here}/backfill", backfill),
        ("/runs/redrive", {"state": "dead"}),
        ("/admin/reset", None),
    ]
    for i, (path, body) in enumerate(calls):
        first = keyed(service.a, path, f"k{i}", body)
        assert 200 <= first.status < 300, (path, first)
        before = service.a.get(here).body if path != "/admin/reset" else None
        again = keyed(service.b, path, f"k{i}", body)
        assert (again.status, again.body) == (first.status, first.body), path
        assert again.headers.get("Idempotent-Replayed") == "true", path
        if before and path.endswith(("/update", "/pause", "/resume", "/schedules", "/batch")):
            assert service.a.get(here).json()["version"] == json.loads(before)["version"], path


def test_answers_in_flight_when_the_process_is_killed_are_not_lost_and_nothing_is_done_twice(make_service, receiver):
    """Triggers with keys stream in while the process is killed; each is asked again until it is answered."""
    service = make_service()
    one = service.instances[0]
    made = one.api.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *", overlap="allow"))
    path = f"/schedules/{made['id']}/trigger"
    rng = random.Random(5)
    answers = {}
    lock = threading.Lock()
    stop = threading.Event()
    number = iter(range(10**6))

    def client():
        while not stop.is_set():
            with lock:
                key = f"kill-{next(number)}"
            ask(key)

    def ask(key):
        """Until it is answered. What a first try may have done without saying so is what this test is about."""
        while True:
            try:
                address = urllib.parse.urlsplit(one.url)
                connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
                connection.request("POST", path, headers={"Idempotency-Key": key})
                got = connection.getresponse()
                body = got.read()
                connection.close()
                if got.status == 202:
                    with lock:
                        answers[key] = body
                    return
                assert got.status in (409, 503), (got.status, body)
            except OSError:
                pass
            except http.client.HTTPException:
                pass
            if stop.is_set() and one.process is None:
                return
            stop.wait(0.01)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(4):
        target = len(answers) + rng.randrange(20, 60)
        wait_until(lambda n=target: len(answers) >= n, "answers", 60)
        one.kill9()
        one.start()
    wait_until(lambda n=len(answers) + 20: len(answers) >= n, "answers", 60)
    stop.set()
    for t in threads:
        t.join()
    runs, cursor = set(), None
    while True:
        page = one.api.get(f"/schedules/{made['id']}/runs", query={"limit": 1000, **({"cursor": cursor} if cursor else {})})
        runs.update(r["id"] for r in page.json())
        link = page.headers.get("Link")
        if not link:
            break
        cursor = urllib.parse.parse_qs(urllib.parse.urlsplit(link.split(">")[0][1:]).query)["cursor"][0]
    told = {json.loads(body)["id"] for body in answers.values()}
    assert len(told) == len(answers), "two keys were told of one run"
    assert told == runs, f"{len(runs - told)} runs that nobody was told of, {len(told - runs)} told of that are not there"


@pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")
def test_a_key_at_work_on_another_instance_is_told_so_without_waiting(make_carillon, receiver):
    server = Postgres()
    try:
        one, two = (make_carillon(CARILLON_DATABASE_URL=server.url) for _ in range(2))
        made = one.api.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *"))
        path = f"/schedules/{made['id']}/trigger"
        blocker = subprocess.Popen(
            [bin_folder() / "psql", "-X", "-q", "-d", server.url], stdin=subprocess.PIPE, text=True, **server._as_user()
        )
        blocker.stdin.write(f"BEGIN; UPDATE carillon.timer SET runs = runs WHERE id = '{made['id']}';\n")
        blocker.stdin.flush()
        wait_until(lambda: server.ask("SELECT 1 FROM pg_locks WHERE mode = 'RowExclusiveLock'"), "the row is held")
        got = {}
        first = threading.Thread(target=lambda: got.update(first=keyed(one.api, path, "held")))
        first.start()
        # It has its key by the time it waits for the row.
        wait_until(lambda: server.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"), "the first waits")
        second = keyed(two.api, path, "held")
        assert second.status == 409 and second.headers["Retry-After"] == "1", second
        blocker.communicate("COMMIT;\n")
        first.join()
        assert got["first"].status == 202
        assert keyed(two.api, path, "held").body == got["first"].body
        assert len(two.api.runs(made["id"])) == 1
    finally:
        server.stop()

"""Lists stay right while what they list comes and goes; versions are judged on every call that takes them."""

import itertools
import json
import os
import random
import urllib.parse

import pytest

from harness import definition, wait_until
from rest_ground import _servers, make_service, service  # noqa: F401 (fixtures)

URL = "http://127.0.0.1:9/x"


def never(key, **members):
    """A schedule that does not fire while a test looks."""
    return definition(URL, "cron", "0 0 1 1 *", key, **members)


def batch(api, definitions):
    answer = api.post("/schedules/batch", definitions)
    assert answer.status == 200 and all(r["status"] in (200, 201) for r in answer.json()), answer
    return [r["id"] for r in answer.json()]


def next_of(answer):
    link = answer.headers.get("Link")
    return link.split(">")[0].lstrip("<") if link else None


def pages(api, path, between=lambda: None):
    """All items, page by page; something may happen between two pages."""
    found = []
    while path:
        answer = api.get(path)
        assert answer.status == 200, answer
        found += answer.json()
        path = next_of(answer)
        between()
    return found


@pytest.mark.parametrize("seed", [1, 2, None])
def test_pages_show_what_stays_once_and_in_order_whatever_comes_and_goes(service, seed, capsys):
    seed = int(os.environ.get("CARILLON_SEED") or int.from_bytes(os.urandom(4), "big")) if seed is None else seed
    rng = random.Random(seed)
    alive = batch(service.a, [never(f"k{i}") for i in range(120)])
    fresh = itertools.count(1000)

    for _ in range(6):
        before, gone, born = list(alive), set(), []

        def change():
            for _ in range(rng.randrange(4)):
                api = rng.choice([service.a, service.b])
                what = rng.random()
                if what < 0.4 and alive:
                    victim = alive.pop(rng.randrange(len(alive)))
                    assert api.delete(f"/schedules/{victim}").status == 200
                    gone.add(victim)
                elif what < 0.8:
                    new = api.register(never(f"k{next(fresh)}"))["id"]
                    alive.append(new)
                    born.append(new)
                elif alive:
                    # A change of a schedule does not move it.
                    assert api.post(f"/schedules/{rng.choice(alive)}/{rng.choice(['pause', 'resume'])}").status == 200

        limit = rng.choice([1, 3, 7, 20, 50])
        api = rng.choice([service.a, service.b])
        seen = [s["id"] for s in pages(api, f"/schedules?limit={limit}", change)]
        assert len(seen) == len(set(seen)), f"seed {seed}: twice"
        assert seen == sorted(seen), f"seed {seed}: order"
        stayed = [i for i in before if i not in gone]
        assert [i for i in seen if i in set(stayed)] == sorted(stayed), f"seed {seed}: left out"
        assert set(seen) <= set(before) | set(born), f"seed {seed}"
    with capsys.disabled():
        print(f"\n  seed {seed}", end="")


def test_pages_of_runs_show_each_once_newest_first_while_new_ones_are_made(service, receiver):
    made = service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *", overlap="allow"))
    trigger = f"/schedules/{made['id']}/trigger"
    before = [service.a.post(trigger).json()["id"] for _ in range(30)]
    seen = [r["id"] for r in pages(service.b, f"/schedules/{made['id']}/runs?limit=4", lambda: service.a.post(trigger))]
    assert len(seen) == len(set(seen)) and seen == sorted(seen, reverse=True)
    # Those that came after the first page are not on the later ones.
    assert set(before) <= set(seen) and len(seen) <= 31
    everywhere = [r["id"] for r in pages(service.b, "/runs?limit=7")]
    assert set(seen) <= set(everywhere)
    wait_until(lambda: all(r["state"] == "succeeded" for r in pages(service.a, "/runs?limit=1000")), "all succeed")
    assert {r["id"] for r in pages(service.a, "/runs?state=succeeded&limit=9")} >= set(before)
    assert pages(service.a, "/runs?state=dead") == []


def test_filters_match_all_that_is_given_and_nothing_else(service):
    rng = random.Random(3)
    words = {"operation": ["", "o1", "o2"], "application": ["", "a,b", "c&d"], "group": ["", "그룹", "g"], "type": ["", "t"]}
    have = []
    for i in range(150):
        client = {k: rng.choice(v) for k, v in words.items()} | {"key": rng.choice(["", "k"]) + str(i % 40)}
        name = rng.choice(["alpha", "alphabet", "beta", "%_"]) + str(i)
        have.append({**never(str(i)), "client": client, "name": name, "paused": rng.random() < 0.3})
    ids = batch(service.a, have)
    # Of two with one identity the last wins.
    last = {i: d for i, d in zip(ids, have)}

    def matches(d, query):
        if "name" in query and not d["name"].startswith(query["name"]):
            return False
        if "state" in query and query["state"] != ("paused" if d["paused"] else "active"):
            return False
        return all(d["client"][k] == v for k, v in query.items() if k in d["client"])

    choices = {**words, "key": ["k1", "2", "none"], "name": ["alpha", "alphab", "%", "z"], "state": ["active", "paused", "finished"]}
    hits = 0
    for _ in range(120):
        query = {k: rng.choice(choices[k]) for k in rng.sample(sorted(choices), rng.randrange(1, 4))}
        expected = sorted(i for i, d in last.items() if matches(d, query))
        api = rng.choice([service.a, service.b])
        got = [s["id"] for s in pages(api, "/schedules?" + urllib.parse.urlencode({**query, "limit": rng.choice([5, 100])}))]
        assert got == expected, query
        hits += bool(expected)
    assert hits > 30


def test_every_call_that_takes_a_version_judges_it(service, receiver):
    d = definition(receiver.url + "/x", "cron", "0 0 * * *", "v")
    made = service.a.register(d)
    here = f"/schedules/{made['id']}"
    range_ = {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00", "dry_run": True}
    calls = [
        ("PUT", here, d), ("POST", here + "/update", d), ("POST", here + "/pause", None), ("POST", here + "/resume", None),
        ("POST", here + "/trigger", None), ("POST", here + "/backfill", range_), ("DELETE", here, None),
    ]  # fmt: skip
    for method, path, body in calls:
        current = service.a.get(here).headers["ETag"]
        stale = f'"{int(current.strip(chr(34))) + 1}"'
        for wrong, status in ((stale, 412), (f"W/{current}", 412), ("x", 400), ("", 400)):
            answer = service.b.call(method, path, body, headers={"If-Match": wrong})
            assert answer.status == status, (method, path, wrong, answer)
        assert service.a.get(here).headers["ETag"] == current, "a refusal changed something"
        right = service.b.call(method, path, body, headers={"If-Match": current})
        assert right.status in (200, 202), (method, path, right)
        if "ETag" in right.headers:
            assert right.headers["ETag"] == service.a.get(here).headers["ETag"]
    assert service.a.get(here).status == 404
    again = service.a.register(d)
    answer = service.a.get(f"/schedules/{again['id']}", headers={"If-None-Match": '"1"'})
    assert (answer.status, answer.body) == (304, b"")
    assert service.a.get(f"/schedules/{again['id']}", headers={"If-None-Match": '"2"'}).status == 200


def test_a_cursor_that_is_none_is_refused(service):
    for cursor in ("x", "i", "i00000000-0000-7000-8000-00000000000g", "j00000000-0000-7000-8000-000000000000", ""):
        for path in ("/schedules", "/runs"):
            answer = service.a.get(path, query={"cursor": cursor})
            assert answer.status == 422 and json.loads(answer.body)["errors"][0]["parameter"] == "cursor", answer

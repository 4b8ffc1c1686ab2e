"""The same random changes by REST to one service and by GraphQL to another: what each is told, and what is stored."""

import difflib
import json
import random
import time

import pytest

import graphql_sides
from graphql_ground import as_graphql
from harness import wait_until
from postgres_peer import Postgres
from receiver import answer

STORES = ["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed"))]
SEEDS = {"fixed": 20261123, "fresh": time.time_ns()}
CHANGES = 220
NAMES = [f"s{i}" for i in range(9)]


# --- definitions ---


def timing(rng):
    return rng.choice([
        {"type": "cron", "schedule": rng.choice(["0 0 1 1 *", "30 0 0 1 1 *", "@yearly", "0 12 29 2 *", "H H 1 jan ?"])},
        {"type": "date", "schedule": rng.choice(["2099-01-01T00:00:00", "2099-06-01T12:00:00.5Z", "2099-06-01T12:00:00+02:00"])},
        {"type": "delay", "schedule": "10000000"},
        {"type": "delay-recur", "schedule": "10000000.5"},
        {"type": "now", "schedule": "", "paused": True},
    ])  # fmt: skip


def some(rng, members, share=0.3):
    return {k: v() for k, v in members.items() if rng.random() < share}


def task(rng, target):
    kind = rng.choices(["rest", "kafka", "redis"], [10, 1, 1])[0]
    common = some(rng, {
        "data": lambda: rng.choice([{"a": [1, None, {"retryWait": 1, "retry_wait": 2}]}, "text", 7, [], None, {"tlsInsecure": True}]),
        "history_check": lambda: rng.random() < 0.7,
        "failed_policy": lambda: rng.choice(["ignore", "retry", "retry_dlq", "retry_dlq"]),
        "retry_wait_max": lambda: 3600,
        "retry_backoff": lambda: rng.choice([1, 1.5]),
        "max_retry_count": lambda: rng.choice([0, 0, 1]),
        "retry_for": lambda: 100000.25,
        "timeout": lambda: rng.choice([5, 7.5]),
        "body": lambda: rng.choice(["data", "event"]),
    }, 0.45)  # fmt: skip
    common["retry_wait"] = rng.choice([1800, 3000.5])
    if kind == "rest":
        connection = {"host": f"{target}/{rng.choice(['ok', 'fail'])}", **some(rng, {
            "headers": lambda: {"X-One": "한글 \u2713", "Authorization": "Bearer secret", "retry_wait": "3"},
            "tls": lambda: {"insecure": False},
        })}  # fmt: skip
        common |= some(rng, {"method": lambda: rng.choice(["PUT", "PATCH"])})
    elif kind == "kafka":
        connection = {"host": "127.0.0.1:1", "topic": "t", "config": {"security.protocol": "plaintext"}}
        common["timeout"] = 0.25  # nobody is there, for which it waits
    else:
        connection = {"host": "127.0.0.1:1", "topic": "t", **some(rng, {"mode": lambda: rng.choice(["publish", "list"])}, 0.6)}
        if rng.random() < 0.3:
            connection |= {"mode": "stream", "maxlen": 1000}
    return {"type": kind, "connection": connection, **common}


def right(rng, name, target):
    """A definition that is in order, and does nothing by itself while the test runs."""
    return {
        "name": rng.choice([name, "another \u2713", "same"]),
        "client": {"group": graphql_sides.GROUP, "key": name, **some(rng, {"type": lambda: "", "application": lambda: "app,1"}, 0.0)},
        **some(rng, {
            "timezone": lambda: rng.choice(["UTC", "Europe/Berlin", "America/New_York"]),
            "start_at": lambda: "2026-01-01T00:00:00",
            "end_at": lambda: "2199-01-01T00:00:00Z",
            "max_runs": lambda: 1000,
            "jitter": lambda: rng.choice([0, 1.5]),
            "misfire": lambda: rng.choice(["once", "all", "skip"]),
            "max_lateness": lambda: rng.choice([100000, None]),
            "overlap": lambda: rng.choice(["skip", "allow", "queue", "replace"]),
            "paused": lambda: rng.random() < 0.5,
        }),
        **timing(rng),
        "task": task(rng, target),
    }  # fmt: skip


# What the service judges: (where, what).
WRONG_VALUES = [
    ("schedule", "61 * * * *"), ("timezone", "Mars/Olympus"), ("jitter", -1), ("jitter", 1e9), ("max_runs", 0), ("start_at", "soon"),
    ("end_at", "2020-01-01T00:00:00Z"), ("max_lateness", -2), ("task/retry_wait", -1), ("task/retry_backoff", 0.5),
    ("task/retry_backoff", 1000), ("task/timeout", 0), ("task/method", "FROB"), ("task/sign", "nobody"), ("task/max_retry_count", -2),
    ("task/connection/host", "ftp://x/"), ("task/connection/host", ""), ("task/connection/headers", {"bad name": "x"}),
    ("task/connection/headers", {"X-A": 1}), ("task/connection/headers", {"X-A": "a\nb"}), ("task/connection/headers", ["x"]),
    ("task/connection/tls", {"insecure": True}), ("task/connection/topic", "a b"), ("task/connection/maxlen", 0),
    ("task/connection/config", {"no.such": "x"}), ("name", "n" * 5000),
]  # fmt: skip
# What GraphQL's types refuse.
WRONG_TYPES = [
    ("name", 1), ("type", "sometimes"), ("jitter", "x"), ("max_runs", 1.5), ("paused", "yes"), ("misfire", "twice"), ("colour", "red"),
    ("task", None), ("task", "x"), ("task/type", "fax"), ("task/connection", None), ("task/connection/host", 5), ("task/body", "soul"),
    ("task/history_check", 1), ("task/retries", 3), ("client/kind", "x"), ("name", None), ("task/max_retry_count", 2**60),
]  # fmt: skip


def put_at(definition, where, value):
    *steps, last = where.split("/")
    holder = definition
    for step in steps:
        holder = holder[step] if isinstance(holder.get(step), dict) else holder.setdefault(step, {})
    holder[last] = value


def wrong(rng, name, target, typed):
    made = right(rng, name, target)
    changes = rng.sample(WRONG_TYPES, 1) if typed else []
    for where, value in [*rng.sample(WRONG_VALUES, rng.choice([1, 1, 2, 3]) if not typed else rng.choice([0, 1])), *changes]:
        put_at(made, where, value)
    return made


# --- changes ---


def change(rng, target):
    """What is done, as the name of a method and its arguments."""
    name = rng.choice(NAMES) if rng.random() < 0.95 else "nobody"
    kind = rng.choices(
        ["register", "refused", "mistyped", "many", "replace", "delete", "matching", "pause", "resume", "trigger", "backfill",
         "redrive", "discard", "redrive_many", "preview"],
        [14, 10, 6, 6, 6, 2, 3, 6, 6, 20, 5, 9, 6, 6, 6],
    )[0]  # fmt: skip
    if kind == "register":
        return "register", name, right(rng, name, target)
    if kind in ("refused", "mistyped"):
        made = wrong(rng, name, target, kind == "mistyped")
        return ("replace", name, made, None) if rng.random() < 0.3 else ("register", name, made)
    if kind == "many":
        items = [(n, right(rng, n, target) if rng.random() < 0.7 else wrong(rng, n, target, False)) for n in rng.sample(NAMES, 4)]
        return "register_many", items
    if kind == "replace":
        other = rng.choice(NAMES) if rng.random() < 0.2 else name
        return "replace", name, right(rng, other, target), rng.choice([None, None, 1, 2, 3])
    if kind == "matching":
        filters = rng.choice([{"key": name}, {"group": graphql_sides.GROUP, "state": "paused"}, {"name": "another"}, {}, {"key": "none"},
                              {"name": ""}, {"key": "a\0b"}, {"name": "\0", "group": graphql_sides.GROUP}])  # fmt: skip
        return "delete_matching", filters
    if kind == "backfill":
        begin, end = rng.choice([("2020-01-01T00:00:00", "2024-01-01T00:00:00"), ("2024-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
                                 ("x", "2024-01-01"), ("2023-06-01T00:00:00", "2026-06-01T00:00:00")])  # fmt: skip
        return "backfill", name, begin, end, rng.choice([True, False, None])
    if kind in ("redrive", "discard"):
        return kind, name, rng.randrange(4)
    if kind == "redrive_many":
        return "redrive_many", rng.choice([
            {"all": True}, {"schedule": name}, {"schedule": name, "limit": 1}, {"ids": [(name, 0), (name, 1)]}, {}, {"all": True, "limit": 0},
            {"all": True, "limit": 20000}, {"ids": []}, {"ids": [(name, 0)], "schedule": name}, {"ids": [(name, 0)], "limit": 3},
        ])  # fmt: skip
    if kind == "preview":
        made = {**timing(rng), **some(rng, {"timezone": lambda: rng.choice(["UTC", "Mars/Olympus"]), "max_runs": lambda: rng.choice([2, 0]),
                                            "client": lambda: {"key": name}})}  # fmt: skip
        made.pop("paused", None)
        return "preview", made, rng.choice([1, 5, 0, 2000]), "2027-01-01T00:00:00Z"
    return kind, name, rng.choice([None, None, None, 1, 2, 999])


# --- what is stored ---

OWN = ("id", "created_at", "updated_at", "next_at", "scheduled_at", "started_at", "due_at", "ended_at", "by_hand_at", "duration_ms")


def stored(side):
    """By REST, without what no two services have alike: ids and times of their own."""
    found = {}
    for schedule in side.schedules():
        key = schedule["client"]["key"]
        shown = {k: v for k, v in schedule.items() if k not in OWN and v is not None}  # null stands for absent
        shown["task"] = {k: v for k, v in schedule["task"].items() if v is not None or k == "data"}  # which is anybody's
        shown["client"] = {**dict.fromkeys(("operation", "application", "group", "key", "type"), ""), **schedule["client"]}
        shown["last"] = schedule["last"] and schedule["last"]["state"]
        shown["due"] = schedule["next_at"] is not None
        if schedule["type"] in ("cron", "date") and not schedule.get("jitter") and not schedule["runs"]:
            shown["next_at"] = schedule["next_at"]
        runs = side.api.runs(schedule["id"], limit=graphql_sides.PAGE)
        shown["all runs"] = [{k: v for k, v in r.items() if k not in (*OWN, "schedule_id")} for r in runs]
        found[key] = shown
    return found


def told(side):
    """The events by schedule, oldest first, those of schedules that are no more too."""
    events = side.api.get("/history", query={"limit": 1000}).json()
    assert len(events) < 1000
    found = {}
    for e in reversed(events):
        key = e["client"]["key"]
        found.setdefault(key, []).append([e["kind"], e.get("reason"), e.get("attempt"), e.get("status"), e.get("name")])
    return {key: sorted(kinds, key=json.dumps) for key, kinds in found.items()}


EVERYTHING = """query($group: String!) {{ schedules(first: 12, filter: {{group: $group}}) {{ nodes {{
    it: __typename ...S runs(first: 100) {{ nodes {run} }} history(first: 100) {{ nodes {event} }} }} }} }}
fragment S on Schedule {schedule}"""


def by_graphql(side):
    g = side.graphql
    query = EVERYTHING.format(run=g.everything("Run"), event=g.everything("Event"), schedule=g.everything("Schedule"))
    return g(query, group=graphql_sides.GROUP)["schedules"]["nodes"]


def by_rest(side):
    g, found = side.graphql, []
    for schedule in side.schedules():
        runs = side.api.runs(schedule["id"], limit=graphql_sides.PAGE)
        events = side.api.get(f"/schedules/{schedule['id']}/history", query={"limit": 100}).json()
        found.append({
            "it": "Schedule", **as_graphql(g, "Schedule", schedule),
            "runs": {"nodes": [as_graphql(g, "Run", r) for r in runs]},
            "history": {"nodes": [as_graphql(g, "Event", e) for e in events]},
        })  # fmt: skip
    return found


def plain(value):
    """1.0 is 1."""
    return json.loads(json.dumps(value), parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text))


def assert_same(ours, theirs):
    if ours != theirs:
        lines = [json.dumps(plain(v), indent=1, sort_keys=True, ensure_ascii=False).splitlines() for v in (ours, theirs)]
        raise AssertionError("\n".join(difflib.unified_diff(*lines, lineterm="", n=6)))


def assert_becomes_same(ours, theirs):
    """Events are on their way to the history for a while."""
    try:
        wait_until(lambda: ours() == theirs(), "the same")
    except AssertionError:
        assert_same(ours(), theirs())


def compare(rest, graphql):
    assert_same(stored(rest), stored(graphql))
    assert_becomes_same(lambda: told(rest), lambda: told(graphql))
    for side in (rest, graphql):
        assert_becomes_same(lambda side=side: by_rest(side), lambda side=side: by_graphql(side))


# --- the test ---


@pytest.fixture(scope="module")
def server():
    one = Postgres()
    one.ask("CREATE DATABASE one")
    one.ask("CREATE DATABASE two")
    yield one
    one.stop()


@pytest.fixture(params=STORES)
def sides(request, make_carillon, receiver):
    receiver.rule("/fail", lambda _: answer(500))
    settings = {"CARILLON_ADMIN_RESET": "true", "CARILLON_DELIVERY_CIRCUIT_FAILURES": "0"}
    if request.param == "sqlite":
        made = [make_carillon(**settings) for _ in range(2)]
    else:
        postgres = request.getfixturevalue("server")
        made = []
        for name in ("one", "two"):
            url = postgres.url.replace("/postgres?", f"/{name}?")
            made.append(make_carillon(**settings, CARILLON_DATABASE_URL=url, CARILLON_HISTORY_URL=url))
    sides = graphql_sides.RestSide(made[0].api), graphql_sides.GraphQLSide(made[1].api)
    for side in sides:
        assert side.reset() is not None
    return sides


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_the_same_changes_by_both_come_to_the_same(sides, receiver, seed):
    rng = random.Random(seed)
    rest, graphql = sides
    seen = {}
    first = [("register_many", [(n, right(rng, n, receiver.url)) for n in NAMES])]
    for number, (what, *arguments) in enumerate([*first, *(change(rng, receiver.url) for _ in range(CHANGES))]):
        ours, theirs = getattr(rest, what)(*arguments), getattr(graphql, what)(*arguments)
        assert graphql_sides.same(ours, theirs), f"seed {seed}, change {number}: {what} {arguments}\n   REST {ours}\nGraphQL {theirs}"
        told_each = ours if isinstance(ours, list) else [ours]
        seen.setdefault(what, set()).update("refused" if isinstance(one, graphql_sides.Refused) else "done" for one in told_each)
        if what in ("trigger", "backfill", "redrive", "redrive_many", "resume"):
            for side in sides:
                side.settle()
        if number % 65 == 64:
            compare(rest, graphql)
    if seed == SEEDS["fixed"]:
        assert len(seen) == 13 and sum(len(outcomes) == 2 for outcomes in seen.values()) >= 10, seen
    removed = rest.reset()
    assert removed == graphql.reset() and not rest.schedules() and not graphql.schedules()
    print(f"seed {seed}: {CHANGES} changes, {sorted(seen)}")

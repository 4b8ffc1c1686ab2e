"""Lists within lists cost as many statements of PostgreSQL for a thousand schedules as for ten."""

import pytest

from graphql_ground import GraphQL
from harness import definition, wait_until
from postgres_peer import Postgres

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

FEW, MANY = 10, 1000
TARGET = "http://127.0.0.1:9/"  # nobody calls it: there is no worker


@pytest.fixture(scope="module")
def server():
    one = Postgres(shared_preload_libraries="pg_stat_statements")
    one.ask("CREATE EXTENSION pg_stat_statements")
    yield one
    one.stop()


def schedules(count):
    return [definition(TARGET, "date", "2099-01-01T00:00:00", key=str(n), task={"history_check": True}) for n in range(count)]


@pytest.fixture
def make_filled(make_carillon, postgres):
    """A service with so many schedules, of each of which there are two runs and three events."""

    def make(count):
        postgres.ask("DROP SCHEMA IF EXISTS carillon CASCADE")
        postgres.ask("DROP SCHEMA IF EXISTS carillon_history CASCADE")
        settings = {"CARILLON_DATABASE_URL": postgres.url, "CARILLON_HISTORY_URL": postgres.url}
        carillon = make_carillon(**settings, CARILLON_ROLES="api")
        ids = [r["id"] for r in carillon.api.post("/schedules/batch", schedules(count)).json()]
        client = GraphQL(carillon.api)
        for at in range(0, 2 * count, 50):
            acts = [f'a{n}: triggerSchedule(id: "{ids[n % count]}") {{ id }}' for n in range(at, min(at + 50, 2 * count))]
            client("mutation { " + " ".join(acts) + " }")
        last = ids[(2 * count - 1) % count]
        wait_until(lambda: len(carillon.api.get(f"/schedules/{last}/history").json()) == 3, "the last event")
        return client

    return make


def statements(postgres, work):
    """How many were carried out that read or write what there may be many of; and what it gave."""
    postgres.ask("SELECT pg_stat_statements_reset()")
    answer = work()
    rows = postgres.ask(
        "SELECT calls, regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements "
        """WHERE query ~ '"carillon(_history)?"\\.(schedule|timer|run|run_log|history)\\M' AND query !~ 'history_outbox'"""
    )
    return sum(int(calls) for calls, _ in rows), answer, rows


RUNS = "nodes { id schedule { name task { type } } }"
EVENTS = "nodes { kind schedule { id } }"
QUERIES = {
    "schedules with runs and events": (
        f"{{ schedules(first: 1000) {{ nodes {{ id runs(first: 1) {{ {RUNS} }} history(first: 2) {{ {EVENTS} }} }} }} }}",
        lambda d: len([r for s in d["schedules"]["nodes"] for r in s["runs"]["nodes"] if r["schedule"]["task"]["type"] == "REST"]),
    ),
    "pending runs of schedules": (
        "{ schedules(first: 1000) { nodes { runs(state: PENDING, first: 2) { pageInfo { hasNextPage } nodes { id } } } } }",
        lambda d: sum(len(s["runs"]["nodes"]) for s in d["schedules"]["nodes"]) // 2,
    ),
    "runs with their schedules and those' runs": (
        "{ runs(first: 1000) { nodes { schedule { id runs(first: 1, state: DEAD) { nodes { id } } } } } }",
        lambda d: len({r["schedule"]["id"] for r in d["runs"]["nodes"]}),
    ),
    "events with their schedules": (
        "{ history(first: 1000, kind: REGISTERED) { nodes { schedule { id nextAt } } } }",
        lambda d: len({e["schedule"]["id"] for e in d["history"]["nodes"]}),
    ),
}  # fmt: skip
MOST = 8


def test_a_thousand_schedules_cost_as_many_statements_as_ten(make_filled, postgres):
    counted = {}
    for count in (FEW, MANY):
        client = make_filled(count)
        for name, (query, there) in QUERIES.items():
            client(query)  # what is prepared is prepared now
            counted[name, count], data, rows = statements(postgres, lambda query=query: client(query))
            assert there(data) == count or (name.startswith("runs") and there(data) == count // 2), (name, there(data))
            assert counted[name, count] > 0, rows
    for name in QUERIES:
        assert counted[name, FEW] == counted[name, MANY] <= MOST, (name, counted)
    print(counted)


def test_a_large_batch_reads_what_it_registered_at_once(make_filled, postgres):
    client = make_filled(FEW)
    register = """mutation($definitions: [ScheduleInput!]!) { registerSchedules(definitions: $definitions) {
        created schedule { id runs(first: 1) { nodes { id } } } error { detail } } }"""
    counted = []
    for count in (FEW, MANY):
        items = [
            {"name": "x", "client": {"key": f"batch {count} {n}"}, "type": "DATE", "schedule": "2099-01-01T00:00:00",
             "task": {"type": "REST", "connection": {"host": TARGET}}}
            for n in range(count)
        ]  # fmt: skip
        n, data, _ = statements(postgres, lambda items=items: client(register, definitions=items))
        assert all(r["created"] and r["schedule"]["runs"]["nodes"] == [] for r in data["registerSchedules"])
        counted.append(n)
    assert counted[0] == counted[1], counted

"""What must not grow with the number of schedules, by the database's own counts: no sequential scan, and as many rows read
for a fire, a page or a deletion beside 100,000 schedules as beside none. Times are for bench/scale.py, with a million.
"""

import pytest

from harness import definition, wait_until
from many import KEY, Reads, multiply
from postgres_peer import Postgres
from siege import SECOND, iso, now_us, register_all

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

MANY = 100_000
FIRES = 200
# A fire reads its timer, schedule and run, when it is claimed, recorded and looked at: no more than these rows.
ROWS_A_FIRE = 25


@pytest.fixture
def postgres():
    # What the planner knows shall be what the test says, not what a lucky autovacuum found.
    one = Postgres(autovacuum="off", max_wal_size="2GB")
    yield one
    one.stop()


@pytest.mark.parametrize("statistics", ["never analyzed", "analyzed"])
def test_nothing_on_a_hot_path_reads_more_beside_many_schedules(postgres, make_carillon, counting, statistics):
    far = iso(now_us() + 365 * 86400 * SECOND)
    settings = {"CARILLON_DATABASE_URL": postgres.url}
    one = make_carillon(**settings)
    # All of one application, one group and one instant: where statistics mislead most.
    one.api.register(definition("http://127.0.0.1:9/", "date", far, KEY))
    assert one.stop() == 0
    multiply(postgres, MANY)
    if statistics == "analyzed":
        postgres.ask("ANALYZE")

    reads = Reads(postgres)
    one.start()
    # What is due is found among them, claimed and recorded.
    due = now_us() + 2 * SECOND
    mine = [definition(counting.url + "/x", "date", iso(due + i * 5000), f"mine {i}") for i in range(FIRES)]
    for d in mine:
        d["client"]["application"] = "mine"
    ids = register_all(one.api, mine)
    wait_until(lambda: len(counting.arrivals()) >= FIRES, "all have come", 60)
    for i in ids[::20]:
        one.api.wait_finished(i)
    scans, rows = reads.since()
    assert len(counting.by_key()) == len(counting.arrivals()) == FIRES
    assert scans == 0
    assert rows < FIRES * ROWS_A_FIRE

    # Pages, and what is asked by name.
    reads = Reads(postgres)
    pages = [{}, {"application": "tests"}, {"group": "g"}, {"key": "key77"}, {"application": "mine", "state": "finished"}]
    for query in pages:
        assert len(one.api.get("/schedules", query={**query, "limit": 50}).json()) >= 1
    middle = one.api.get("/schedules", query={"key": f"key{MANY // 2}"}).json()[0]
    assert one.api.get(f"/schedules/{middle['id']}").status == 200
    # A page deep in the list is read where it begins, not from the first on.
    path, seen = "/schedules?limit=1000", 0
    for _ in range(5):
        answer = one.api.get(path)
        seen += len(answer.json())
        path = answer.headers["Link"].split("<")[1].split(">")[0]
    assert seen == 5000
    scans, rows = reads.since()
    assert scans == 0
    assert rows < 2000 + 5000 * 4

    # What ends: one, a few of many, none of many.
    reads = Reads(postgres)
    assert one.api.post(f"/schedules/{middle['id']}/pause").status == 200
    assert one.api.delete(f"/schedules/{middle['id']}").status == 200
    assert one.api.delete("/schedules", query={"application": "mine"}).json() == {"count": FIRES}
    assert one.api.delete("/schedules", query={"application": "nobody"}).json() == {"count": 0}
    assert one.api.delete("/schedules", query={"group": "nobody"}).json() == {"count": 0}
    scans, rows = reads.since()
    assert scans == 0
    assert rows < FIRES * ROWS_A_FIRE

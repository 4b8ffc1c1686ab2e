"""A newer Carillon migrates the schema beside older ones that run: they go on, through lost connections too; only a
start of an older one is refused, and says why.

What a newer one will do is played by SQL: columns that the older does not know, and the next schema number.
"""

import concurrent.futures

import pytest

from harness import definition, wait_until
from postgres_peer import Postgres
from siege import Siege, judge_record

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

NEWER = """
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('carillon'), hashtext('carillon'));
ALTER TABLE carillon.schedule ADD COLUMN later text;
ALTER TABLE carillon.timer ADD COLUMN later bigint NOT NULL DEFAULT 0;
ALTER TABLE carillon.run ADD COLUMN later bigint;
ALTER TABLE carillon.run_log ADD COLUMN later bigint;
ALTER TABLE carillon.instance ADD COLUMN later bigint;
CREATE TABLE carillon.later (n bigint);
UPDATE carillon.meta SET value = (value::bigint + 1)::text WHERE key = 'schema_version';
COMMIT
"""


@pytest.fixture
def postgres():
    one = Postgres()
    yield one
    one.stop()


def test_older_instances_go_on_through_a_migration_and_lost_connections(postgres, make_carillon, counting):
    settings = {"CARILLON_DATABASE_URL": postgres.url, "CARILLON_SCHEDULER_FETCH_INTERVAL": "1s"}
    settings["CARILLON_SCHEDULER_LEASE"] = "3s"
    both = [make_carillon(**settings) for _ in range(2)]
    siege = Siege(both, counting, seconds=6)
    siege.until(1.5)
    postgres.ask(NEWER)
    siege.until(3.1)
    with siege.fault("connections cut"):
        assert postgres.cut_connections() >= 2
    siege.finish(both[0].api)
    judge_record(postgres, siege)
    # It answers, registers and replaces as before.
    made = both[1].api.register(definition(counting.url + "/after", "now"))
    both[0].api.wait_finished(made["id"])
    assert both[1].api.register(definition(counting.url + "/after", "delay", "1000"))["id"] == made["id"]
    assert all(one.api.get("/readyz").status == 200 for one in both)


def test_an_older_one_does_not_start_on_a_newer_schema_and_says_why(postgres, make_carillon):
    settings = {"CARILLON_DATABASE_URL": postgres.url}
    first = make_carillon(**settings)
    postgres.ask(NEWER)
    second = make_carillon(start=False, **settings)
    with pytest.raises(AssertionError, match="was made by a newer one"):
        second.start()
    assert first.api.get("/readyz").status == 200


def test_instances_that_start_at_once_make_one_schema(postgres, make_carillon, receiver):
    many = [make_carillon(start=False, CARILLON_DATABASE_URL=postgres.url) for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(len(many)) as at_once:
        list(at_once.map(lambda one: one.start(), many))
    for i, one in enumerate(many):
        one.api.register(definition(receiver.url + "/x", "now", "", f"k{i}"))
    receiver.wait_for(6, "/x")
    wait_until(lambda: len(many[0].api.get("/instances").json()) == 6, "all know of all")
    assert postgres.ask("SELECT count(*) FROM carillon.meta WHERE key = 'schema_version'") == [["1"]]

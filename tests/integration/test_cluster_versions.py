"""PostgreSQL 13 to 17. Debian has one of them, which all other tests take; the others are fetched, or skipped with their
reason.

Each must pass the conformance suite of all stores, keep its plans to the indexes (every version has another planner), and
carry two instances through a restart.
"""

import os
import subprocess

import pytest

from harness import definition, wait_until
from kafka_peer import build_folder
from postgres_peer import Postgres
from postgres_versions import VERSIONS, Server

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

PROGRAM_S = 150


@pytest.fixture(scope="module", params=sorted(VERSIONS))
def server(request):
    one = Server(request.param)
    if not one.bin:
        pytest.skip(f"PostgreSQL {request.param}: {one.why}")
    yield one
    one.remove()


def passes(server, program, *arguments):
    done = subprocess.run(
        [build_folder() / "tests" / program, *arguments],
        env={**os.environ, "CARILLON_PG_BIN": str(server.bin)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]


def test_the_conformance_suite_passes(server):
    passes(server, "contract/contract_store", "postgres")


# The planners of the oldest and of the newest.
@pytest.mark.parametrize("server", [min(VERSIONS), max(VERSIONS)], indirect=True)
def test_no_statement_reads_a_table_from_end_to_end(server):
    passes(server, "unit/store/test_store_postgres_plan")


@pytest.fixture
def postgres(server):
    one = Postgres(server_bin=server.bin)
    yield one
    one.stop()


def test_two_instances_share_it_through_a_restart(postgres, make_carillon, receiver):
    settings = {"CARILLON_DATABASE_URL": postgres.url, "CARILLON_SCHEDULER_FETCH_INTERVAL": "1s"}
    both = [make_carillon(**settings) for _ in range(2)]
    ids = []
    for i in range(40):
        if i == 20:
            postgres.restart("immediate")
        ids.append(both[i % 2].api.register(definition(receiver.url + "/x", "delay", "0.5", f"k{i}"))["id"])
    for schedule_id in ids:
        both[0].api.wait_finished(schedule_id)
    assert {r.key.split("/")[0] for r in receiver.requests("/x")} == set(ids)
    assert both[1].api.delete("/schedules", query={"application": "tests"}).json() == {"count": 40}
    wait_until(lambda: both[0].api.get("/schedules").json() == [], "the other sees it")

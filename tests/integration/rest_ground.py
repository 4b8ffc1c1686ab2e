"""What the tests of the REST surface stand on: the same service over each store; on PostgreSQL of two instances."""

import pytest

from postgres_peer import Postgres

STORES = ["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed"))]


class Service:
    """`a` and `b` are the API of two instances; of one where the store has only one."""

    def __init__(self, instances):
        self.instances = instances

    @property
    def a(self):
        return self.instances[0].api

    @property
    def b(self):
        return self.instances[-1].api


@pytest.fixture(scope="module")
def _servers():
    made = {}
    yield made
    for one in made.values():
        one.stop()


@pytest.fixture(params=STORES)
def make_service(request, make_carillon, _servers):
    def make(**settings):
        if request.param == "sqlite":
            return Service([make_carillon(**settings)])
        if "postgres" not in _servers:
            _servers["postgres"] = Postgres()
        server = _servers["postgres"]
        server.ask("DROP SCHEMA IF EXISTS carillon CASCADE")
        common = {"CARILLON_DATABASE_URL": server.url, "CARILLON_SCHEDULER_LEASE": "3s", **settings}
        return Service([make_carillon(**common) for _ in range(2)])

    return make


@pytest.fixture
def service(make_service):
    return make_service()

"""graphql.py: what GraphQL costs next to the REST API's call that does the same, in one run. Used by run.py."""
import json
import os
import time

from service import Service, running

CONNECTIONS = 64
DEFINITION = {
    "name": "bench",
    "client": {"operation": "op#1", "application": "chef", "group": "system", "key": "%d", "type": "scheduler"},
    "type": "cron",
    "schedule": "30 0 0 1 1 *",
    "timezone": "Asia/Seoul",
    "task": {
        "type": "rest",
        "connection": {"host": "http://127.0.0.1:9/api/run/DELAY-TEST-9",
                       "headers": {"Content-Type": "application/json", "accept": "*/*", "Authorization": "Bearer token"}},
        "data": {"instanceName": "delay-test-999", "variables": {}},
        "history_check": False,
        "failed_policy": "retry",
        "retry_wait": 60,
    },
}
INPUT = {
    **DEFINITION,
    "type": "CRON",
    "task": {"type": "REST", "historyCheck": False, "failedPolicy": "RETRY", "retryWait": 60,
             **{k: DEFINITION["task"][k] for k in ("connection", "data")}},
}
# What POST /schedules answers, and what GET /schedules shows of each.
REGISTER = """mutation($definition: ScheduleInput!) { registerSchedule(definition: $definition) { created schedule {
  id name client { operation application group key type } version state nextAt } } }"""
REGISTER_ONLY = "mutation($definition: ScheduleInput!) { registerSchedule(definition: $definition) { created id version } }"
PAGE = """{ schedules(first: 100) { nodes { id name client { operation application group key type } type schedule timezone
  task { type connection { host headers } data historyCheck failedPolicy retryWait }
  version state createdAt updatedAt nextAt last { state at } runCount openRunCount missed { reason count } }
  pageInfo { hasNextPage endCursor } } }"""
NESTED = "{ schedules(first: 100) { nodes { id name runs(first: 10) { nodes { id state attempt status durationMs } } } } }"


def measured(service, work):
    """What `work` says of its requests, and what one cost the service."""
    cpu = service.cpu_s()
    found = work()
    found["cpu_us"] = (service.cpu_s() - cpu) / found["n"] * 1e6
    return found


def posted(wrk, service, path, body, seconds):
    def work():
        os.environ["BENCH_BODY"] = body
        found = wrk(f"{service.url}{path}", CONNECTIONS, seconds, "posted.lua")
        del os.environ["BENCH_BODY"]
        return {**found, "n": found["per_s"] * seconds}

    return measured(service, work)


def asked_one_by_one(service, work, seconds):
    def repeat():
        begin, done = time.monotonic(), 0
        while time.monotonic() - begin < seconds:
            work()
            done += 1
        return {"n": done, "per_s": done / (time.monotonic() - begin), "p99": "-", "errors": 0}

    return measured(service, repeat)


def line(what, rest, graphql):
    errors = rest["errors"] + graphql["errors"]
    print(f"{what:>20} {rest['per_s']:>9.0f} {graphql['per_s']:>9.0f} {rest['cpu_us']:>12.0f} {graphql['cpu_us']:>12.0f} "
          f"{graphql['cpu_us'] / rest['cpu_us']:>6.2f} {rest['p99']:>10} {graphql['p99']:>10} {errors:>7}")


def registered(wrk, path, body, seconds):
    service = Service()
    with running(service):
        found = posted(wrk, service, path, json.dumps(body), seconds)
        if service.client.must("GET", "/schedules?limit=1") == []:
            raise RuntimeError(f"{path} registered nothing")
    return found


def registering(wrk, seconds):
    rest = registered(wrk, "/schedules", DEFINITION, seconds)
    for what, query in (("a registration", REGISTER_ONLY), ("... and read back", REGISTER)):
        line(what, rest, registered(wrk, "/graphql", {"query": query, "variables": {"definition": INPUT}}, seconds))


def reading(wrk, seconds):
    service = Service()
    with running(service):
        made = [json.loads(json.dumps(DEFINITION).replace("%d", str(n))) for n in range(100)]
        service.client.register(made)
        page = json.dumps({"query": PAGE})
        shown = service.client.must("POST", "/graphql", json.loads(page))
        if len(shown["data"]["schedules"]["nodes"]) != 100:
            raise RuntimeError(f"no page of 100: {shown}")

        def get():
            found = wrk(f"{service.url}/schedules?limit=100", CONNECTIONS, seconds)
            return {**found, "n": found["per_s"] * seconds}

        line("a page of 100", measured(service, get), posted(wrk, service, "/graphql", page, seconds))
        ids = [s["id"] for s in service.client.must("GET", "/schedules?limit=100")]
        for one in ids * 10:
            service.client.must("POST", f"/schedules/{one}/trigger")

        def by_rest():
            for schedule in service.client.must("GET", "/schedules?limit=100"):
                service.client.must("GET", f"/schedules/{schedule['id']}/runs?limit=10")

        def by_graphql():
            service.client.must("POST", "/graphql", {"query": NESTED})

        line("... with runs each", asked_one_by_one(service, by_rest, seconds), asked_one_by_one(service, by_graphql, seconds))


def bench_graphql(wrk, seconds=5):
    print(f"graphql: requests a second by REST and by GraphQL, {CONNECTIONS} connections; the last line one connection, 101 requests to 1")
    print(f"{'':>20} {'REST/s':>9} {'GraphQL/s':>9} {'REST CPU us':>12} {'GQL CPU us':>12} {'ratio':>6} {'REST p99':>10} {'GQL p99':>10} {'errors':>7}")
    registering(wrk, seconds)
    reading(wrk, seconds)

"""Every query and mutation of the schema, over the built binary and each store, held against what the REST API tells."""

import re

import pytest

from harness import definition, wait_until
from receiver import answer
from rest_ground import _servers, make_service, service  # noqa: F401 (fixtures)

NOBODY = "00000000-0000-7000-8000-000000000000"
LONG = 90

# --- asking ---


def post(api, document, variables=None, **headers):
    got = api.post("/graphql", {"query": document, "variables": variables or {}}, headers=headers)
    assert got.status == 200, got
    return got.json()


def ask(api, document, **variables):
    """The data of what must not fail."""
    got = post(api, document, variables)
    assert "errors" not in got, got
    return got["data"]


def error(api, document, **variables):
    """The one error of what must fail; its field is null."""
    got = post(api, document, variables)
    assert len(got["errors"]) == 1, got
    field = got["errors"][0]["path"][0]
    assert got["data"] is None or got["data"][field] is None, got
    return got["errors"][0]


def code(*asked, **variables):
    return error(*asked, **variables)["extensions"]["code"]


# --- one API's names in the other's ---

WORDS = {"type", "state", "failed_policy", "misfire", "overlap", "body", "mode", "kind", "note", "reason"}
ANYBODYS = {"data", "headers", "config"}
# Members of both, but texts: what a resource is a type of, and why something happened.
TEXTS = {("client", "type"), ("event", "reason")}


def camel(name):
    return re.sub(r"_(.)", lambda m: m[1].upper(), name)


def capital(word):
    return word.upper().replace("-", "_")


def told(value, place=""):
    """What REST tells as GraphQL should."""
    if isinstance(value, list):
        return [told(v, place) for v in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, v in value.items():
        if name == "tls":
            found["tlsInsecure"] = v["insecure"]
        elif name in ANYBODYS:
            found[name] = v
        elif name in WORDS and v is not None and (place, name) not in TEXTS:
            found[camel(name)] = capital(v)
        else:
            found[camel(name)] = told(v, name)
    return found


def asked(rest):
    """The same, for a definition that is sent."""
    return told(rest)


CLIENT = "client { operation application group key type }"
TASK = """task { type connection { host headers topic config mode maxlen tlsInsecure } data historyCheck failedPolicy retryWait
  retryWaitMax retryBackoff maxRetryCount retryFor method timeout body sign }"""
SCHEDULE = f"""id version state name {CLIENT} type schedule timezone {TASK} startAt endAt maxRuns jitter misfire maxLateness overlap
  paused definition createdAt updatedAt nextAt last {{ state at }} runCount openRunCount missed {{ reason count }}"""
RUN = """id scheduleId scheduleVersion scheduledAt state attempt failures dueAt startedAt endedAt durationMs status error byHandAt"""
EVENT = f"""id at kind scheduleId name {CLIENT} runId scheduledAt until count attempt retryAt status durationMs reason error answer"""
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

# What a definition's absent members mean.
PRESETS = {"startAt": None, "endAt": None, "maxRuns": None, "jitter": 0, "misfire": "ONCE", "maxLateness": None, "overlap": "SKIP",
           "paused": False, "schedule": ""}
TASK_PRESETS = {"data": None, "historyCheck": False, "failedPolicy": "IGNORE", "retryWait": 60, "retryWaitMax": 3600, "retryBackoff": 1,
                "maxRetryCount": -1, "retryFor": 86400, "method": "POST", "timeout": 10, "body": "DATA", "sign": None}
TARGET_PRESETS = {"headers": None, "topic": None, "config": None, "mode": None, "maxlen": None, "tlsInsecure": None}
READ_ONLY = ["id", "version", "state", "created_at", "updated_at", "next_at", "last", "runs", "open_runs", "missed"]


def as_told(rest):
    """A schedule as REST shows it, as GraphQL should."""
    found = {**PRESETS, **told({k: v for k, v in rest.items() if k != "missed"})}
    found["task"] = {**TASK_PRESETS, **found["task"], "connection": {**TARGET_PRESETS, **found["task"]["connection"]}}
    found["client"] = {**{m: "" for m in ("operation", "application", "group", "key", "type")}, **rest.get("client", {})}
    found["runCount"], found["openRunCount"] = found.pop("runs"), found.pop("openRuns")
    found["missed"] = [{"reason": capital(r), "count": n} for r, n in rest["missed"].items()]
    found["definition"] = {k: v for k, v in rest.items() if k not in READ_ONLY}
    if found["last"]:
        found["last"]["state"] = capital(rest["last"]["state"])
    return found


def schedule_of(api, schedule_id):
    return ask(api, f"query($id: ID!) {{ schedule(id: $id) {{ {SCHEDULE} }} }}", id=schedule_id)["schedule"]


def rich(url, key="rich"):
    """Most of what a definition may hold."""
    return definition(
        url,
        "delay-recur",
        "3600",
        key=key,
        start_at="2026-01-01T00:00:00",
        end_at="2099-01-01T00:00:00",
        max_runs=7,
        jitter=0.5,
        misfire="all",
        max_lateness=30.5,
        overlap="queue",
        task={
            "history_check": True,
            "failed_policy": "retry_dlq",
            "retry_wait": 0.25,
            "retry_wait_max": 9,
            "retry_backoff": 1.5,
            "max_retry_count": 2,
            "retry_for": 60,
            "method": "PUT",
            "timeout": 5,
            "body": "event",
            "data": {"snake_case": {"camelCase": [None, 1.5, "NOW"]}},
            "connection": {"host": url, "headers": {"X-snake_case": "delay-recur", "Authorization": "Bearer secret"}},
        },
    )


REGISTER = f"""mutation($d: ScheduleInput!) {{ registerSchedule(definition: $d) {{ created id version schedule {{ {SCHEDULE} }} }} }}"""


def register(api, what):
    return ask(api, REGISTER, d=asked(what))["registerSchedule"]


# --- schedules ---


def test_a_schedule_is_told_as_rest_tells_it_whoever_registered_it(service, receiver):
    by_rest = service.a.register(rich(receiver.url + "/x", key="a"))["id"]
    by_graphql = register(service.a, rich(receiver.url + "/x", key="b"))
    assert by_graphql["created"] is True and by_graphql["version"] == 1
    for one in (by_rest, by_graphql["id"]):
        assert schedule_of(service.b, one) == as_told(service.b.schedule(one))
    assert by_graphql["schedule"] == as_told(service.a.schedule(by_graphql["id"]))
    first, second = service.a.schedule(by_rest), service.a.schedule(by_graphql["id"])
    for name in [*READ_ONLY, "client", "name"]:
        first.pop(name), second.pop(name)
    first["task"].pop("data"), second["task"].pop("data")
    assert first == second


def test_what_a_definition_does_not_say_is_told_by_what_it_means(service):
    least = {"name": "least", "type": "now", "task": {"type": "rest", "connection": {"host": "http://127.0.0.1:1/"}}}
    made = register(service.a, {**least, "type": "date", "schedule": "2099-01-01T00:00:00"})
    assert made["schedule"] == as_told(service.b.schedule(made["id"]))
    now = ask(service.a, REGISTER, d=asked({**least, "client": {"key": "now"}}))["registerSchedule"]
    assert schedule_of(service.a, now["id"])["schedule"] == ""


def test_a_schedule_is_found_by_its_id_and_by_its_identity(service, receiver):
    made = service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *", key="k"))["id"]
    nobody = definition(receiver.url + "/x", "cron", "0 0 1 1 *", key="n")
    del nobody["client"]
    anonymous = service.a.register(nobody)["id"]
    found = ask(
        service.b,
        """query($id: ID!) { schedule(id: $id) { id }
             client: scheduleByClient(client: {operation: "op", application: "tests", group: "g", key: "k", type: "t"}) { id name }
             nobodys: scheduleByClient(client: {}) { id }
             other: scheduleByClient(client: {key: "k"}) { id }
             unknown: schedule(id: "00000000-0000-7000-8000-000000000000") { id }
             none: schedule(id: "no id") { id } }""",
        id=made,
    )
    assert found == {
        "schedule": {"id": made},
        "client": {"id": made, "name": "test k"},
        "nobodys": {"id": anonymous},
        "other": None,
        "unknown": None,
        "none": None,
    }
    fault = error(service.a, "query($c: ClientInput!) { scheduleByClient(client: $c) { id } }", c={"key": "x" * 2000})
    assert fault["extensions"]["pointer"] == "/client/key"


def test_schedules_come_in_pages_that_can_be_followed_to_the_end(service):
    made = [service.a.register(definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *", key=str(i)))["id"] for i in range(7)]
    query = f"query($n: Int, $after: String) {{ schedules(first: $n, after: $after) {{ edges {{ cursor node {{ id }} }} nodes {{ id }} {PAGE} }} }}"
    for size in (1, 3, 7, 8):
        found, after = [], None
        while True:
            page = ask(service.b, query, n=size, after=after)["schedules"]
            ids = [e["node"]["id"] for e in page["edges"]]
            assert ids == [n["id"] for n in page["nodes"]]
            found += ids
            info = page["pageInfo"]
            assert info["hasPreviousPage"] is False
            assert info["hasNextPage"] is (len(found) < len(made))
            assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
            if not info["hasNextPage"]:
                break
            after = info["endCursor"]
        assert found == made
    # From the middle of a page, by an edge's own cursor.
    page = ask(service.a, query, n=7)["schedules"]
    assert [n["id"] for n in ask(service.b, query, n=2, after=page["edges"][3]["cursor"])["schedules"]["nodes"]] == made[4:6]
    nothing = ask(service.a, query, after=page["pageInfo"]["endCursor"])["schedules"]
    assert nothing == {"edges": [], "nodes": [], "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}}
    assert len(ask(service.a, "{ schedules(first: null) { nodes { id } } }")["schedules"]["nodes"]) == 7


def test_schedules_are_filtered_as_by_rest(service):
    for i in range(4):
        service.a.register(definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *", key=str(i), name=f"{'ab'[i % 2]} {i}", paused=i == 3))
    query = "query($f: ScheduleFilter) { schedules(filter: $f) { nodes { name } } }"
    for given in (
        {"state": "PAUSED"}, {"state": "ACTIVE", "name": "b"}, {"key": "2"}, {"operation": "op", "application": "tests", "group": "g", "type": "t"},
        {"type": ""}, {"name": ""}, {}, {"key": None}, {"name": "a & b=c%"},
    ):  # fmt: skip
        query_ = {k: v.lower() if k == "state" else v for k, v in given.items() if v is not None}
        wanted = [s["name"] for s in service.a.get("/schedules", query=query_).json()]
        assert [s["name"] for s in ask(service.b, query, f=given)["schedules"]["nodes"]] == wanted, given


def test_arguments_at_fault_are_told_by_their_own_names(service):
    for document, pointer in (
        ("{ schedules(first: 0) { nodes { id } } }", "/first"),
        ("{ schedules(first: 1001) { nodes { id } } }", "/first"),
        ('{ runs(after: "nowhere") { nodes { id } } }', "/after"),
        ('{ history(scheduleId: "no id") { nodes { id } } }', "/scheduleId"),
        ("{ preview(definition: {type: NOW}, first: 1001) { timezone } }", "/first"),
        ('{ preview(definition: {type: CRON, schedule: "x", client: {key: "k"}}) { timezone } }', "/definition/schedule"),
        ('{ preview(definition: {type: DATE, schedule: "2099-01-01T00:00:00", startAt: "x"}) { timezone } }', "/definition/startAt"),
    ):
        fault = error(service.a, document)
        assert (fault["extensions"]["code"], fault["extensions"]["pointer"]) == ("invalid", pointer), document
        assert fault["message"].startswith(pointer + ": "), fault


# --- writing schedules ---


def test_all_faults_of_a_definition_are_told_where_they_lie(service):
    wrong = {
        "name": "",
        "type": "DELAY",
        "schedule": "-1",
        "startAt": "never",
        "maxRuns": 0,
        "task": {"type": "REST", "connection": {"host": "nowhere", "tlsInsecure": True}, "retryWaitMax": -1},
    }
    fault = error(service.a, REGISTER, d=wrong)
    assert fault["extensions"]["code"] == "invalid"
    assert {e["pointer"] for e in fault["extensions"]["errors"]} == {
        "/definition/name",
        "/definition/schedule",
        "/definition/startAt",
        "/definition/maxRuns",
        "/definition/task/connection/host",
        "/definition/task/connection/tlsInsecure",
        "/definition/task/retryWaitMax",
    }
    rest = service.a.post("/schedules", {"name": "", "type": "delay", "schedule": "-1", "start_at": "never", "max_runs": 0,
                                         "task": {"type": "rest", "retry_wait_max": -1,
                                                  "connection": {"host": "nowhere", "tls": {"insecure": True}}}})  # fmt: skip
    # The order is that of the members as sent, which a GraphQL input does not have.
    assert sorted(e["detail"] for e in rest.json()["errors"]) == sorted(e["detail"] for e in fault["extensions"]["errors"])


def test_a_registration_replaces_the_one_with_its_identity(service):
    what = definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *")
    first = register(service.a, what)
    second = register(service.b, {**what, "name": "again"})
    assert (first["created"], second["created"]) == (True, False)
    assert (second["id"], second["version"], second["schedule"]["name"]) == (first["id"], 2, "again")


REPLACE = f"""mutation($id: ID!, $d: ScheduleInput!, $v: Long) {{
  replaceSchedule(id: $id, definition: $d, ifVersion: $v) {{ created id version schedule {{ {SCHEDULE} }} }} }}"""


def test_a_schedule_is_replaced_by_its_id_and_version(service):
    what = definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *")
    other = register(service.a, {**what, "client": {"key": "other"}})["id"]
    made = register(service.a, what)["id"]
    changed = asked({**what, "name": "changed", "client": {"key": "moved"}})
    assert code(service.a, REPLACE, id=made, d=changed, v=2) == "precondition_failed"
    got = ask(service.b, REPLACE, id=made, d=changed, v=1)["replaceSchedule"]
    assert (got["created"], got["id"], got["version"]) == (False, made, 2)
    assert got["schedule"] == as_told(service.a.schedule(made))
    assert code(service.a, REPLACE, id=other, d=changed) == "conflict"
    assert code(service.a, REPLACE, id=NOBODY, d=changed) == "not_found"
    assert code(service.a, REPLACE, id="no id", d=changed) == "not_found"


def test_secrets_read_as_stars_and_stars_keep_them(service, receiver):
    receiver.rule("/x", answer(200))
    made = register(service.a, rich(receiver.url + "/x"))
    shown = made["schedule"]["task"]["connection"]["headers"]
    assert shown["Authorization"] == "***"
    again = rich(receiver.url + "/x")
    again["task"]["connection"]["headers"] = shown
    again["client"]["key"] = "moved"
    ask(service.b, REPLACE, id=made["id"], d=asked(again))
    kept = ask(service.b, REGISTER, d=asked(again))["registerSchedule"]
    assert kept["id"] == made["id"]
    ask(service.a, "mutation($id: ID!) { triggerSchedule(id: $id) { id } }", id=made["id"])
    (request,) = wait_until(lambda: receiver.requests("/x"), "a delivery")[:1]
    assert request.headers["Authorization"] == "Bearer secret"
    nothing = rich(receiver.url + "/x", key="nothing to keep")
    nothing["task"]["connection"]["headers"] = shown
    assert error(service.a, REGISTER, d=asked(nothing))["extensions"]["pointer"] == "/definition/task/connection/headers/Authorization"


BATCH = """mutation($d: [ScheduleInput!]!) { registerSchedules(definitions: $d) {
  created id version schedule { id name state } error { code detail errors { pointer detail } } } }"""


def test_a_batch_judges_each_alone(service):
    what = definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *")
    old = register(service.a, what)["id"]
    items = [
        asked({**what, "name": "replaced"}),
        {**asked(what), "task": {**asked(what)["task"], "retryWait": -1}, "jitter": -1},
        asked({**what, "client": {"key": "new"}, "name": "new"}),
    ]
    first, second, third = ask(service.b, BATCH, d=items)["registerSchedules"]
    assert first == {"created": False, "id": old, "version": 2, "schedule": {"id": old, "name": "replaced", "state": "ACTIVE"}, "error": None}
    assert (second["created"], second["id"], second["version"], second["schedule"]) == (False, None, None, None)
    assert second["error"]["code"] == "invalid" and second["error"]["detail"]
    assert [e["pointer"] for e in second["error"]["errors"]] == ["/task/retryWait", "/jitter"]
    assert (third["created"], third["version"], third["schedule"]["name"]) == (True, 1, "new")
    assert ask(service.a, BATCH, d=[])["registerSchedules"] == []


def test_ten_thousand_may_be_registered_at_once_and_no_more(service):
    what = asked(definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))
    items = [{**what, "client": {"key": str(i)}} for i in range(10_000)]
    document = "mutation($d: [ScheduleInput!]!) { registerSchedules(definitions: $d) { created } }"
    made = ask(service.a, document, d=items)["registerSchedules"]
    assert len(made) == 10_000 and all(m["created"] for m in made)
    stats = ask(service.b, "{ stats { schedules { state count } } }")["stats"]["schedules"]
    assert {s["state"]: s["count"] for s in stats}["ACTIVE"] == 10_000
    assert code(service.a, document, d=[*items, what]) == "too_large"


def test_schedules_are_paused_resumed_and_deleted_by_their_version(service):
    made = register(service.a, definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))["id"]
    for act, state in (("pauseSchedule", "PAUSED"), ("resumeSchedule", "ACTIVE")):
        document = f"mutation($id: ID!, $v: Long) {{ {act}(id: $id, ifVersion: $v) {{ {SCHEDULE} }} }}"
        version = service.a.schedule(made)["version"]
        assert code(service.b, document, id=made, v=version + 1) == "precondition_failed"
        got = ask(service.b, document, id=made, v=version)[act]
        assert got["state"] == state and got == as_told(service.a.schedule(made))
        assert code(service.b, document, id=NOBODY) == "not_found"
    delete = "mutation($id: ID!, $v: Long) { deleteSchedule(id: $id, ifVersion: $v) { count } }"
    assert code(service.a, delete, id=made, v=1) == "precondition_failed"
    assert ask(service.a, delete, id=made, v=3)["deleteSchedule"] == {"count": 1}
    assert code(service.a, delete, id=made) == "not_found"


def test_those_that_match_are_deleted_and_an_empty_filter_deletes_none(service):
    for i in range(4):
        service.a.register(definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *", key=str(i), name=f"{'ab'[i % 2]} {i}"))
    document = "mutation($f: ScheduleFilter!) { deleteSchedules(filter: $f) { count } }"
    assert code(service.a, document, f={}) == "invalid"
    assert code(service.a, document, f={"key": None}) == "invalid"
    assert code(service.a, document, f={"name": ""}) == "invalid"
    assert ask(service.b, document, f={"name": "a"})["deleteSchedules"] == {"count": 2}
    assert len(service.a.get("/schedules").json()) == 2


# --- runs ---


def test_a_run_is_told_as_rest_tells_it(service, receiver):
    receiver.rule("/x", answer(500))
    made = service.a.register(definition(receiver.url + "/x", task={"failed_policy": "ignore"}))["id"]
    service.a.wait_finished(made)
    run = ask(service.b, f"mutation($id: ID!) {{ triggerSchedule(id: $id) {{ {RUN} schedule {{ id name }} }} }}", id=made)["triggerSchedule"]
    assert run["schedule"] == {"id": made, "name": "test 1"}
    wait_until(lambda: service.a.get(f"/runs/{run['id']}").json()["state"] == "failed", "the run fails")
    for one in service.a.runs(made):
        got = ask(service.b, f"query($id: ID!) {{ run(id: $id) {{ {RUN} }} }}", id=one["id"])["run"]
        assert got == told(one)
        assert got["status"] == 500 and got["error"]
    assert ask(service.a, f'{{ run(id: "{NOBODY}") {{ id }} other: run(id: "x") {{ id }} }}') == {"run": None, "other": None}
    trigger = "mutation($id: ID!, $v: Long) { triggerSchedule(id: $id, ifVersion: $v) { id } }"
    assert code(service.a, trigger, id=NOBODY) == "not_found"
    assert code(service.a, trigger, id=made, v=99) == "precondition_failed"
    last = ask(service.a, "query($id: ID!) { schedule(id: $id) { last { state } runCount } }", id=made)["schedule"]
    assert last["last"] == {"state": "FAILED"}


def test_runs_come_in_pages_of_all_and_of_a_schedule(service, receiver):
    first, second = (service.a.register(definition(receiver.url + "/x", "cron", "0 0 1 1 *", key=k))["id"] for k in "ab")
    for i in range(5):
        ask(service.a, "mutation($id: ID!) { triggerSchedule(id: $id) { id } }", id=(first, second)[i % 2])
    everything = wait_until(lambda: len(r := service.b.get("/runs", query={"state": "succeeded"}).json()) == 5 and r, "all succeed")
    query = f"query($s: RunState, $n: Int, $after: String) {{ runs(state: $s, first: $n, after: $after) {{ nodes {{ {RUN} }} {PAGE} }} }}"
    page = ask(service.a, query, n=3)["runs"]
    rest = ask(service.b, query, n=3, after=page["pageInfo"]["endCursor"])["runs"]
    assert page["nodes"] + rest["nodes"] == told(everything)
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert ask(service.a, query, s="DEAD")["runs"]["nodes"] == []
    nested = f"""query($n: Int, $s: RunState, $after: String) {{
      schedules {{ nodes {{ id runs(first: $n, state: $s, after: $after) {{ edges {{ cursor node {{ id schedule {{ id }} }} }} {PAGE} }} }} }} }}"""
    for size in (1, 2, 3):
        for one in ask(service.b, nested, n=size)["schedules"]["nodes"]:
            wanted = [r["id"] for r in everything if r["schedule_id"] == one["id"]]
            assert [e["node"]["id"] for e in one["runs"]["edges"]] == wanted[:size]
            assert one["runs"]["pageInfo"]["hasNextPage"] is (len(wanted) > size)
            assert all(e["node"]["schedule"]["id"] == one["id"] for e in one["runs"]["edges"])
    after = ask(service.b, nested, n=1)["schedules"]["nodes"][0]["runs"]["edges"][0]
    (behind, _) = ask(service.a, nested, after=after["cursor"])["schedules"]["nodes"]
    assert after["node"]["id"] not in [e["node"]["id"] for e in behind["runs"]["edges"]]
    assert all(s["runs"]["edges"] == [] for s in ask(service.a, nested, s="DEAD")["schedules"]["nodes"])
    fault = post(service.a, nested, {"after": "nowhere"})["errors"][0]
    assert fault["extensions"]["pointer"] == "/after" and fault["path"] == ["schedules", "nodes", 0, "runs"]


def dead_run(service, receiver, path="/x", key="1"):
    receiver.rule(path, answer(500))
    task = {"failed_policy": "retry_dlq", "max_retry_count": 0, "retry_wait": 0.1, "history_check": True}
    made = service.a.register(definition(receiver.url + path, key=key, task=task))["id"]
    (run,) = wait_until(lambda: [r for r in service.b.runs(made) if r["state"] == "dead"], "a dead run")
    return made, run["id"]


DEAD = f"query($id: ID, $n: Int, $after: String) {{ deadLetters(scheduleId: $id, first: $n, after: $after) {{ nodes {{ id scheduleId }} {PAGE} }} }}"


def test_dead_letters_are_listed_redriven_and_discarded(service, receiver):
    made = dict(dead_run(service, receiver, f"/{k}", k) for k in "abc")
    everything = ask(service.b, DEAD)["deadLetters"]
    assert {n["scheduleId"]: n["id"] for n in everything["nodes"]} == made
    assert [n["id"] for n in everything["nodes"]] == sorted(made.values(), reverse=True)
    page = ask(service.a, DEAD, n=2)["deadLetters"]
    assert page["pageInfo"]["hasNextPage"] is True
    assert len(ask(service.a, DEAD, after=page["pageInfo"]["endCursor"])["deadLetters"]["nodes"]) == 1
    (first, first_run), (second, second_run), (third, third_run) = made.items()
    assert [n["id"] for n in ask(service.a, DEAD, id=first)["deadLetters"]["nodes"]] == [first_run]
    assert ask(service.a, DEAD, id=NOBODY)["deadLetters"]["nodes"] == []
    assert ask(service.a, DEAD, id="no id")["deadLetters"]["nodes"] == []

    receiver.rule("/a", answer(200))
    redriven = ask(service.b, f"mutation($id: ID!) {{ redriveRun(id: $id) {{ {RUN} }} }}", id=first_run)["redriveRun"]
    assert (redriven["id"], redriven["state"], redriven["failures"]) == (first_run, "PENDING", 0)
    wait_until(lambda: service.a.get(f"/runs/{first_run}").json()["state"] == "succeeded", "the run succeeds")
    assert code(service.a, "mutation($id: ID!) { redriveRun(id: $id) { id } }", id=first_run) == "conflict"
    assert code(service.a, "mutation($id: ID!) { redriveRun(id: $id) { id } }", id=NOBODY) == "not_found"

    discard = "mutation($id: ID!) { discardRun(id: $id) { id state } }"
    assert ask(service.a, discard, id=second_run)["discardRun"] == {"id": second_run, "state": "CANCELLED"}
    assert code(service.a, discard, id=second_run) == "conflict"
    assert code(service.a, discard, id=NOBODY) == "not_found"

    many = "mutation($w: RedriveInput!) { redriveRuns(which: $w) { redriven refused more errors { id detail } } }"
    got = ask(service.b, many, w={"ids": [second_run, NOBODY]})["redriveRuns"]
    assert (got["redriven"], got["refused"], got["more"]) == (0, 2, False)
    assert {e["id"] for e in got["errors"]} == {second_run, NOBODY}
    assert ask(service.a, many, w={"scheduleId": first})["redriveRuns"]["redriven"] == 0
    receiver.rule("/c", answer(200))
    assert ask(service.a, many, w={"all": True, "limit": 1})["redriveRuns"] == {"redriven": 1, "refused": 0, "more": False, "errors": []}
    wait_until(lambda: service.a.get(f"/runs/{third_run}").json()["state"] == "succeeded", "the run succeeds")
    for nothing in ({}, {"all": False}, {"ids": [first_run], "scheduleId": first}, {"ids": []}):
        assert code(service.a, many, w=nothing) == "invalid", nothing
    assert error(service.a, many, w={"scheduleId": "x"})["extensions"]["pointer"] == "/which/scheduleId"
    assert error(service.a, many, w={"ids": [first_run, "x"]})["extensions"]["pointer"] == "/which/ids/1"
    assert error(service.a, many, w={"all": True, "limit": 10001})["extensions"]["pointer"] == "/which/limit"


BACKFILL = """mutation($id: ID!, $from: String!, $to: String!, $dry: Boolean, $v: Long) {
  backfillSchedule(id: $id, from: $from, to: $to, dryRun: $dry, ifVersion: $v) { created skipped dryRun } }"""


def test_a_range_that_passed_is_backfilled(service, receiver):
    made = service.a.register(definition(receiver.url + "/x", "cron", "0 0 9 * * *", overlap="allow"))["id"]
    range_ = {"id": made, "from": "2026-11-01T00:00:00", "to": "2026-11-04T00:00:00"}
    assert ask(service.a, BACKFILL, **range_, dry=True)["backfillSchedule"] == {"created": 3, "skipped": 0, "dryRun": True}
    assert ask(service.b, BACKFILL, **range_, v=1)["backfillSchedule"] == {"created": 3, "skipped": 0, "dryRun": False}
    wait_until(lambda: len(receiver.requests("/x")) == 3, "three deliveries")
    assert ask(service.b, BACKFILL, **range_)["backfillSchedule"] == {"created": 0, "skipped": 3, "dryRun": False}
    assert code(service.a, BACKFILL, **range_, v=2) == "precondition_failed"
    assert code(service.a, BACKFILL, **{**range_, "id": NOBODY}) == "not_found"
    assert error(service.a, BACKFILL, **{**range_, "to": "x"})["extensions"]["pointer"] == "/to"
    once = service.a.register(definition(receiver.url + "/x", "delay", "3600", key="once"))["id"]
    assert code(service.a, BACKFILL, **{**range_, "id": once}) == "conflict"


# --- history ---


def test_events_are_told_as_rest_tells_them(make_service, receiver):
    service = make_service(CARILLON_HISTORY_URL="")  # with the schedules, so that both instances have one
    made, _ = dead_run(service, receiver)
    other, _ = dead_run(service, receiver, "/y", "2")
    ask(service.a, "mutation($id: ID!) { deleteSchedule(id: $id) { count } }", id=other)
    rest = wait_until(
        lambda: (h := service.b.get("/history", query={"limit": 1000}).json())
        and {"deleted", "dead"} <= {e["kind"] for e in h if e["schedule_id"] == other}
        and {"dead"} <= {e["kind"] for e in h if e["schedule_id"] == made}
        and h,
        "all events",
        LONG,
    )
    query = f"""query($id: ID, $k: EventKind, $n: Int, $after: String) {{ history(scheduleId: $id, kind: $k, first: $n, after: $after) {{
      edges {{ cursor node {{ {EVENT} schedule {{ id }} }} }} {PAGE} }} }}"""
    empty = dict.fromkeys(re.sub(r"client \{.*?\}", "client", EVENT).split())
    got = ask(service.b, query, n=1000)["history"]
    for edge, one in zip(got["edges"], rest, strict=True):
        node = edge["node"]
        assert node.pop("schedule") == (None if one["schedule_id"] == other else {"id": made})
        wanted = {**empty, **{camel(k): v for k, v in one.items()}, "kind": capital(one["kind"])}
        assert node == wanted
    first = ask(service.a, query, n=2)["history"]
    behind = ask(service.a, query, n=1000, after=first["pageInfo"]["endCursor"])["history"]
    assert [e["cursor"] for e in first["edges"] + behind["edges"]] == [e["cursor"] for e in got["edges"]]
    assert (first["pageInfo"]["hasNextPage"], behind["pageInfo"]["hasNextPage"]) == (True, False)
    assert {e["node"]["kind"] for e in ask(service.a, query, k="DEAD")["history"]["edges"]} == {"DEAD"}
    assert {e["node"]["scheduleId"] for e in ask(service.a, query, id=made)["history"]["edges"]} == {made}

    nested = "query($n: Int, $k: EventKind) { schedules { nodes { id history(first: $n, kind: $k) { nodes { id schedule { id } } pageInfo { hasNextPage } } } } }"
    of_made = [e["id"] for e in rest if e["schedule_id"] == made]
    (one,) = ask(service.b, nested, n=2)["schedules"]["nodes"]
    assert [n["id"] for n in one["history"]["nodes"]] == of_made[:2] and one["history"]["pageInfo"]["hasNextPage"]
    (one,) = ask(service.b, nested, n=len(of_made))["schedules"]["nodes"]
    assert [n["id"] for n in one["history"]["nodes"]] == of_made and not one["history"]["pageInfo"]["hasNextPage"]
    (one,) = ask(service.b, nested, k="DEAD")["schedules"]["nodes"]
    assert len(one["history"]["nodes"]) == 1


# --- the rest ---


def test_a_preview_is_told_as_rest_tells_it(service):
    asked_for = {"type": "cron", "schedule": "30 2 * * *", "timezone": "Europe/Berlin", "client": {"key": "k"}}
    query = """query($d: PreviewInput!, $n: Int, $from: DateTime) { preview(definition: $d, first: $n, from: $from) {
      timezone times { at local note } describe { en ko } } }"""
    rest = service.a.post("/preview?n=3&from=2026-03-27T12:00:00Z", asked_for).json()
    got = ask(service.b, query, d=told(asked_for), n=3, **{"from": "2026-03-27T12:00:00Z"})["preview"]
    wanted = told(rest)
    wanted["times"] = [{"note": None, **t} for t in wanted["times"]]
    assert got == wanted
    assert [t["note"] for t in got["times"]] == [None, "MOVED", None]
    later = ask(service.a, query, d={"type": "DELAY", "schedule": "60"})["preview"]
    assert len(later["times"]) == 1 and later["describe"] is None
    refused = service.a.post("/graphql", {"query": query, "variables": {"d": told(asked_for), "from": "tomorrow"}})
    assert "DateTime" in refused.json()["errors"][0]["message"]


def test_instances_numbers_and_version_are_told(service, receiver):
    got = ask(service.a, "{ instances { id name roles version startedAt heartbeatAt heartbeatAgeMs held monitor } version { version timezoneDatabase } }")
    rest = {i["id"]: i for i in service.a.get("/instances").json()}
    assert len(got["instances"]) == len(rest) == len(service.instances)
    for one in got["instances"]:
        other = rest[one["id"]]
        for moving in ("heartbeatAt", "heartbeatAgeMs", "held", "monitor"):
            assert one.pop(moving) is not None
        assert one == {"id": other["id"], "name": other["name"], "roles": [r.upper() for r in other["roles"]], "version": other["version"],
                       "startedAt": other["started_at"]}  # fmt: skip
    assert got["version"] == told(service.a.get("/version").json())

    dead_run(service, receiver)
    service.a.register(definition(receiver.url + "/p", "cron", "0 0 1 1 *", key="p", paused=True))
    stats = ask(service.b, "{ stats { schedules { state count } runs { state count } } }")["stats"]
    assert {s["state"]: s["count"] for s in stats["schedules"]} == {"ACTIVE": 0, "PAUSED": 1, "FINISHED": 1}
    assert {s["state"]: s["count"] for s in stats["runs"]} == {"PENDING": 0, "RUNNING": 0, "RETRYING": 0, "DEAD": 1}


def test_everything_is_removed_only_where_that_is_allowed(make_service):
    allowed = make_service(CARILLON_ADMIN_RESET="true")
    register(allowed.a, definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))
    assert ask(allowed.b, "mutation { reset { schedules runs } }")["reset"] == {"schedules": 1, "runs": 0}
    assert allowed.a.get("/schedules").json() == []


def test_without_leave_nothing_is_removed(service):
    register(service.a, definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))
    assert code(service.a, "mutation { reset { schedules } }") == "forbidden"
    assert len(service.a.get("/schedules").json()) == 1


def test_what_was_done_is_told_even_when_what_follows_is_refused(service):
    made = register(service.a, definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))["id"]
    got = post(
        service.a,
        """mutation($id: ID!) { paused: pauseSchedule(id: $id) { state version }
             none: discardRun(id: $id) { id }
             resumed: resumeSchedule(id: $id) { state version runs(first: 5000) { nodes { id } } }
             gone: deleteSchedule(id: $id) { count } }""",
        {"id": made},
    )
    assert [(e["path"], e["extensions"]["code"]) for e in got["errors"]] == [(["none"], "not_found"), (["resumed", "runs"], "invalid")]
    assert got["data"] == {
        "paused": {"state": "PAUSED", "version": 2},
        "none": None,
        "resumed": {"state": "ACTIVE", "version": 3, "runs": None},
        "gone": {"count": 1},
    }


def test_a_mutation_with_a_key_is_done_once_from_every_instance(service):
    made = register(service.a, definition("http://127.0.0.1:1/", "cron", "0 0 1 1 *"))["id"]
    trigger = "mutation($id: ID!) { triggerSchedule(id: $id) { id } }"
    key = {"Idempotency-Key": "once"}
    first = post(service.a, trigger, {"id": made}, **key)
    assert post(service.b, trigger, {"id": made}, **key) == first
    assert len(service.a.runs(made)) == 1
    # What is asked of the answer may differ: the thing that was done is the same.
    more = "mutation($id: ID!) { triggerSchedule(id: $id) { id schedule { id } } }"
    assert post(service.b, more, {"id": made}, **key)["data"]["triggerSchedule"]["schedule"] == {"id": made}
    assert len(service.a.runs(made)) == 1
    delete = "mutation($id: ID!) { deleteSchedule(id: $id) { count } }"
    for api in (service.a, service.b):
        assert post(api, delete, {"id": made}, **{"Idempotency-Key": "delete"})["data"]["deleteSchedule"] == {"count": 1}
    several = service.a.post("/graphql", {"query": "mutation($id: ID!) { a: discardRun(id: $id) { id } b: discardRun(id: $id) { id } }",
                                          "variables": {"id": made}}, headers=key)  # fmt: skip
    assert several.status == 400 and "Idempotency-Key" in several.json()["errors"][0]["message"]


@pytest.mark.parametrize("kind", ["Query", "Mutation"])
def test_no_field_is_left_out_here(carillon, kind):
    text = open(__file__, encoding="utf-8").read()
    document = "query($t: String!) { __type(name: $t) { fields { name } } }"
    fields = [f["name"] for f in ask(carillon.api, document, t=kind)["__type"]["fields"]]
    assert len(fields) > 10
    for name in fields:
        assert re.search(rf"\b{name}\b *[({{]", text), f"nobody asks for {name}"

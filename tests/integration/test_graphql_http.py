"""GraphQL over HTTP: forms, statuses, bounds and subscriptions, as public tools and plain requests meet them."""

import http.client
import json
import os
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

import pytest

from harness import PATIENCE, TOP, binary, clean_environment, definition, wait_until
from postgres_peer import Postgres

sys.path.append(str(TOP / "tests" / "oracle"))
import npm_modules  # noqa: E402  (where the other tests that use npm have it)

SCRIPT = TOP / "tests" / "oracle" / "npm" / "graphql_http.cjs"
SDL = TOP / "src" / "api" / "graphql" / "schema.graphql"
JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"


@pytest.fixture(scope="module")
def node():
    """Runs the script over public packages; gives a process."""
    folder = npm_modules.install(pathlib.Path(binary()).resolve().parent / "tests" / "oracle" / "npm")
    if folder is None:
        pytest.skip("no node here, or the npm registry cannot be reached")

    def run(what, url):
        return subprocess.Popen(
            ["node", str(SCRIPT), what, url + "/graphql"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "NODE_PATH": folder},
            text=True,
        )

    return run


def answer_of(process):
    out, _ = process.communicate(timeout=PATIENCE * 5)
    assert process.returncode == 0
    return json.loads(out)


def ask(api, query, accept=None, **more):
    headers = {"Accept": accept} if accept else {}
    return api.post("/graphql", {"query": query, **more}, headers=headers)


def data_of(answer):
    assert answer.status == 200, answer
    found = answer.json()
    assert "errors" not in found, found
    return found["data"]


def kind_of(answer):
    return answer.headers["Content-Type"].split(";")[0]


def messages(answer):
    return [e["message"] for e in answer.json()["errors"]]


# --- what public tools say ---


def test_every_audit_of_graphql_http_passes(carillon, node):
    results = answer_of(node("audit", carillon.url))
    assert [r for r in results if r["status"] != "ok"] == []
    assert len(results) >= 60


def test_what_introspection_tells_and_what_the_command_prints_is_the_file(carillon, node):
    done = subprocess.run([binary(), "graphql-schema"], env=clean_environment(), capture_output=True, text=True, check=True)
    assert done.stdout == SDL.read_text()
    assert answer_of(node("schema", carillon.url)).strip() == SDL.read_text().strip()


# --- forms and statuses ---


def test_the_form_of_an_answer_is_what_the_client_prefers(carillon):
    wanted = {
        None: JSON,
        "*/*": JSON,
        JSON: JSON,
        RESPONSE: RESPONSE,
        f"{RESPONSE}, {JSON}": RESPONSE,
        f"{JSON}, {RESPONSE}": RESPONSE,
        f"{JSON}, {RESPONSE};q=0.9": JSON,
        f"{JSON};q=0, */*": RESPONSE,
        "text/html,application/xhtml+xml,*/*;q=0.8": JSON,
        f"{RESPONSE}, {JSON}, {EVENTS}, multipart/mixed": RESPONSE,
        EVENTS: EVENTS,
    }
    assert {a: kind_of(ask(carillon.api, "{ __typename }", a)) for a in wanted} == wanted
    refused = ask(carillon.api, "{ __typename }", "image/png")
    assert (refused.status, kind_of(refused)) == (406, JSON) and messages(refused)


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": "query A { __typename } query B { __typename }"},
        {"query": "query A { __typename }", "operationName": "B"},
        {"query": "query A($a: Int!) { __typename @skip(if: true) version { version } runs(first: $a) { nodes { id } } }"},
        {"query": "query A($a: Int!) { runs(first: $a) { nodes { id } } }", "variables": {"a": "x"}},
    ],
    ids=["syntax", "field", "none named", "wrong name", "no variable", "wrong variable"],
)
def test_what_is_wrong_with_a_document_is_400_in_the_newer_form_and_200_in_the_older(carillon, body):
    for form, status in ((RESPONSE, 400), (JSON, 200)):
        answer = carillon.api.post("/graphql", body, headers={"Accept": form})
        assert (answer.status, kind_of(answer)) == (status, form)
        assert list(answer.json()) == ["errors"] and messages(answer)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'[{"query":"{ __typename }"}]', b"1", b"{}", b'{"query":1}', b'{"query":"{ __typename }","variables":[]}']
)
def test_what_is_no_request_is_400_in_any_form(carillon, body):
    for form in (RESPONSE, JSON):
        answer = carillon.api.post("/graphql", body, headers={"Accept": form})
        assert (answer.status, kind_of(answer)) == (400, form)
        assert messages(answer)


def test_an_error_of_a_field_is_told_beside_the_data(carillon):
    query = "mutation { deleteSchedules(filter: {}) { count } }"
    for form in (RESPONSE, JSON):
        answer = ask(carillon.api, query, form)
        assert (answer.status, kind_of(answer)) == (200, form)
        assert "data" in answer.json()
        assert [e["path"] for e in answer.json()["errors"]] == [["deleteSchedules"]]


def test_what_a_page_of_another_site_can_send_is_refused(carillon):
    body = json.dumps({"query": "mutation { reset { runs } }"}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", None):
        connection = http.client.HTTPConnection(carillon.url.split("//")[1], timeout=PATIENCE)
        connection.request("POST", "/graphql", body, {} if kind is None else {"Content-Type": kind})
        assert connection.getresponse().status == 415, kind
        connection.close()
    # Its question whether it might is not answered either.
    assert carillon.api.call("OPTIONS", "/graphql").status == 405


def test_queries_may_be_asked_by_get_and_mutations_may_not(carillon):
    def get(accept=JSON, **query):
        return carillon.api.get("/graphql", query=query, headers={"Accept": accept})

    query = "query A($n: Int) { runs(first: $n) { nodes { id } } } query B { version { version } }"
    assert data_of(get(query=query, operationName="A", variables='{"n":3}')) == {"runs": {"nodes": []}}
    assert list(data_of(get(query=query, operationName="B"))) == ["version"]
    for form in (JSON, RESPONSE, "*/*"):
        answer = get(form, query="mutation { reset { runs } }")
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert get().status == 400
    assert get(query="{ __typename }", variables="{").status == 400
    assert get(query="{ __typename }", variables="[]").status == 400
    head = carillon.api.call("HEAD", "/graphql?query=%7B__typename%7D")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    "parameters, words",
    [("query=%7B__typename%7D&other=1", "?other: "), ("query=%7B__typename%7D&query=%7B__typename%7D", "?query: "), ("id=1", "?id: ")],
    ids=["unknown", "twice", "nothing else"],
)
def test_a_parameter_that_is_none_is_told_in_the_form_of_an_answer(carillon, parameters, words):
    for form in (RESPONSE, JSON):
        answer = carillon.api.get(f"/graphql?{parameters}", headers={"Accept": form})
        assert (answer.status, kind_of(answer)) == (400, form)
        assert [m.startswith(words) for m in messages(answer)] == [True], messages(answer)
    posted = carillon.api.post("/graphql?n=1", {"query": "{ __typename }"})
    assert (posted.status, kind_of(posted)) == (400, JSON) and messages(posted)[0].startswith("?n: ")
    answer = carillon.api.get(f"/graphql?{parameters}", headers={"Accept": EVENTS})
    assert answer.status == 200 and answer.body.startswith(b'event: next\ndata: {"errors":') and b"event: complete" in answer.body


def test_a_mutation_with_several_fields_cannot_have_a_key(carillon):
    query = 'mutation { a: deleteSchedules(filter: {key: "x"}) { count } b: deleteSchedules(filter: {key: "y"}) { count } }'
    answer = carillon.api.post("/graphql", {"query": query}, headers={"Idempotency-Key": "k"})
    assert answer.status == 400 and messages(answer)
    assert data_of(ask(carillon.api, query)) == {"a": {"count": 0}, "b": {"count": 0}}


def test_requests_count_for_the_rate_and_in_the_metrics(make_carillon):
    one = make_carillon(CARILLON_SERVER_RATE="1", CARILLON_SERVER_RATE_BURST="2")
    assert [ask(one.api, "{ __typename }").status for _ in range(3)] == [200, 200, 429]
    lines = one.api.get("/metrics").body.decode().splitlines()
    assert any('route="/graphql"' in line and 'status="200"' in line and line.endswith(" 2") for line in lines)


# --- bounds ---

FRAGMENT = "fragment F on Schedule { id name state version client { application group key type operation } nextAt runCount createdAt }"
REALISTIC = [
    "{ schedules(first: 1000) { nodes { ...F } pageInfo { hasNextPage endCursor } } } " + FRAGMENT,
    "{ schedules { nodes { ...F runs { nodes { id state scheduledAt attempt error } } } } } " + FRAGMENT,
    "{ schedules(first: 100) { edges { cursor node { ...F task { type connection { host } } runs(first: 20) { edges { node { id state } } } "
    "history(first: 20) { nodes { kind at } } } } } } " + FRAGMENT,
    "{ runs(first: 1000) { nodes { id state scheduleId scheduledAt startedAt endedAt durationMs status error schedule { name } } } }",
    "{ stats { schedules { state count } runs { state count } } instances { id name roles } deadLetters { nodes { id error } } }",
]


def test_what_people_ask_is_within_the_bounds(carillon):
    for query in REALISTIC:
        data_of(ask(carillon.api, query))


def nested(depth):
    return "{ runs { nodes { schedule { " + "runs { nodes { schedule { " * depth + "id" + " } } }" * depth + " } } } }"


OVER = {
    "complexity": ("{ schedules(first: 1000) { nodes { runs(first: 1000) { nodes { id } } } } }", "250000 are allowed"),
    "complexity by a variable": ("query($n: Int = 1000) { schedules(first: $n) { nodes { runs(first: $n) { nodes { id } } } } }", "250000 are allowed"),
    "depth": (nested(8).replace("runs {", "runs(first: 1) {"), "20 levels"),
    "aliases": ("{ " + " ".join(f"a{i}: __typename" for i in range(201)) + " }", "200 aliases"),
    "fields": ("{ version { " + "version " * 2001 + "} }", "2000 fields"),
    "tokens": ("{ version { " + "version " * 10001 + "} }", "10000 tokens"),
    "bytes": ("{ version { version } } #" + "x" * 262144, "262144 bytes"),
    "nesting": ("{ " + "... { " * 50 + "__typename" + " }" * 50 + " }", "nested deeper than 50 levels"),
    "comparisons": (
        " ".join(f"query Q{i}($a: Boolean!) {{ ...F }}" for i in range(300))
        + " fragment F on Query {" + " __typename @skip(if: $a)" * 500 + " }",
        "100000 comparisons",
    ),
    "the size of a batch": (
        "mutation { registerSchedules(definitions: ["
        + '{name: "a", type: NOW, task: {type: REST, connection: {host: "http://127.0.0.1:9/"}}} ' * 260
        + "]) { schedule { runs(first: 1000) { nodes { id } } } } }",
        "250000 are allowed",
    ),
    "introspection": ("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", "2 lists of introspection"),
}


@pytest.mark.parametrize("bound", OVER)
def test_what_is_over_a_bound_is_refused_with_a_word_why(carillon, bound):
    query, words = OVER[bound]
    answer = ask(carillon.api, query, RESPONSE)
    assert answer.status == 400
    assert any(words in m for m in messages(answer)), messages(answer)


def test_the_complexity_that_is_allowed_is_a_setting(make_carillon):
    one = make_carillon(CARILLON_SERVER_GRAPHQL_COMPLEXITY="10")
    data_of(ask(one.api, "{ schedules(first: 2) { nodes { id } } }"))
    assert any("10 are allowed" in m for m in messages(ask(one.api, "{ schedules(first: 9) { nodes { id } } }")))


# --- subscriptions ---


class Listener:
    """graphql-sse's client, one subscription."""

    def __init__(self, process, query, **variables):
        self.process = process
        self.said = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        process.stdin.write(json.dumps({"query": query, "variables": variables}) + "\n")
        process.stdin.flush()

    def read(self):
        for line in self.process.stdout:
            self.said.put(json.loads(line))

    def next(self):
        return self.said.get(timeout=PATIENCE * 2)

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


@pytest.fixture
def listen(node):
    made = []

    def start(carillon, query, **variables):
        one = Listener(node("listen", carillon.url), query, **variables)
        made.append(one)
        assert one.next() == {"connecting": True}
        return one

    yield start
    for one in made:
        one.close()


def events(one, n):
    found = []
    for _ in range(n):
        said = one.next()
        assert list(said) == ["next"], said
        assert "errors" not in said["next"], said
        found.append(said["next"]["data"]["events"])
    return found


def test_the_client_of_graphql_sse_hears_what_happens(carillon, listen):
    query = "subscription($kinds: [EventKind!]) { events(kinds: $kinds, client: {application: \"tests\"}) { kind name client { key } schedule { id } } }"
    one = listen(carillon, query, kinds=["REGISTERED", "DELETED"])
    assert one.next() == {"connected": True}
    made = carillon.api.register(definition("http://127.0.0.1:9/", "delay", "3600", key="a"))
    other = definition("http://127.0.0.1:9/", "delay", "3600", key="b")
    other["client"]["application"] = "others"
    carillon.api.register(other)
    assert carillon.api.post(f"/schedules/{made['id']}/pause").status == 200  # a kind that was not asked for
    assert carillon.api.delete(f"/schedules/{made['id']}").status == 200
    first, second = events(one, 2)
    assert (first["kind"], first["name"], first["client"]["key"]) == ("REGISTERED", "test a", "a")
    assert (second["kind"], second["schedule"]) == ("DELETED", None)


def test_what_is_wrong_with_a_subscription_is_told_by_an_event(carillon, listen):
    for query in ("subscription { events { nothing } }", "subscription {", 'subscription { events(scheduleId: "x") { id } }'):
        one = listen(carillon, query)
        said = [one.next() for _ in range(3)]
        assert said[0] == {"connected": True} and said[2] == {"complete": True}
        assert list(said[1]["next"]) == ["errors"]


def test_a_query_is_answered_by_one_event(carillon, listen):
    one = listen(carillon, "{ version { version } }")
    assert [list(one.next()) for _ in range(3)] == [["connected"], ["next"], ["complete"]]


def stream(carillon, query, method="POST", accept=EVENTS):
    """The head of the answer, and a socket from which the rest comes."""
    address = urllib.parse.urlsplit(carillon.url)
    s = socket.create_connection((address.hostname, address.port), timeout=PATIENCE * 2)
    body = json.dumps({"query": query}).encode() if method == "POST" else b""
    target = "/graphql" if method == "POST" else "/graphql?" + urllib.parse.urlencode({"query": query})
    kind = "Content-Type: application/json\r\n" if body else ""
    s.sendall(f"{method} {target} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    file = s.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        assert line, head
        head += line
    return head.decode(), s, file


def test_a_subscription_may_be_asked_by_get_as_event_source_does(carillon):
    head, s, file = stream(carillon, "subscription { events { kind } }", "GET")
    assert head.startswith("HTTP/1.1 200") and EVENTS in head and "no-store" in head
    carillon.api.register(definition("http://127.0.0.1:9/", "delay", "3600"))
    lines = iter(file.readline, b"")
    assert next(line for line in lines if line.startswith(b"data:")) == b'data: {"data":{"events":{"kind":"REGISTERED"}}}\n'
    file.close()
    s.close()


def test_a_subscription_needs_a_client_that_takes_events(carillon):
    answer = ask(carillon.api, "subscription { events { id } }", RESPONSE)
    assert (answer.status, kind_of(answer)) == (406, RESPONSE)
    assert "text/event-stream" in messages(answer)[0]


def test_listeners_are_as_few_as_those_of_events(make_carillon):
    one = make_carillon(CARILLON_SERVER_EVENT_STREAMS="2")
    open_ones = [stream(one, "subscription { events { id } }") for _ in range(2)]
    assert [head.split(" ")[1] for head, _, _ in open_ones] == ["200", "200"]
    head, s, file = stream(one, "subscription { events { id } }")
    assert head.split(" ")[1] == "503" and "Retry-After" in head
    for _, s_, file_ in [*open_ones, (head, s, file)]:
        file_.close()
        s_.close()
    # Gone listeners make room, at the latest when something is to be told.
    def again():
        one.api.register(definition("http://127.0.0.1:9/", "delay", "3600"))
        head, s, file = stream(one, "subscription { events { id } }")
        file.close()
        s.close()
        return " 200 " in head

    wait_until(again, "room for a listener", PATIENCE * 2)


def test_a_listener_that_does_not_read_is_dropped(carillon):
    head, s, file = stream(carillon, "subscription { events { id name kind schedule { id definition } } }")
    assert " 200 " in head
    rounds = 0
    while carillon.metrics()["carillon_event_streams"] == 1:
        rounds += 1
        assert rounds < 100, "a listener that reads nothing is still there after 200,000 events"
        items = [{**definition("http://127.0.0.1:9/", "delay", "3600", key=str(i)), "name": f"{rounds} " * 100} for i in range(2000)]
        assert carillon.api.post("/schedules/batch", items).status == 200
    file.close()
    s.close()


BOTH = 'mutation { first: redriveRuns(which: {all: true}) { redriven } second: deleteSchedules(filter: {key: "heard"}) { count } }'


def refuses_connections(carillon):
    address = urllib.parse.urlsplit(carillon.url)
    try:
        socket.create_connection((address.hostname, address.port), timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


@pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")
def test_a_stop_ends_subscriptions_and_answers_what_is_under_way(make_carillon, postgres):
    one = make_carillon(CARILLON_DATABASE_URL=postgres.url, CARILLON_ROLES="api", CARILLON_SHUTDOWN_GRACE=str(PATIENCE * 4))
    head, s, file = stream(one, "subscription { events(kinds: REGISTERED) { name schedule { runs(first: 1) { nodes { id } } } } }")
    assert " 200 " in head
    one.api.register(definition("http://127.0.0.1:9/", "delay", "3600", key="heard"))
    lines = iter(file.readline, b"")
    told = next(line for line in lines if line.startswith(b"data:"))
    assert json.loads(told[5:]) == {"data": {"events": {"name": "test heard", "schedule": {"runs": {"nodes": []}}}}}

    with postgres.session() as lock:
        lock.ask("BEGIN")
        lock.ask("LOCK TABLE carillon.run IN ACCESS EXCLUSIVE MODE")

        def waiting():
            return int(postgres.ask("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'carillon.run'::regclass")[0][0])

        # An event whose answer waits for the table, and a mutation whose first field does.
        one.api.register(definition("http://127.0.0.1:9/", "delay", "3600", key="waits"))
        wait_until(lambda: waiting() == 1, "the event's answer waits")
        answers = queue.Queue()
        threading.Thread(target=lambda: answers.put(ask(one.api, BOTH)), daemon=True).start()
        wait_until(lambda: waiting() == 2, "the mutation waits")
        one.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(one), "it stops")
        assert answers.empty() and one.process.poll() is None
        lock.ask("COMMIT")
    assert data_of(answers.get(timeout=PATIENCE * 2)) == {"first": {"redriven": 0}, "second": {"count": 1}}
    assert one.wait() == 0
    # What was begun is told whole, or given up; and nobody is told that all events were.
    rest = b"".join(lines).decode()
    file.close()
    s.close()
    assert "event: complete" not in rest and "errors" not in rest
    found = [json.loads(line[5:])["data"]["events"] for line in rest.splitlines() if line.startswith("data:")]
    assert found in ([], [{"name": "test waits", "schedule": {"runs": {"nodes": []}}}])

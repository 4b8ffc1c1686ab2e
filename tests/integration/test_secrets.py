"""Nothing secret that a definition or the settings hold comes out again, anywhere, at any level of logging.

Every hidden place gets a mark of its own; then all that the service says is searched for all marks.
"""

import base64
import html
import http.client
import json
import re
import socket
import threading
import urllib.parse

import pytest

from harness import definition, run_cli, wait_until
from postgres_peer import Postgres
from receiver import Answer

HEADERS = [
    "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Api-Key", "ApiKey", "Token",
    "X-Auth-Token", "X-Client-Secret", "X-Password", "X-Api-Key", "Service-Authorization", "X-Configured",
]  # fmt: skip


def mark(name):
    return "MARK" + re.sub(r"\W", "", name) + "z9q7"


MARKS = {name: mark(name) for name in HEADERS}
REST_PASSWORD, REDIS_PASSWORD, KAFKA_PASSWORD = mark("restpw"), mark("redispw"), mark("kafkapw")
DATABASE_PASSWORD, REDIS_URL_PASSWORD = mark("databasepw"), mark("redisurlpw")
SIGN = "whsec_" + base64.b64encode(b"MARKsignz9q7 and more to it 1234").decode()
ALL = [*MARKS.values(), REST_PASSWORD, REDIS_PASSWORD, KAFKA_PASSWORD, DATABASE_PASSWORD, REDIS_URL_PASSWORD, SIGN,
       SIGN.removeprefix("whsec_"), "MARKsignz9q7"]  # fmt: skip
# What stands in an Authorization header for user and password.
ALL.append(base64.b64encode(f"user:{REST_PASSWORD}".encode()).decode())


class Search:
    def __init__(self):
        self.searched = 0

    def look(self, what, text):
        text = text if isinstance(text, str) else text.decode(errors="replace")
        self.searched += len(text)
        for m in ALL:
            assert m not in text, f"{what} tells {m}: ...{text[max(0, text.index(m) - 200) : text.index(m) + 60]}"


def echo(request):
    """A target that tells all it was told, and fails."""
    text = "".join(f"{k}: {v}\n" for k, v in request.headers.items()) + request.body.decode(errors="replace")
    return Answer(500, {"Content-Type": "text/plain", "X-Seen": request.headers.get("Authorization", "")}, text.encode())


def planted(receiver, key, **task):
    host = receiver.url.replace("http://", f"http://user:{REST_PASSWORD}@") + "/echo"
    made = definition(host, "now", "", key, task={"history_check": True, "failed_policy": "retry_dlq", "max_retry_count": 1, "retry_wait": 0.1, **task})
    made["task"]["connection"]["headers"] = {**{n: f"Bearer {m}" for n, m in MARKS.items()}, "Content-Type": "application/json"}
    return made


def others():
    task = {"failed_policy": "ignore", "timeout": 1, "history_check": True}
    redis = definition("", "now", "", "redis", task=task)
    redis["task"].update(type="redis", connection={"host": f"redis://user:{REDIS_PASSWORD}@127.0.0.1:1/0", "topic": "t"})
    kafka = definition("", "cron", "0 0 1 1 *", "kafka", task=task)
    config = {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": KAFKA_PASSWORD}
    kafka["task"].update(type="kafka", connection={"host": "127.0.0.1:1", "topic": "t", "config": config})
    return [redis, kafka]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed"))])
def database(request):
    if request.param == "sqlite":
        yield {}
        return
    server = Postgres()
    # Nobody asks for the password there; it is in the URL all the same.
    yield {"CARILLON_DATABASE_URL": server.url.replace("carillon@", f"carillon:{DATABASE_PASSWORD}@")}
    server.stop()


@pytest.fixture
def settings(database, tmp_path):
    config = f"delivery:\n  hidden_headers: [X-Configured]\nredis:\n  url: redis://u:{REDIS_URL_PASSWORD}@127.0.0.1:1/0\nsecrets:\n  shop: {SIGN}\n"
    return config, {"CARILLON_LOG_LEVEL": "debug", **database}


class Stream:
    """What /events says, until it is ended."""

    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.lines = []
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
        self.connection.request("GET", "/events")
        self.socket = self.connection.sock  # the answer takes it away from the connection
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while line := self.answer.fp.readline():
            self.lines.append(line)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.answer.close()
        return b"".join(self.lines)


def test_no_secret_comes_out_anywhere(make_carillon, receiver, settings, tmp_path):
    config, env = settings
    one = make_carillon(config=config, **env)
    api, search = one.api, Search()
    receiver.rule("/echo", echo)
    events = Stream(one.url)

    def post(path, body, **headers):
        answer = api.post(path, body, headers=headers)
        search.look(f"POST {path}", answer.body + str(answer.headers).encode())
        return answer

    made = post("/schedules", planted(receiver, "a"), **{"Idempotency-Key": "one"})
    assert made.status == 201, made
    assert post("/schedules", planted(receiver, "a"), **{"Idempotency-Key": "one"}).status == 201
    batch = post("/schedules/batch", [planted(receiver, "b", sign="shop"), *others(), {**planted(receiver, "c"), "type": "wrong"}])
    assert [r["status"] for r in batch.json()] == [201, 201, 201, 422], batch
    schedule = made.json()["id"]
    wait_until(lambda: len(api.get("/runs?state=dead").json()) == 2, "two dead runs")
    wait_until(lambda: api.get("/runs?state=failed").json(), "the redis task failed")

    # Refusals of definitions that hold secrets.
    for spoil in (
        lambda d: d.update(schedule="61 * * * *", type="cron"),
        lambda d: d["task"]["connection"]["headers"].update(Authorization=MARKS["Authorization"] + "\n"),
        lambda d: d["task"]["connection"]["headers"].update(Authorization={"a": MARKS["Authorization"]}),
        lambda d: d["task"]["connection"].update(host=f"http://user:{REST_PASSWORD}@:port/"),
        lambda d: d["task"]["connection"].update(host=f"ftp://user:{REST_PASSWORD}@h/"),
        lambda d: d["task"].update(sign="none"),
    ):
        wrong = planted(receiver, "wrong")
        spoil(wrong)
        assert post("/schedules", wrong).status == 422
        assert post("/preview", wrong).status in (200, 422)
    whole = json.dumps(planted(receiver, "a")).encode()
    for n in (whole.index(MARKS["Cookie"].encode()) + 8, len(whole) - 1):
        assert post("/schedules", whole[:n]).status == 400
    assert post("/schedules", {**others()[1], "unknown": 1}).status == 422

    # Everything that can be read.
    for run in api.get("/runs").json():
        search.look("a run", api.get(f"/runs/{run['id']}").body)
        post(f"/runs/{run['id']}/redrive", None)
    post("/runs/redrive", {"state": "dead"})
    for act in ("pause", "resume", "trigger"):
        post(f"/schedules/{schedule}/{act}", None)
    again = api.schedule(schedule)
    assert again["task"]["connection"]["headers"]["Authorization"] == "***"
    assert post(f"/schedules/{schedule}/update", again).status == 200
    for path in (
        "/schedules", f"/schedules/{schedule}", f"/schedules/{schedule}/runs", "/runs", "/history", f"/schedules/{schedule}/history",
        "/metrics", "/openapi.json", "/docs", "/version", "/instances", "/readyz",
    ):  # fmt: skip
        answer = api.get(path)
        assert answer.status == 200, (path, answer)
        search.look(path, answer.body + str(answer.headers).encode())
    assert len(api.get("/history").json()) > 5

    # The command line.
    for words in (["list"], ["list", "--json"], ["get", schedule], ["get", schedule, "--json"], ["runs"], ["instances"]):
        said = run_cli(*words, url=one.url)
        search.look(f"carillon {words}", said.stdout + said.stderr)
    environment = {k: v for k, v in one.environment().items() if k.startswith("CARILLON_")}
    for words in (["config", "show"], ["config", "show", "--json"], ["config", "check"], ["config", "check", "--json"]):
        said = run_cli(*words, env=environment, cwd=one.folder)
        search.look(f"carillon {words}", said.stdout + said.stderr)
        assert said.returncode == 0, said

    # A database that goes away, and an end, are told in the log.
    assert api.delete(f"/schedules/{schedule}").status == 200
    told = events.end()
    assert b"***" in told
    search.look("/events", told)
    assert one.stop() == 0
    search.look("the log", one.log_text())
    assert '"level":"debug"' in one.log_text() and search.searched > 100_000
    # The marks did travel: the target got them all.
    got = str([list(r.headers.items()) for r in receiver.requests("/echo")])
    assert all(m in got for m in MARKS.values())


AWKWARD = 'tok+en/"a&b\\c<d>e=1\'%41 z'
PASSWORD = "p+w&7"
WRITERS = {
    "plain": str,
    "json": json.dumps,
    "json of .NET": lambda s: "".join(f"\\u{ord(c):04X}" if c in "+&<>'\"" else c for c in s.replace("\\", "\\\\")),
    "json of PHP": lambda s: json.dumps(s).replace("/", "\\/"),
    "url": lambda s: urllib.parse.quote(s, safe=""),
    "form": lambda s: urllib.parse.urlencode({"h": s}),
    "html": html.escape,
    "html in json": lambda s: json.dumps(html.escape(s)),
    "json in json": lambda s: json.dumps(json.dumps({"h": s})),
    "json in base64": lambda s: base64.b64encode(json.dumps({"h": s}).encode()).decode(),
    "base64 of a URL": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
}  # fmt: skip


def test_what_a_target_sends_back_in_other_letters_is_hidden_too(carillon, receiver):
    api = carillon.api
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()

    def writes(how):
        return lambda request: Answer(200, {"Content-Type": "text/plain"}, "|".join(
            how(s) for s in (request.headers["Authorization"], request.headers["X-Api-Key"], PASSWORD, "no secret")).encode())

    for name, how in WRITERS.items():
        path = "/" + name.replace(" ", "-")
        receiver.rule(path, writes(how))
        made = definition(receiver.url + path, "now", "", name, task={"history_check": True})
        made["task"]["connection"]["headers"] = {"Authorization": f"Basic {basic}", "X-Api-Key": f"  {AWKWARD} "}
        schedule = api.post("/schedules", made).json()["id"]
        ended = wait_until(lambda: [e for e in api.get(f"/schedules/{schedule}/history").json() if e["kind"] == "succeeded"], name)
        answer = ended[0]["answer"]
        shown = answer.split("|")
        assert len(shown) == 4 and shown[3] == how("no secret"), (name, answer)
        assert all("***" in s for s in shown[:3]), (name, answer)
        # Of each, at most what its encoding put around it.
        assert all(len(s) <= 3 + len(how("")) + 16 for s in shown[:3]), (name, answer)
        told = answer + urllib.parse.unquote(answer) + html.unescape(answer) + answer.replace("\\", "")
        assert not any(part in told for part in ("tok", "a&b", "c<d", PASSWORD, basic[:8])), (name, answer)


def test_a_database_that_cannot_be_reached_is_told_without_its_password(tmp_path):
    search = Search()
    url = f"postgresql://u:{DATABASE_PASSWORD}@127.0.0.1:1/x"
    said = run_cli("serve", env={"CARILLON_DATABASE_URL": url, "CARILLON_LOG_LEVEL": "debug"}, cwd=tmp_path)
    assert said.returncode != 0
    search.look("serve", said.stdout + said.stderr)
    assert "127.0.0.1" in said.stderr

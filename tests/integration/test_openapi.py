"""The document says what the server does: its examples, and requests made from its schemas, are answered as it says.

Right and wrong requests come from a fixed seed and from a fresh one, which is printed; CARILLON_SEED names one.
"""

import http.client
import json
import os
import pathlib
import random
import shutil
import subprocess
import urllib.parse

import pytest

from harness import TOP, definition
from openapi_maker import Document, Maker

REDOCLY = "2.77.0"
ROUNDS = 25
METHODS = ["GET", "POST", "PUT", "DELETE"]
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def server(make_carillon):
    return make_carillon(CARILLON_ADMIN_RESET="true")


@pytest.fixture
def document(server):
    answer = server.api.get("/openapi.json")
    assert answer.status == 200
    return Document(answer.json())


class Talk:
    """One connection that lives on."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)
        self.connection = None

    def call(self, method, target, body, headers):
        for attempt in (1, 2):
            try:
                if not self.connection:
                    self.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
                self.connection.request(method, target, body, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (http.client.HTTPException, ConnectionError):
                self.connection = None  # the server closed it after the last answer
                if attempt == 2:
                    raise


class Judge:
    """Every answer must be one that the document tells."""

    def __init__(self, document):
        self.document = document
        self.seen = {}

    def judge(self, operation, what, method, status, headers, body):
        replies = operation["responses"]
        name = operation["operationId"]
        assert str(status) in replies, f"{name} answered {status}, which is not documented: {what} -> {body[:500]!r}"
        self.seen.setdefault(name, set()).add(status)
        assert status < 500, f"{name} answered {status}: {what} -> {body[:500]!r}"
        reply = self.document.follow(replies[str(status)])
        for header, told in reply.get("headers", {}).items():
            if header not in ("Link", "Retry-After"):
                assert header in headers, f"{name} {status} lacks {header}"
        content = reply.get("content")
        if not content or method == "HEAD":
            assert body == b"", f"{name} {status} has a body: {body[:200]!r}"
            return
        kind = headers["Content-Type"].split(";")[0]
        assert kind in content, f"{name} {status} is {kind}, documented are {list(content)}"
        if "json" not in kind:
            return
        errors = list(self.document.validator(content[kind]["schema"]).iter_errors(json.loads(body)))
        assert not errors, f"{name} {status}: {errors[0].message} at {list(errors[0].path)}: {what} -> {body[:800]!r}"


def is_stream(operation):
    return any("text/event-stream" in r.get("content", {}) for r in operation["responses"].values() if isinstance(r, dict))


def in_order(document):
    """What removes everything comes last; streams have tests of their own."""
    calls = [c for c in document.operations() if not is_stream(c[2])]
    return sorted(calls, key=lambda c: (c[0] == "/admin/reset", c[1] == "DELETE"))


def body_schema(operation):
    return operation.get("requestBody", {}).get("content", {}).get("application/json")


class Ground:
    """What ids may stand for."""

    def __init__(self, api):
        self.api = api
        self.refresh()

    def refresh(self):
        assert self.api.delete("/schedules?application=chef").status == 200  # the examples' identity
        made = self.api.register(definition("http://127.0.0.1:9/x", "cron", "0 0 1 1 *", key="ground", overlap="allow"))
        self.schedule = made["id"]
        assert self.api.post(f"/schedules/{self.schedule}/trigger").status == 202
        self.run = self.api.runs(self.schedule)[0]["id"]

    def fill(self, path, rng):
        """The target, and whether its id is one of ours."""
        if "{id}" not in path:
            return path
        ours = self.run if path.startswith("/runs/") else self.schedule
        return path.replace("{id}", rng.choice([ours, ours, ours, NOBODY, "none"]))


def test_every_example_is_right_by_its_schema_and_answered_as_documented(server, document):
    judge, talk, ground = Judge(document), Talk(server.url), Ground(server.api)
    rng = random.Random(1)
    examples = 0
    for name, schema in document.document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            document.validator({"$ref": f"#/components/schemas/{name}"}).validate(example)
            examples += 1
    for path, method, operation in in_order(document):
        for reply in map(document.follow, operation["responses"].values()):
            for content in reply.get("content", {}).values():
                if "example" in content:
                    document.validator(content["schema"]).validate(content["example"])
        ground.refresh()
        ours = ground.run if path.startswith("/runs/") else ground.schedule
        content = body_schema(operation)
        body = json.dumps(content["example"]).encode() if content else None
        headers = {"Content-Type": "application/json"} if content else {}
        status, headers, answer = talk.call(method, path.replace("{id}", ours), body, headers)
        judge.judge(operation, (method, path, body), method, status, headers, answer)
        # A run of a mere trigger is not dead.
        assert status < 300 or operation["operationId"] in ("redriveRun", "discardRun", "deleteSchedules"), (path, status, answer)
        if content:
            document.validator(content["schema"]).validate(content["example"])
            examples += 1
    assert examples > 20


def query_of(document, maker, operation, rng):
    parts = {}
    for p in document.parameters(operation):
        if p["in"] == "query" and rng.random() < 0.4:
            parts[p["name"]] = maker.make(p["schema"])
    if rng.random() < 0.1:
        parts["unknown"] = "1"
    return "?" + urllib.parse.urlencode(parts) if parts else ""


def headers_of(document, operation, rng):
    made = {"Content-Type": rng.choice(["application/json"] * 12 + ["text/plain"])}
    for p in document.parameters(operation):
        if p["in"] != "header" or rng.random() < 0.6:
            continue
        made[p["name"]] = {
            "If-Match": ['"1"', '"2"', "*", '"x"', "1", 'W/"1"'],
            "If-None-Match": ['"1"', "*", 'W/"2"', "x"],
            "Idempotency-Key": [f"k{rng.randrange(40)}", '"quoted"', "", "\\"],
        }.get(p["name"], ["x"])[rng.randrange(4)]
    return made


def one_request(document, maker, ground, call, rng):
    """target, headers, body and whether the schema allows that body (None: there is none)."""
    path, _, operation = call
    target = ground.fill(path, rng) + query_of(document, maker, operation, rng)
    headers = headers_of(document, operation, rng)
    content = body_schema(operation)
    if not content:
        takes = rng.random() < 0.2
        return target, headers, b'{"x":1}' if takes else None, None
    value = maker.make(content["schema"])
    if rng.random() < 0.5:
        value = maker.spoil(content["schema"], value)
    right = document.validator(content["schema"]).is_valid(value)
    body = json.dumps(value).encode()
    if rng.random() < 0.05:
        body, right = body[: len(body) // 2] + b"\xff", False
    return target, headers, body, right


def each_is_judged(document, operation, body, answer):
    """Of a batch every wrong item is refused, and none but those need be."""
    if operation["operationId"] != "registerBatch":
        return False
    judge = document.validator(body_schema(operation)["schema"]["items"])
    results = json.loads(answer)
    return all(r["status"] >= 400 for item, r in zip(json.loads(body), results, strict=True) if not judge.is_valid(item))


def run_seed(server, document, seed):
    rng = random.Random(seed)
    maker, judge, talk, ground = Maker(document, rng), Judge(document), Talk(server.url), Ground(server.api)
    asked = accepted = refused = 0
    for call in in_order(document):
        _, method, operation = call
        rounds = ROUNDS if body_schema(operation) or document.parameters(operation) else 3
        for _ in range(rounds):
            target, headers, body, right = one_request(document, maker, ground, call, rng)
            what = f"seed {seed}: {method} {target} {headers} {body!r}"
            status, told, answer = talk.call(method, target, body, headers)
            judge.judge(operation, what, method, status, told, answer)
            asked += 1
            if right is False:
                assert status >= 400 or each_is_judged(document, operation, body, answer), (
                    f"the schema refuses it, the server does not: {what} -> {status} {answer[:300]!r}"
                )
                refused += 1
            accepted += status < 300
            if rng.random() < 0.1:
                status, told, answer = talk.call("HEAD", target, None, {}) if method == "GET" else (0, None, b"")
                assert answer == b""
        ground.refresh()
    return asked, accepted, refused


@pytest.mark.parametrize("seed", [1, 2, None])
def test_requests_made_from_the_document_are_answered_as_it_says(server, document, seed, capsys):
    if seed is None:
        seed = int(os.environ.get("CARILLON_SEED") or int.from_bytes(os.urandom(4), "big"))
    asked, accepted, refused = run_seed(server, document, seed)
    with capsys.disabled():
        print(f"\n  seed {seed}: {asked} requests, {accepted} accepted, {refused} with bodies that their schema refuses", end="")
    assert accepted > asked / 8 and refused > 20


def test_what_is_documented_is_there_and_nothing_else(server, document):
    documented = {}
    for path, method, _ in document.operations():
        documented.setdefault(path, set()).add(method)
    for path, methods in documented.items():
        target = path.replace("{id}", NOBODY)
        for method in METHODS:
            answer = server.api.call(method, target) if not (method == "GET" and path == "/events") else None
            if answer is None:
                continue
            if method in methods:
                assert answer.status not in (405, 501), (method, path, answer)
            elif answer.status == 405:
                allowed = {m for m in answer.headers["Allow"].split(", ") if m != "HEAD"}
                assert allowed == methods, (path, allowed)
            else:
                assert answer.status == 501, (method, path, answer)  # named, but not built yet
    ids = [operation["operationId"] for _, _, operation in document.operations()]
    assert len(ids) == len(set(ids))


def test_the_document_passes_redocly(document, tmp_path):
    if not shutil.which("npm"):
        pytest.skip("there is no npm")
    folder = pathlib.Path(os.environ.get("CARILLON_NPM", TOP / "build" / "npm")) / f"redocly-{REDOCLY}"
    program = folder / "node_modules" / ".bin" / "redocly"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        try:
            words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", f"@redocly/cli@{REDOCLY}"]
            subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=150)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("the npm registry is out of reach")
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document.document))
    env = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        [program, "lint", "--format=json", path], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    found = json.loads(done.stdout[done.stdout.index("{") :])
    assert done.returncode == 0 and found["totals"]["errors"] == found["totals"]["warnings"] == 0, done.stdout

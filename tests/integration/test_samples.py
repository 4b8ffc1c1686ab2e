"""The manual's receivers, each in its language: they take what is signed by us, once, and nothing else."""

import base64
import json
import os
import shutil
import signal
import sqlite3
import subprocess

import pytest

from harness import TOP, Api, clean_environment, definition

SAMPLES = TOP / "docs" / "samples"
SECRET, OLD, OTHER = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
LANGUAGES = ["py", "mjs", "go"]


@pytest.fixture(scope="session")
def commands():
    """How each is started. Go's is compiled, with its standard library, into a cache below build/."""
    found = {"py": ["/usr/bin/python3", SAMPLES / "receiver.py"]}
    if shutil.which("node"):
        found["mjs"] = ["node", SAMPLES / "receiver.mjs"]
    if shutil.which("go"):
        folder = TOP / "build" / "go"
        environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GOPATH": str(folder / "path"), "GOFLAGS": "-mod=mod",
                       "GO111MODULE": "off", "CGO_ENABLED": "0"}
        subprocess.run(["go", "build", "-o", folder / "receiver", SAMPLES / "receiver.go"], env=environment, check=True)
        found["go"] = [folder / "receiver"]
    return found


class Sample:
    def __init__(self, command, folder):
        self.command = command
        self.ledger = folder / "ledger"
        self.process = None
        self.port = 0
        self.start()

    def start(self):
        environment = clean_environment(SECRET=f"{OLD},{SECRET}", LEDGER=str(self.ledger), PORT=str(self.port))
        self.process = subprocess.Popen(self.command, env=environment, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(" ", 1)[1])

    def kill9(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def work(self):
        """What it did, oldest first."""
        if self.ledger.read_bytes().startswith(b"SQLite"):
            with sqlite3.connect(self.ledger) as db:
                return [json.loads(row[0]) for row in db.execute("SELECT body FROM work ORDER BY rowid")]
        return [json.loads(json.loads(line)["body"]) for line in self.ledger.read_text().splitlines()]


@pytest.fixture(params=LANGUAGES)
def sample(request, commands, tmp_path):
    if request.param not in commands:
        pytest.skip(f"nothing here runs receiver.{request.param}")
    one = Sample(commands[request.param], tmp_path)
    yield one
    one.kill9()


def signed(sample, key, **task):
    return definition(sample.url, key=key, task={"sign": "orders", "failed_policy": "retry", "retry_wait": 0.1, **task})


def test_a_signed_call_is_done_and_an_unsigned_one_is_refused(sample, make_carillon):
    carillon = make_carillon(config=f"secrets:\n  orders: {SECRET}\n  others: {OTHER}\n")
    made = [carillon.api.register(signed(sample, "1")), carillon.api.register(definition(sample.url, key="2")),
            carillon.api.register(definition(sample.url, key="3", task={"sign": "others"}))]
    for one in made:
        carillon.api.wait_finished(one["id"])
    states = [carillon.api.runs(one["id"])[0] for one in made]
    assert [(r["state"], r["status"]) for r in states] == [("succeeded", 200), ("failed", 401), ("failed", 401)]
    assert sample.work() == [{"key": "1"}]


def test_the_same_occurrence_is_done_once_whoever_is_killed(sample, make_carillon, receiver):
    """What was signed for one occurrence is sent again, by hand: as Carillon does after a crash."""
    carillon = make_carillon(config=f"secrets:\n  orders: {SECRET}\n")
    seen = carillon.api.register(signed(receiver, "1"))
    carillon.api.wait_finished(seen["id"])
    (request,) = receiver.wait_for(1)
    headers = {k: v for k, v in request.headers.items() if k.lower().startswith(("webhook-", "idempotency-", "carillon-"))}

    def send():
        answer = Api(sample.url).call("POST", "/", request.body, headers=headers)
        return answer.status, answer.body

    assert send() == (200, b"done\n")
    assert send() == (200, b"done before\n")
    sample.kill9()
    sample.start()
    assert send() == (200, b"done before\n")
    assert sample.work() == [{"key": "1"}]


def test_what_was_changed_or_is_old_is_refused(sample, make_carillon, receiver):
    carillon = make_carillon(config=f"secrets:\n  orders: {SECRET}\n")
    carillon.api.register(signed(receiver, "1"))
    (request,) = receiver.wait_for(1)
    headers = {k: v for k, v in request.headers.items() if k.lower().startswith(("webhook-", "idempotency-"))}
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}
    for sent, body in ((headers, request.body + b" "), (old, request.body), ({}, request.body)):
        assert Api(sample.url).call("POST", "/", body, headers=sent).status == 401
    assert not sample.ledger.exists() or sample.work() == []

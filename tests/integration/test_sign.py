"""Requests signed as Standard Webhooks says, verified by the library that its authors publish for node."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys

import pytest

from harness import TOP, binary, definition, run_cli, wait_until
from receiver import answer

sys.path.append(str(TOP / "tests" / "oracle"))
import npm_modules  # noqa: E402  (where the other tests that use npm have it)

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))


def signature(secret, request):
    """What the header must hold for this secret, by our own reckoning."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    head = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}."
    return "v1," + base64.b64encode(hmac.new(key, head.encode() + request.body, hashlib.sha256).digest()).decode()


def signatures(request):
    return request.headers["webhook-signature"].split(" ")


def signed(url, key="1", **task):
    return definition(url, key=key, task={"sign": "orders", **task})


@pytest.fixture(scope="module")
def standardwebhooks():
    folder = npm_modules.install(pathlib.Path(binary()).resolve().parent / "tests" / "oracle" / "npm")
    if folder is None:
        pytest.skip("no node here, or the npm registry cannot be reached")

    def verify(secret, request, body=None):
        asked = {
            "secret": secret,
            "headers": {k.lower(): v for k, v in request.headers.items()},
            "body": (body or request.body).decode(),
        }
        done = subprocess.run(
            ["node", str(TOP / "tests" / "oracle" / "npm" / "webhook.cjs")],
            input=json.dumps(asked) + "\n",
            env={**os.environ, "NODE_PATH": folder},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    return verify


def test_the_standards_own_library_verifies_what_is_sent(make_carillon, receiver, standardwebhooks):
    carillon = make_carillon(config=f"secrets:\n  orders: {OLD}\n")
    carillon.api.register(signed(receiver.url + "/data", "1", data={"text": "값 “x”", "n": 1.5}))
    carillon.api.register(signed(receiver.url + "/event", "2", body="event"))
    for path in ("/data", "/event"):
        (request,) = receiver.wait_for(1, path)
        assert standardwebhooks(OLD, request) == "ok"
        assert standardwebhooks(OTHER, request) == "No matching signature found"
        assert standardwebhooks(OLD, request, request.body + b" ") == "No matching signature found"


def test_while_a_secret_is_replaced_both_verify(make_carillon, receiver, standardwebhooks):
    carillon = make_carillon(CARILLON_SECRETS_ORDERS=f"{OLD},{NEW}")
    made = carillon.api.register({**signed(receiver.url), "type": "cron", "schedule": "* * * * * *"})
    request = receiver.wait_for(1)[0]
    assert [standardwebhooks(s, request) for s in (OLD, NEW)] == ["ok", "ok"]
    assert standardwebhooks(OTHER, request) == "No matching signature found"
    # The old one is taken away; the schedule goes on.
    carillon.settings["CARILLON_SECRETS_ORDERS"] = NEW
    carillon.restart()
    receiver.clear()
    request = receiver.wait_for(1)[0]
    assert standardwebhooks(NEW, request) == "ok"
    assert standardwebhooks(OLD, request) == "No matching signature found"
    assert carillon.api.schedule(made["id"])["task"]["sign"] == "orders"


def test_every_attempt_has_the_same_id_and_a_time_of_its_own(make_carillon, receiver):
    carillon = make_carillon(CARILLON_SECRETS_ORDERS=f"{OLD},{NEW}")
    receiver.script("/x", answer(500), answer(503))
    carillon.api.register(signed(receiver.url + "/x", failed_policy="retry", retry_wait=1.1))
    requests = receiver.wait_for(3, "/x", timeout=60)
    assert {r.headers["webhook-id"] for r in requests} == {r.headers["Idempotency-Key"] for r in requests}
    assert len({r.headers["webhook-id"] for r in requests}) == 1
    assert len({r.headers["webhook-timestamp"] for r in requests}) == 3
    for r in requests:
        assert signatures(r) == [signature(OLD, r), signature(NEW, r)]


def test_only_configured_names_are_accepted_and_only_where_requests_can_be_signed(make_carillon):
    carillon = make_carillon(CARILLON_SECRETS_ORDERS=OLD)
    unknown = carillon.api.post("/schedules", signed("http://127.0.0.1:1/", sign="others"))
    assert unknown.status == 422
    assert unknown.json()["errors"] == [{"pointer": "/task/sign", "detail": "no secret of this name is configured"}]
    kafka = {"type": "kafka", "connection": {"host": "k:9092", "topic": "t"}, "sign": "orders"}
    refused = carillon.api.post("/schedules", definition("", key="2", task=kafka))
    assert refused.status == 422
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/task/sign"]


def test_a_schedule_whose_secret_was_taken_away_fails_and_says_so(make_carillon, receiver):
    carillon = make_carillon(CARILLON_SECRETS_ORDERS=OLD)
    made = carillon.api.register({**signed(receiver.url), "type": "delay", "schedule": "3"})
    del carillon.settings["CARILLON_SECRETS_ORDERS"]
    carillon.restart()
    (run,) = wait_until(lambda: [r for r in carillon.api.runs(made["id"]) if r["state"] == "failed"], "the failed run")
    assert run["error"] == "no secret named orders is configured"
    assert receiver.requests() == []


def test_secrets_are_shown_nowhere(make_carillon, receiver, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(f"secrets:\n  orders: [{OLD}, {NEW}]\n")
    environment = {**os.environ, "CARILLON_SECRETS_OTHERS": OTHER}
    for arguments in (["config", "show"], ["config", "show", "--json"], ["config", "check"]):
        said = run_cli(*arguments, "--config", str(config), env=environment)
        assert said.returncode == 0, said.stderr
        text = said.stdout + said.stderr
        assert "whsec_" not in text
        assert arguments[1] == "check" or text.count("***") >= 3
    config.write_text(f"secrets:\n  orders: {OLD[:-20]}\n")
    said = run_cli("config", "check", "--config", str(config))
    assert said.returncode != 0 and "config.yaml:2" in said.stdout + said.stderr
    assert OLD[6:20] not in said.stdout + said.stderr

    carillon = make_carillon(CARILLON_SECRETS_ORDERS=OLD, CARILLON_LOG_LEVEL="debug")
    made = carillon.api.register(signed(receiver.url))
    carillon.api.wait_finished(made["id"])
    assert OLD[6:] not in carillon.log_text()
    assert OLD[6:] not in json.dumps(carillon.api.schedule(made["id"]))

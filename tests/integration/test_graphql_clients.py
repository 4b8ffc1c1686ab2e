"""What an application does, done by public clients of npm: oracle/npm/graphql_clients.cjs."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from harness import PATIENCE, TOP, binary

sys.path.append(str(TOP / "tests" / "oracle"))
import npm_modules  # noqa: E402  (where the other tests that use npm have it)

CLIENTS = ["graphql-request", "urql"]


@pytest.fixture(scope="module")
def modules():
    folder = npm_modules.install(pathlib.Path(binary()).resolve().parent / "tests" / "oracle" / "npm")
    if folder is None:
        pytest.skip("no node here, or the npm registry cannot be reached")
    return folder


@pytest.fixture(params=CLIENTS)
def told(request, modules, carillon, receiver):
    script = TOP / "tests" / "oracle" / "npm" / "graphql_clients.cjs"
    done = subprocess.run(
        ["node", str(script), request.param, carillon.url + "/graphql", receiver.url + "/target"],
        env={**os.environ, "NODE_PATH": modules}, capture_output=True, text=True, timeout=PATIENCE * 5, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_public_client_does_all_an_application_does(told, receiver):
    assert told["registered"]["created"] and told["registered"]["schedule"]["state"] == "ACTIVE"
    assert told["again"] is False

    wrong = told["wrongValue"]
    assert wrong["code"] == "invalid" and wrong["pointer"] == "/definition/schedule" and wrong["path"] == ["registerSchedule"]
    assert 'at ".type"' in told["wrongType"]["message"] and "nothing" in told["wrongDocument"]["message"]

    assert told["read"]["name"] == "schedule one" and told["read"]["nextAt"]
    assert told["read"]["task"]["connection"]["headers"] == {"Authorization": "***"}
    run = told["read"]["runs"]["nodes"][0]
    assert (run["state"], run["status"]) == ("SUCCEEDED", 200)
    assert receiver.requests("/target")[0].headers["Authorization"] == "Bearer secret"
    if told["client"] == "urql":
        events = [(e["kind"], e["status"]) for e in told["events"]]
        assert ("SUCCEEDED", 200) in events and ("STARTED", None) in events

    assert [len(page) for page in told["pages"]] == [3, 3, 1]
    assert sum(told["pages"], [])[1:] == [f"schedule {key}" for key in "abcdef"]
    assert told["deleted"] == 1 and told["gone"] is None

"""The explorers of GraphQL in a real browser, and without one: what they are made of, and that they ask nobody else."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from harness import PATIENCE, TOP, binary, definition

sys.path.append(str(TOP / "tests" / "oracle"))
import npm_modules  # noqa: E402  (where the other tests that use npm have it)

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SMALL = ("/graphql/explorer", "#query", "#answer")
LARGE = ("/graphql", ".graphiql-query-editor .CodeMirror", ".graphiql-response")


def has_graphiql(api):
    return api.get("/graphql/graphiql.js").status == 200


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    folder = npm_modules.install(pathlib.Path(binary()).resolve().parent / "tests" / "oracle" / "npm")
    if not found or folder is None:
        pytest.skip("no Chromium here, or no node, or the npm registry cannot be reached")

    def start(url, page):
        path, editor, answer = page
        return subprocess.Popen(
            ["node", str(TOP / "tests" / "oracle" / "npm" / "graphql_page.cjs"), found, url + path, editor, answer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "NODE_PATH": folder},
            text=True,
        )

    return start


def talk(process, *asked):
    """Types each query; `during` is called while its answer is waited for. Gives what was shown, and what the page did."""
    shown = []
    for query, wait, during in asked:
        process.stdin.write(json.dumps({"query": query, "wait": wait}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline() or "{}") == {"waiting": True}
        if during:
            during()
        shown.append(json.loads(process.stdout.readline())["shown"])
    out, _ = process.communicate(timeout=PATIENCE * 4)
    assert process.returncode == 0
    return shown, json.loads(out)


def check_page(url, did):
    assert did["title"] == "Carillon GraphQL"
    assert did["wrong"] == []
    assert len(did["asked"]) >= 4
    assert [a for a in did["asked"] if not a.startswith((url + "/", "data:", "blob:"))] == []


@pytest.mark.parametrize("page", [SMALL, LARGE], ids=["small", "graphiql"])
def test_a_query_that_is_typed_is_answered_and_nobody_else_is_asked(carillon, browser, page):
    if page is LARGE and not has_graphiql(carillon.api):
        pytest.skip("GraphiQL was not built in")
    made = carillon.api.register(definition("http://127.0.0.1:9/", "delay", "3600", key="shown"))
    shown, did = talk(browser(carillon.url, page), ("{ schedules { nodes { id } } }", made["id"], None))
    assert made["id"] in shown[0]
    check_page(carillon.url, did)


@pytest.mark.parametrize("page", [SMALL, LARGE], ids=["small", "graphiql"])
def test_a_subscription_that_is_typed_shows_what_happens(carillon, browser, page):
    if page is LARGE and not has_graphiql(carillon.api):
        pytest.skip("GraphiQL was not built in")

    def happen():
        # Once the page listens.
        from harness import wait_until

        wait_until(lambda: carillon.metrics()["carillon_event_streams"] == 1, "a listener")
        carillon.api.register(definition("http://127.0.0.1:9/", "delay", "3600", key="heard"))

    shown, did = talk(browser(carillon.url, page), ("subscription { events { kind name } }", "test heard", happen))
    assert "REGISTERED" in shown[0]
    check_page(carillon.url, did)


def test_a_browser_is_led_to_an_explorer_that_is_whole(carillon):
    api = carillon.api
    page = api.get("/graphql", headers=BROWSER)
    if has_graphiql(api):
        assert page.status == 200 and b"graphql/graphiql.js" in page.body
        script = api.get("/graphql/graphiql.js")
        assert script.headers["Content-Encoding"] == "gzip"
        text = gzip.decompress(script.body).decode()
        assert "ReactDOM.createRoot" in text and text.count("MIT") >= 3  # the licences are with what they cover
        assert b"@font-face" not in gzip.decompress(api.get("/graphql/graphiql.css").body)
        csp = page.headers["Content-Security-Policy"]
    else:
        assert (page.status, page.headers["Location"]) == (303, "graphql/explorer")
        csp = api.get("/graphql/explorer").headers["Content-Security-Policy"]
    assert csp.startswith("default-src 'self'") and "http" not in csp
    for part in ("explorer", "explorer.js", "explorer.css"):
        answer = api.get(f"/graphql/{part}")
        assert answer.status == 200
        assert b"https://" not in answer.body


def test_without_npm_there_is_the_small_explorer_alone(tmp_path):
    """What the build does where npm is missing: it goes on, and says so; told to insist, it does not."""
    script = TOP / "src" / "api" / "assets" / "graphiql.py"
    outputs = [tmp_path / "graphiql.js", tmp_path / "graphiql.css"]

    def make(mode):
        words = [sys.executable, script, mode, TOP / "src" / "api" / "assets" / "explorer.js", *outputs]
        return subprocess.run(words, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)

    done = make("auto")
    assert done.returncode == 0 and "small explorer" in done.stderr
    assert [p.read_bytes() for p in outputs] == [b"", b""]
    assert make("disabled").returncode == 0
    assert make("enabled").returncode == 1

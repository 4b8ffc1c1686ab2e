"""The built binary as a service under test, its API, and what tests say often."""

import http.client
import json
import os
import pathlib
import select
import signal
import subprocess
import time
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parents[2]

# A sanitizer's build is several times slower; how slow, only the machine knows. No test waits for this long
# when things are as they should be: every wait ends with its event.
PATIENCE = float(os.environ.get("CARILLON_PATIENCE", "20"))


def binary():
    """CARILLON_BIN, else a build that is there."""
    named = os.environ.get("CARILLON_BIN")
    if named:
        return named
    for folder in ("asan", "release"):
        path = TOP / "build" / folder / "carillon"
        if path.exists():
            return str(path)
    raise RuntimeError("no carillon is built; name one by CARILLON_BIN")


def clean_environment(**more):
    """The environment without anything that configures a server or a client."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CARILLON_") or k == "CARILLON_ZONEINFO"}
    return {**kept, **more}


def wait_until(condition, what="a condition", timeout=PATIENCE):
    """Until `condition()` gives something true, which is returned. For states that nobody announces."""
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s")
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class Api:
    """A small client. Paths may have a query as a dict; bodies are JSON unless bytes."""

    def __init__(self, url):
        self._address = urllib.parse.urlsplit(url)

    def call(self, method, path, body=None, headers=None, query=None):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data is not None else {}
        connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=PATIENCE * 2)
        try:
            connection.request(method, path, data, {**sent, **(headers or {})})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body, **more):
        return self.call("PUT", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def register(self, definition):
        """Registers and gives the answer's JSON; any refusal fails the test with its words."""
        answer = self.post("/schedules", definition)
        assert answer.status in (200, 201), answer
        return answer.json()

    def schedule(self, schedule_id):
        answer = self.get(f"/schedules/{schedule_id}")
        assert answer.status == 200, answer
        return answer.json()

    def runs(self, schedule_id, **query):
        answer = self.get(f"/schedules/{schedule_id}/runs", query=query)
        assert answer.status == 200, answer
        return answer.json()

    def wait_finished(self, schedule_id, timeout=PATIENCE):
        """Until a one-shot is over."""
        return wait_until(
            lambda: (s := self.schedule(schedule_id))["state"] == "finished" and s, "state finished", timeout
        )


def definition(url, kind="now", schedule="", key="1", **members):
    """A schedule's definition; `task` in members is laid over the task, the rest over the whole."""
    task = {
        "type": "rest",
        "connection": {"host": url, "headers": {"Content-Type": "application/json"}},
        "data": {"key": key},
        **members.pop("task", {}),
    }
    return {
        "name": f"test {key}",
        "client": {"operation": "op", "application": "tests", "group": "g", "key": key, "type": "t"},
        "type": kind,
        "schedule": schedule,
        "timezone": "Asia/Seoul",
        "task": task,
        **members,
    }


# What a sanitizer says when it found something; none of it may be in a log.
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "broken invariant")


class Carillon:
    """One instance in a folder of its own, on a port of its own choice."""

    def __init__(self, folder, settings=None, config=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = dict(settings or {})
        self.log_path = self.folder / "carillon.log"
        self.program = None  # another binary than the one under test
        self.process = None
        self.url = None
        if config is not None:
            (self.folder / "config.yaml").write_text(config)

    def environment(self):
        ours = {
            "CARILLON_SERVER_LISTEN": "127.0.0.1:0",
            "CARILLON_DATABASE_URL": f"sqlite:{self.folder}/carillon.db",
            "CARILLON_HISTORY_URL": f"sqlite:{self.folder}/history.db",
            "CARILLON_LOG_FORMAT": "json",
        }
        return clean_environment(**{**ours, **self.settings})

    def start(self, timeout=PATIENCE * 3):
        """Returns when it serves: it says so itself, through a pipe."""
        assert self.process is None, "it runs already"
        ready, theirs = os.pipe()
        try:
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [self.program or binary(), "serve", "--ready-fd", str(theirs)],
                    cwd=self.folder,
                    env=self.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs,),
                )
        finally:
            os.close(theirs)
        try:
            self.url = self._read_ready(ready, timeout)
        finally:
            os.close(ready)
        return self

    def _read_ready(self, ready, timeout):
        said = b""
        deadline = time.monotonic() + timeout
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([ready], [], [], left)[0]:
                raise AssertionError(f"not ready within {timeout} s:\n{self.log_text()}")
            piece = os.read(ready, 4096)
            if not piece:
                status = self.process.wait(PATIENCE)
                self.process = None
                raise AssertionError(f"ended with {status} before it was ready:\n{self.log_text()}")
            said += piece
        return said.decode().strip()

    @property
    def api(self):
        return Api(self.url)

    @property
    def pid(self):
        return self.process.pid

    def kill9(self):
        """As a crash: nothing is flushed, nobody is told."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, timeout=PATIENCE * 3):
        """As an operator would; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=PATIENCE * 3):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end within {timeout} s:\n{self.log_text()}") from None
        finally:
            self.process = None
        return status

    def restart(self):
        """An orderly stop and a new start on the same data."""
        assert self.stop() == 0, self.log_text()
        return self.start()

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_events(self, msg=None):
        """Log lines as dicts, those of one message when it is named."""
        found = []
        for line in self.log_text().splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if msg is None or event["msg"] == msg:
                    found.append(event)
        return found

    def metrics(self):
        """{'name{labels}': value}"""
        found = {}
        for line in self.api.get("/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def close(self):
        """Ends it if it runs; what it left in its log must be clean."""
        status = self.stop() if self.process else 0
        text = self.log_text()
        for report in REPORTS:
            assert report not in text, f"the log says {report}"
        assert status == 0, f"SIGTERM ended it with {status}"


def run_cli(*arguments, url=None, stdin=None, env=None, cwd=None, timeout=PATIENCE * 3):
    """One run of the command line to its end."""
    more = {**({"CARILLON_URL": url} if url else {}), **(env or {})}
    return subprocess.run(
        [binary(), *map(str, arguments)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        env=clean_environment(**more),
        cwd=cwd,
        timeout=timeout,
        check=False,
    )

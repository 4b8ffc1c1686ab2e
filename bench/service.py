"""service.py: starts and stops what a bench measures: the release binary, the counting receiver, and a plain REST client.

Every server listens on a free loopback port and keeps its files in a temporary folder that goes with it.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("CARILLON_BUILD", ROOT / "build" / "release"))
START_S = 20


def read_line(process, stream, pattern):
    """The match of the first line that fits, read as it comes; fails when the process ends or takes too long."""
    deadline = time.monotonic() + START_S
    seen = []
    while time.monotonic() < deadline:
        ready, _, _ = select.select([stream], [], [], max(0, deadline - time.monotonic()))
        line = stream.readline() if ready else ""
        if not line and process.poll() is not None:
            break
        seen.append(line)
        match = re.search(pattern, line)
        if match:
            return match
    raise RuntimeError(f"{process.args[0]} did not start:\n" + "".join(seen))


class Client:
    """JSON over one keep-alive connection."""

    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        answer = self.connection.getresponse()
        data = answer.read()
        with contextlib.suppress(ValueError):
            data = json.loads(data)
        return answer.status, data

    def must(self, method, path, body=None):
        status, data = self.call(method, path, body)
        if status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {status} {data}")
        return data

    def register(self, definitions, size=5000):
        """Registers all, in batches; every one must be taken."""
        for at in range(0, len(definitions), size):
            answers = self.must("POST", "/schedules/batch", definitions[at : at + size])
            refused = [a for a in answers if a.get("status", 500) // 100 != 2]
            if refused:
                raise RuntimeError(f"{len(refused)} of a batch refused: {refused[0]}")


class Receiver:
    def __init__(self):
        self.process = subprocess.Popen(
            [BUILD / "bench" / "receiver" / "receiver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(read_line(self.process, self.process.stdout, r"listening (\d+)").group(1))
        self.client = Client(self.port)
        self.url = f"http://127.0.0.1:{self.port}/run"

    def tally(self):
        return self.client.must("GET", "/tally")

    def reset(self):
        self.client.must("POST", "/reset")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Service:
    """A carillon of its own, in a folder of its own."""

    def __init__(self, settings=None):
        self.folder = tempfile.TemporaryDirectory(prefix="carillon-bench-", dir=os.environ.get("CARILLON_BENCH_DIR"))
        self.environment = {
            **os.environ,
            "CARILLON_SERVER_LISTEN": "127.0.0.1:0",
            "CARILLON_DATABASE_URL": f"sqlite:{self.folder.name}/carillon.db",
            "CARILLON_HISTORY_URL": f"sqlite:{self.folder.name}/history.db",
            "CARILLON_LOG_FORMAT": "json",
            **(settings or {}),
        }
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "carillon", "serve"], cwd=self.folder.name, env=self.environment, stderr=subprocess.PIPE, text=True
        )
        found = read_line(self.process, self.process.stderr, r'"address":\s*"(?:http://)?[^"]*?:(\d+)/?"')
        self.port = int(found.group(1))
        self.client = Client(self.port)
        self.url = f"http://127.0.0.1:{self.port}"

    def threads(self):
        return [int(t) for t in os.listdir(f"/proc/{self.process.pid}/task")]

    def switches(self):
        """Voluntary context switches of all threads so far: how often anything woke."""
        total = 0
        for thread in self.threads():
            text = pathlib.Path(f"/proc/{self.process.pid}/task/{thread}/status").read_text()
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
        return total

    def resident_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", text, re.M).group(1))

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stderr.close()
        status = self.process.wait(60)
        self.folder.cleanup()
        return status


@contextlib.contextmanager
def running(*things):
    try:
        yield things
    finally:
        for thing in reversed(things):
            thing.stop()

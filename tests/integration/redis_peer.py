"""A real Redis for tests, and a client that shares nothing with the service: RESP over a plain socket."""

import contextlib
import random
import shutil
import socket
import subprocess
import tempfile
import time

START_S = 30


def free_port():
    """One that is free, and that no outgoing connection is given before a server that is slow to start has bound it."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        low = int(f.read().split()[0])
    while True:
        port = random.randrange(min(15000, low - 5000), low)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class RedisError(Exception):
    """What the server answered with a minus."""


class Redis:
    """redis-server in a temporary folder. What it has acknowledged survives kill()."""

    def __init__(self, password=None):
        self.folder = tempfile.mkdtemp(prefix="carillon-redis-")
        self.port = free_port()
        self.password = password
        self.process = None
        self._socket = None
        self.start()

    @staticmethod
    def available():
        return shutil.which("redis-server") is not None

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"]
        if self.password:
            command += ["--requirepass", self.password]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._connect()
                # It answers LOADING while it reads what it had.
                self("PING")
                return
            except (OSError, RedisError) as fault:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError("redis-server did not start") from fault
                time.sleep(0.01)

    def _connect(self):
        self._hang_up()
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=START_S)
        self._file = self._socket.makefile("rb")
        if self.password:
            self("AUTH", self.password)

    def _hang_up(self):
        if self._socket:
            self._file.close()
            self._socket.close()
            self._socket = None

    def __call__(self, *words):
        parts = [str(w).encode() for w in words]
        text = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
        self._socket.sendall(text)
        return self._reply()

    def subscribe(self, channel):
        """From here on only next_message() makes sense."""
        self("SUBSCRIBE", channel)

    def next_message(self):
        kind, _, payload = self._reply()
        assert kind == b"message", kind
        return payload

    def _reply(self):
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("redis hung up")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]

    def kill(self):
        """kill -9."""
        self._hang_up()
        self.process.kill()
        self.process.wait()

    def stop(self):
        self._hang_up()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(START_S)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def entries(redis, stream):
    """The entries of a stream as dicts of text."""
    found = []
    for _, fields in redis("XRANGE", stream, "-", "+"):
        words = [f.decode() for f in fields]
        found.append(dict(zip(words[::2], words[1::2])))
    return found



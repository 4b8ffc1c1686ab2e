"""A receiver for thousands of requests a second: a process of its own that writes down who came when.

It answers 200 to everything; a path that ends in "/after-N" is answered after N milliseconds. Where requests must be
refused, cut off or looked at, receiver.py is the one to take.
"""

import heapq
import pathlib
import selectors
import socket
import subprocess
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REQUEST_MAX = 1 << 20


class Arrival:
    """One request, as the receiver wrote it down."""

    __slots__ = ("at", "attempt", "key", "path", "run")

    def __init__(self, line):
        at, self.path, self.key, attempt, self.run = line.split(" ")
        self.at = int(at) / 1e6
        self.attempt = int(attempt)

    def __repr__(self):
        return f"<{self.at:.3f} {self.path} {self.key} attempt {self.attempt}>"


class Counting:
    """The process, and what it has written so far."""

    def __init__(self, folder):
        self._path = pathlib.Path(folder) / "arrivals"
        self._path.touch()
        self._read = 0
        self._arrivals = []
        self.process = subprocess.Popen(
            [sys.executable, __file__, self._path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def arrivals(self, path=None):
        """In the order in which they came."""
        with open(self._path, "rb") as file:
            file.seek(self._read)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        self._arrivals.extend(Arrival(line) for line in new.decode().splitlines())
        return [a for a in self._arrivals if path is None or a.path == path]

    def by_key(self, path=None):
        found = {}
        for arrival in self.arrivals(path):
            found.setdefault(arrival.key, []).append(arrival)
        return found

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


# --- the process ---


class _Connection:
    def __init__(self, peer):
        self.peer = peer
        self.data = b""

    def take(self):
        """The heads of whole requests that have come."""
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            lines = self.data[:end].decode("latin-1").split("\r\n")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self.data) < whole:
                break
            self.data = self.data[whole:]
            yield lines[0].split(" ")[1], headers


class _Server:
    def __init__(self, log):
        self.log = log
        self.waits = selectors.DefaultSelector()
        self.late = []  # (when, number, connection): answers that wait
        self.number = 0
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listener.setblocking(False)
        self.waits.register(listener, selectors.EVENT_READ, self.accept)
        self.waits.register(sys.stdin, selectors.EVENT_READ, None)
        print(listener.getsockname()[1], flush=True)

    def accept(self, listener):
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(peer)
        self.waits.register(peer, selectors.EVENT_READ, lambda _: self.read(connection))

    def hang_up(self, connection):
        if connection.peer.fileno() >= 0:
            self.waits.unregister(connection.peer)
            connection.peer.close()

    def read(self, connection):
        try:
            piece = connection.peer.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        connection.data += piece
        if not piece or len(connection.data) > REQUEST_MAX:
            self.hang_up(connection)
            return
        for path, headers in connection.take():
            self.served(connection, path, headers)

    def served(self, connection, path, headers):
        words = [str(time.time_ns() // 1000), path]
        words += [headers.get(n) or "-" for n in ("idempotency-key", "carillon-attempt", "carillon-run-id")]
        self.log.write(" ".join(words) + "\n")
        _, slow, wait = path.rpartition("/after-")
        if not slow:
            self.answer(connection)
            return
        self.number += 1
        heapq.heappush(self.late, (time.monotonic() + int(wait) / 1000, self.number, connection))

    def answer(self, connection):
        try:
            if connection.peer.fileno() >= 0:
                connection.peer.send(ANSWER)
        except OSError:
            self.hang_up(connection)

    def serve(self):
        while True:
            timeout = max(0, self.late[0][0] - time.monotonic()) if self.late else None
            for key, _ in self.waits.select(timeout):
                if key.data is None:
                    return
                key.data(key.fileobj)
            self.log.flush()
            while self.late and self.late[0][0] <= time.monotonic():
                self.answer(heapq.heappop(self.late)[2])


if __name__ == "__main__":
    with open(sys.argv[1], "a", encoding="latin-1") as log_file:
        _Server(log_file).serve()

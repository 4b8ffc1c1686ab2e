"""An HTTP receiver that records every request and can refuse, stall, cut off, and answer anything."""

import collections
import http.server
import io
import json
import socket
import socketserver
import struct
import threading
import time


class Request:
    """One request as it arrived."""

    def __init__(self, method, path, headers, body, at, number):
        self.method = method
        self.path = path
        self.headers = headers  # asked without regard to case
        self.body = body
        self.at = at  # seconds since 1970, when its last bytes reached this machine's network stack
        self.number = number  # 0 is the first request the receiver got

    @property
    def key(self):
        return self.headers.get("Idempotency-Key")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.path} key={self.key} at={self.at:.3f} {self.body[:80]!r}>"


class Answer:
    """What a rule wants done with a request. Stalling ends early when the receiver is closed."""

    def __init__(self, status=200, headers=None, body=b"", stall=0.0, until=None, cut=None):
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.stall = stall  # seconds before the answer
        self.until = until  # a threading.Event to wait for before the answer, 60 s at most
        self.cut = cut  # None, "before" (no byte is sent), "within" (in the middle of the body)


def answer(status=200, headers=None, body=b""):
    return Answer(status, headers, body)


def stall(seconds, status=200):
    return Answer(status, stall=seconds)


def hold(event, status=200):
    """Answers only when `event` is set."""
    return Answer(status, until=event)


def cut(where="before"):
    return Answer(cut=where)


# Linux's SO_TIMESTAMPNS, which is its own control message's type; Python has no name for it.
SO_TIMESTAMPNS = 35


class _Stamped(io.RawIOBase):
    """A connection's bytes, with the kernel's word for when they came: our own threads may be late to look."""

    def __init__(self, connection):
        self._connection = connection
        self.at = time.time()

    def readable(self):
        return True

    def readinto(self, into):
        n, control, _, _ = self._connection.recvmsg_into([into], socket.CMSG_SPACE(16))
        self.at = time.time()
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = struct.unpack("@qq", data[:16])
                self.at = seconds + nanoseconds / 1e9
        return n


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self._stamped = _Stamped(self.connection)
        self.rfile = io.BufferedReader(self._stamped)
        self.server.receiver._opened(self.connection)

    def finish(self):
        self.server.receiver._ended(self.connection)
        super().finish()

    def _take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.receiver._serve(self, body, self._stamped.at)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _take


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 1024
    receiver = None

    def handle_error(self, request, client_address):
        pass  # a target's client may go away; what arrived is recorded before

    def server_bind(self):
        # HTTPServer's own asks for the host's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        # Inherited by every connection; what comes before one is accepted is stamped too.
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.server_name, self.server_port = self.server_address[:2]


class Receiver:
    """Rules decide what is answered; the first whose path matches acts. Without one: 200."""

    def __init__(self):
        self._changed = threading.Condition()
        self._requests = []
        self._rules = []
        self._port = 0
        self._server = None
        self._thread = None
        self._open = set()
        self._closing = threading.Event()
        self.listen()

    # --- coming and going ---

    def listen(self):
        """Accepts connections, on the same port as before."""
        self._closing.clear()
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.receiver = self
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def refuse(self):
        """Connections are refused from now on, and those that are open end."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    close = refuse

    # --- what to answer ---

    def rule(self, path, act):
        """`act(request)` gives an Answer (or None for 200) for requests of this path; an Answer is taken as it is."""
        with self._changed:
            self._rules.insert(0, (path, act if callable(act) else lambda _: act))

    def script(self, path, *answers):
        """The first requests of this path get these answers in turn; later ones 200."""
        left = collections.deque(answers)
        lock = threading.Lock()

        def act(_):
            with lock:
                return left.popleft() if left else None

        self.rule(path, act)

    # --- what came ---

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def requests(self, path=None):
        with self._changed:
            return [r for r in self._requests if path is None or r.path == path]

    def wait_for(self, count, path=None, timeout=15.0):
        """Blocks until `count` requests (of this path) have come, and gives them."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [r for r in self._requests if path is None or r.path == path]
                left = deadline - time.monotonic()
                if len(found) >= count:
                    return found
                if left <= 0:
                    raise AssertionError(f"{len(found)} of {count} requests of {path} within {timeout} s: {found}")
                self._changed.wait(left)

    def clear(self):
        with self._changed:
            self._requests.clear()

    # --- within ---

    def _opened(self, connection):
        with self._changed:
            self._open.add(connection)
        if self._closing.is_set():
            connection.shutdown(socket.SHUT_RDWR)

    def _ended(self, connection):
        with self._changed:
            self._open.discard(connection)

    def _serve(self, handler, body, at):
        with self._changed:
            request = Request(handler.command, handler.path, handler.headers, body, at, len(self._requests))
            self._requests.append(request)
            act = next((a for path, a in self._rules if path == request.path), None)
            self._changed.notify_all()
        self._answer(handler, (act(request) if act else None) or Answer())

    def _answer(self, handler, a):
        if a.stall:
            self._closing.wait(a.stall)
        if a.until:
            a.until.wait(60)
        if a.cut == "before":
            handler.close_connection = True
            return
        handler.send_response(a.status)
        for name, value in a.headers.items():
            handler.send_header(name, value)
        length = len(a.body) + (100 if a.cut == "within" else 0)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(a.body)
        if a.cut == "within":
            handler.close_connection = True

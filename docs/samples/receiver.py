"""A receiver that acts once: Python's standard library only.

    SECRET=whsec_... LEDGER=ledger.db PORT=3000 python3 receiver.py
"""

import base64
import hashlib
import hmac
import os
import sqlite3
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = [base64.b64decode(s.removeprefix("whsec_")) for s in os.environ["SECRET"].split(",")]
LEDGER = os.environ["LEDGER"]


def is_ours(headers, body):
    """Standard Webhooks: one of the signatures is by a secret of ours, over what came, and fresh."""
    sent_at, message = headers["webhook-timestamp"] or "", headers["webhook-id"] or ""
    if not sent_at.isdigit() or abs(time.time() - int(sent_at)) > 300:
        return False
    signed = f"{message}.{sent_at}.".encode() + body
    expected = ["v1," + base64.b64encode(hmac.new(s, signed, hashlib.sha256).digest()).decode() for s in SECRETS]
    given = (headers["webhook-signature"] or "").split(" ")
    return any(hmac.compare_digest(g, e) for g in given for e in expected)


def act_once(key, body):
    """The work and the memory of it are one transaction: both are there, or neither. False: it was done before."""
    with sqlite3.connect(LEDGER, timeout=10) as db:
        try:
            db.execute("INSERT INTO done (key) VALUES (?)", (key,))
        except sqlite3.IntegrityError:
            return False
        db.execute("INSERT INTO work (body) VALUES (?)", (body,))  # whatever your application does
    return True


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if not is_ours(self.headers, body):
            self.reply(401, b"not signed by us\n")
        elif act_once(self.headers["Idempotency-Key"], body):
            self.reply(200, b"done\n")
        else:
            self.reply(200, b"done before\n")

    def reply(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


with sqlite3.connect(LEDGER) as ledger:
    ledger.execute("CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY)")
    ledger.execute("CREATE TABLE IF NOT EXISTS work (body BLOB)")
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver)
print(f"listening on {server.server_address[1]}", flush=True)
server.serve_forever()

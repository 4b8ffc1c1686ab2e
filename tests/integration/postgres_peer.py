"""A real PostgreSQL for tests, and PgBouncer before it: in a temporary folder, with fsync on."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

START_S = 60


def bin_folder():
    """CARILLON_PG_BIN, else Debian's newest; None when there is none."""
    named = os.environ.get("CARILLON_PG_BIN")
    if named:
        return pathlib.Path(named)
    found = sorted(glob.glob("/usr/lib/postgresql/[0-9]*/bin/initdb"))
    return pathlib.Path(found[-1]).parent if found else None


class _Session:
    def __init__(self, process):
        self._process = process

    def ask(self, sql):
        """Comes back when the server has done it, with the lines it answered."""
        lines = []
        self._process.stdin.write(sql + ";\n\\echo done\n")
        self._process.stdin.flush()
        while (line := self._process.stdout.readline()) != "done\n":
            assert line, "psql ended"
            lines.append(line.rstrip("\n"))
        return lines


class Postgres:
    """A server on a socket of its own. It refuses to run as root, so root lends it the user "postgres"."""

    def __init__(self, server_bin=None, **settings):
        """server_bin: where another version's server is. settings: of postgresql.conf."""
        self.settings = settings
        self.server_bin = server_bin or bin_folder()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-pg-"))
        self.process = None
        self.pooler = None
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            user = pwd.getpwnam(self._user)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        words = [self.server_bin / "initdb", "-D", "data", "-U", "carillon", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        self._run(words).check_returncode()
        self.start()

    @staticmethod
    def available():
        return bin_folder() is not None

    @property
    def url(self):
        return f"postgresql://carillon@/postgres?host={self.folder}"

    @property
    def pooled_url(self):
        return self.url + "&port=6432"

    def _as_user(self):
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}

    def _run(self, words):
        return subprocess.run(
            words, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self._as_user()
        )

    def _spawn(self, words):
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(
                words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as_user()
            )

    def _await(self, url, process):
        deadline = time.monotonic() + START_S
        while self._run([bin_folder() / "pg_isready", "-q", "-d", url]).returncode != 0:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.01)

    def start(self):
        ours = {"listen_addresses": "", "fsync": "on", "shared_buffers": "64MB", "max_connections": "60"}
        settings = [f"{k}={v}" for k, v in {**ours, "log_min_messages": "warning", **self.settings}.items()]
        words = [self.server_bin / "postgres", "-D", "data", "-k", str(self.folder)]
        self.process = self._spawn(words + [w for s in settings for w in ("-c", s)])
        self._await(self.url, self.process)

    def start_pooler(self):
        (self.folder / "pooler.ini").write_text(
            f"[databases]\npostgres = host={self.folder} user=carillon\n[pgbouncer]\nunix_socket_dir = {self.folder}\n"
            "listen_port = 6432\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 5\n"
        )
        self.pooler = self._spawn(["/usr/sbin/pgbouncer", "pooler.ini"])
        self._await(self.pooled_url, self.pooler)

    def down(self, mode="immediate"):
        """"fast" ends connections in order, "immediate" is as a crash."""
        self.process.send_signal(signal.SIGQUIT if mode == "immediate" else signal.SIGINT)
        self.process.wait()

    def restart(self, mode="immediate"):
        self.down(mode)
        self.start()

    def ask(self, sql):
        """Rows of texts."""
        done = self._run([bin_folder() / "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", sql])
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    @contextlib.contextmanager
    def session(self):
        """A connection that stays: what it holds it holds until the end of the block."""
        words = [bin_folder() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url]
        process = subprocess.Popen(
            words, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **self._as_user()
        )
        try:
            yield _Session(process)
        finally:
            process.stdin.close()
            process.wait()
            process.stdout.close()

    def cut_connections(self):
        """Those of the instances, as an administrator would."""
        return len(
            self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'carillon'")
        )

    def stop(self):
        if self.pooler:
            self.pooler.kill()
            self.pooler.wait()
        if self.process.poll() is None:
            self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

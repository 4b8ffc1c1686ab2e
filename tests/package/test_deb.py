"""The Debian package in a clean Debian: installed, started, upgraded, removed and purged, as an administrator would.

    make test-deb

No init system runs in the clean root, so the service is started by the unit's own words: its ExecStart, as its
User, in its WorkingDirectory. What else the unit says is judged by systemd-analyze.
"""

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from clean_root import TOP, CleanRoot, run

sys.path.insert(0, str(TOP / "tests" / "integration"))
from harness import Api, definition  # noqa: E402
from receiver import Receiver  # noqa: E402

PATIENCE = 60


def build(version=None):
    environment = {**os.environ, **({"DEB_VERSION": version} if version else {})}
    run(TOP / "deploy" / "deb.sh", env=environment)
    found = [p for p in (TOP / "build" / "deb").glob("carillon_*.deb") if version is None or version in p.name]
    return max(found, key=lambda p: p.stat().st_mtime)


@pytest.fixture(scope="module")
def root():
    made = CleanRoot("deb")
    made.apt("update")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def packages():
    shutil.rmtree(TOP / "build" / "deb", ignore_errors=True)
    first = build()
    kept = first.rename(first.with_name("first.deb"))
    return kept, build("0.1.0+later")


def unit(root):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(root.file("/lib/systemd/system/carillon.service"))
    return parser


class Service:
    """The service as the unit starts it."""

    def __init__(self, root):
        service = unit(root)["Service"]
        start = shlex.split(service["ExecStart"])
        self.process = subprocess.Popen(
            root.command("setpriv", "--reuid", service["User"], "--regid", service["Group"], "--clear-groups", "--no-new-privs",
                         "env", "-i", "--chdir", service["WorkingDirectory"], "CARILLON_SERVER_LISTEN=127.0.0.1:0", *start),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if '"listening"' in line:
                self.api = Api(json.loads(line)["address"])
                return
        raise AssertionError("it did not start:\n" + "".join(self.said))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0

    def close(self):
        self.process.kill()
        self.process.communicate()


def install(root, package):
    shutil.copy(package, root.file(f"/root/{package.name}"))
    return root.apt("-o", "Dpkg::Options::=--force-confold", "install", f"/root/{package.name}")


def test_the_package_lives_from_install_to_purge(root, packages):
    first, later = packages
    receiver = Receiver()
    service = None
    try:
        install(root, first)
        owner = root.file("/var/lib/carillon").stat()
        accounts = dict(line.split(":")[0:3:2] for line in root.file("/etc/passwd").read_text().splitlines())
        assert str(owner.st_uid) == accounts["carillon"] and owner.st_mode & 0o777 == 0o750
        config = root.file("/etc/carillon/config.yaml")
        assert config.stat().st_mode & 0o777 == 0o640
        assert root.run("carillon", "version").startswith("carillon ")
        assert "wrong" not in root.run("carillon", "config", "check", "--config", "/etc/carillon/config.yaml")

        service = Service(root)
        service.api.register(definition(receiver.url, key="now"))
        kept = service.api.register(definition(receiver.url, "date", "2199-01-01T00:00:00", key="kept"))
        receiver.wait_for(1, timeout=PATIENCE)
        # Whatever the network was when it was built, and as its copyright file says.
        assert service.api.get("/graphql/graphiql.js").status == 404
        assert service.api.get("/graphql/explorer").status == 200
        service.stop()
        assert root.file("/var/lib/carillon/carillon.db").exists()

        config.write_text(config.read_text() + "\nlog:\n  level: debug\n")
        said = install(root, later)
        assert "0.1.0+later" in root.run("dpkg-query", "-W", "-f", "${Version}", "carillon"), said
        assert "level: debug" in config.read_text(), "the upgrade took the administrator's words away"
        assert config.stat().st_mode & 0o777 == 0o640
        service = Service(root)
        assert service.api.schedule(kept["id"])["name"] == kept["name"]
        service.api.register(definition(receiver.url, key="again"))
        receiver.wait_for(2, timeout=PATIENCE)
        service.stop()

        root.apt("remove", "carillon")
        assert not root.file("/usr/bin/carillon").exists()
        assert root.file("/var/lib/carillon/carillon.db").exists() and config.exists()
        root.apt("purge", "carillon")
        assert not root.file("/var/lib/carillon").exists() and not config.exists()
    finally:
        if service:
            service.close()
        receiver.close()


def test_pages_and_completions_are_installed_and_well_formed(root, packages):
    install(root, packages[0])
    for page in ("man1/carillon.1.gz", "man5/carillon.yaml.5.gz"):
        path = root.file(f"/usr/share/man/{page}")
        assert path.exists()
        said = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path)
        assert "warning" not in said
    bash = root.file("/usr/share/bash-completion/completions/carillon")
    script = f'source {bash}; COMP_WORDS=(carillon list --st); COMP_CWORD=2; _carillon; echo "${{COMPREPLY[@]}}"'
    assert run("bash", "-c", script).split() == ["--state"]
    assert root.file("/usr/share/zsh/vendor-completions/_carillon").read_text().startswith("#compdef carillon\n")


def test_the_unit_is_hardened_to_ok_or_better(root, packages):
    said = run("systemd-analyze", "security", "--offline=true", TOP / "deploy" / "debian" / "carillon.service")
    score = re.search(r"exposure level for carillon.service: ([\d.]+) (\w+)", said)
    print(score.group(0))
    assert score.group(2) in ("OK", "SAFE", "PERFECT") and float(score.group(1)) < 4
    run("systemd-analyze", "verify", "--man=no", "--root", root.path, "/lib/systemd/system/carillon.service")

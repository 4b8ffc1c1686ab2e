"""The container image, built for real and run as an engine would run it.

    make test-image

No container engine is needed: buildah builds with chroot isolation, on a base made with debootstrap; the service then
runs in the image's root, mounted read-only, as the image's user with the image's words.
"""

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

WORK = TOP / "build" / "package"
STORE = ["--root", str(WORK / "images"), "--runroot", str(WORK / "images-run"), "--storage-driver", "vfs"]
ENVIRONMENT = {**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": str(WORK)}
OVER_BASE_MAX = 60 * 1024 * 1024
PATIENCE = 60


def buildah(*arguments):
    return run("buildah", *STORE, *arguments, env=ENVIRONMENT).strip()


def last_line(text):
    return text.splitlines()[-1]


def bytes_below(path):
    """Of its files, each counted once however many names it has."""
    return int(run("du", "-s", "--block-size=1", "--apparent-size", path).split()[0])


@pytest.fixture(scope="module")
def base():
    """A Debian as small as the one that the file names, as an image."""
    root = CleanRoot("image-base")
    try:
        run("umount", root.path / "proc")
        container = last_line(buildah("from", "scratch"))
        buildah("add", "--quiet", container, root.path, "/")
        buildah("commit", "--quiet", container, "localhost/carillon-base")
        size = bytes_below(root.path)
        buildah("rm", container)
    finally:
        root.remove()
    return "localhost/carillon-base", size


@pytest.fixture(scope="module")
def image(base):
    sources = WORK / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    sources.mkdir(parents=True)
    run("sh", "-c", f"git -C {shlex.quote(str(TOP))} archive HEAD | tar -x -C {shlex.quote(str(sources))}")
    buildah("build", "--isolation", "chroot", "--format", "docker", "--build-arg", f"BASE={base[0]}",
            "--file", sources / "deploy/container/Containerfile", "--tag", "localhost/carillon", sources)
    container = last_line(buildah("from", "localhost/carillon"))
    yield container
    shutil.rmtree(sources)
    run("buildah", *STORE, "umount", container, env=ENVIRONMENT)
    buildah("rm", "--all")
    buildah("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def config(image):
    return json.loads(buildah("inspect", "--type", "image", "localhost/carillon"))["Docker"]["config"]


@pytest.fixture(scope="module")
def mounted(image):
    return last_line(buildah("mount", image))


class Container:
    """The image's root, read-only, with a volume where the image has one, in a mount namespace of its own."""

    def __init__(self, root, config, volume):
        self.root = root
        self.config = config
        user, group = config["User"].split(":")
        os.chown(volume, int(user), int(group))
        inside = shlex.join(["chroot", f"--userspec={config['User']}", root, *self._environment(),
                             *config["Entrypoint"], *config["Cmd"]])
        script = "\n".join([
            "set -e",
            f"mount --bind {shlex.quote(root)} {shlex.quote(root)}",
            f"mount --bind {shlex.quote(str(volume))} {shlex.quote(root)}/var/lib/carillon",
            f"mount -o remount,ro,bind {shlex.quote(root)}",
            f"mount -t proc proc {shlex.quote(root)}/proc",
            f"exec {inside}",
        ])
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.process.stdout:
            said.append(line)
            if '"listening"' in line:
                self.port = json.loads(line)["address"].rsplit(":", 1)[1]
                self.api = Api(f"http://127.0.0.1:{self.port}")
                return
        raise AssertionError("it did not start:\n" + "".join(said))

    def _environment(self):
        # Port 0: on this machine another one may have 9902.
        return ["env", "-i", *self.config["Env"], "CARILLON_SERVER_LISTEN=0.0.0.0:0"]

    def inside(self, *command, **variables):
        """A second command in the same container."""
        return subprocess.run(
            ["nsenter", "--target", str(self.process.pid), "--mount", "chroot", f"--userspec={self.config['User']}", self.root,
             "env", "-i", *self.config["Env"], *[f"{k}={v}" for k, v in variables.items()], *command],
            capture_output=True, text=True, check=False)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def container(mounted, config, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    one = Container(mounted, config, volume)
    yield one
    one.close()


def test_a_schedule_fires_through_the_image_whose_root_is_read_only(container, config):
    receiver = Receiver()
    try:
        assert config["User"] == "10001:10001"
        container.api.register(definition(receiver.url, key="image"))
        assert receiver.wait_for(1, timeout=PATIENCE)[0].json() == {"key": "image"}
        assert container.inside("touch", "/usr/bin/carillon").returncode != 0
        assert container.inside("id", "-u").stdout == "10001\n"
        assert container.stop() == 0
    finally:
        receiver.close()


def test_the_health_check_tells_a_service_from_none(container, config):
    kind, *check = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    address = f"http://127.0.0.1:{container.port}"
    done = container.inside(*check, CARILLON_URL=address)
    assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr
    assert container.inside(*check, CARILLON_URL="http://127.0.0.1:1").returncode == 1


def test_the_image_is_small(base, mounted):
    over = bytes_below(mounted) - base[1]
    print(f"{over / 2**20:.1f} MiB over its base")
    assert over < OVER_BASE_MAX


def test_the_compose_file_is_understood_and_names_only_settings_that_exist():
    compose = TOP / "deploy" / "container" / "compose.yaml"
    venv = WORK / "venv"
    run(sys.executable, "-m", "venv", venv)
    if subprocess.run([venv / "bin" / "pip", "install", "-q", "podman-compose"], capture_output=True, check=False).returncode != 0:
        pytest.skip("PyPI cannot be reached, and with it a reader of compose files")
    said = run(venv / "bin" / "podman-compose", "--file", compose, "config")
    for service in ("one", "two", "three", "postgres", "redis"):
        assert re.search(rf"^  {service}:$", said, re.M), said
    known = (TOP / "docs" / "configuration.md").read_text()
    named = set(re.findall(r"\bCARILLON_[A-Z_]+", compose.read_text()))
    assert named and all(f"`{name}`" in known or name == "CARILLON_WAKEUP" for name in named)

"""A clean Debian made with debootstrap below build/, to install things into, and commands run inside it.

Debian's mirror is the one that apt on this machine uses, with its keys and settings. Needs root.
"""

import os
import pathlib
import re
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
SUITE = "bookworm"


def mirror():
    """The first archive that apt knows with this suite's main section."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT) $(CREATED_BY)"],
        capture_output=True, text=True, check=True,
    ).stdout
    for line in targets.splitlines():
        words = line.split()
        if len(words) == 4 and words[1:] == [SUITE, "main", "Packages"]:
            return words[0]
    raise RuntimeError(f"apt has no archive of {SUITE}")


def run(*command, **more):
    """A command that must succeed; its output is shown when it does not."""
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False, **more)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


class CleanRoot:
    """A copy of a bootstrapped Debian; the bootstrap itself is kept for the next one."""

    def __init__(self, name):
        self.path = TOP / "build" / "package" / name
        base = TOP / "build" / "package" / "base"
        if not (base / "complete").exists():
            shutil.rmtree(base, ignore_errors=True)
            base.mkdir(parents=True)
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, base, mirror())
            self._use_apt_of_this_machine(base)
            (base / "complete").touch()
        self.remove()
        run("cp", "-a", base, self.path)
        (self.path / "complete").unlink()
        # What systemd's own helpers look at.
        run("mount", "-t", "proc", "proc", self.path / "proc")

    @staticmethod
    def _use_apt_of_this_machine(root):
        for part in ("apt.conf.d", "sources.list.d", "trusted.gpg.d", "auth.conf.d"):
            source = pathlib.Path("/etc/apt") / part
            if source.is_dir():
                shutil.copytree(source, root / "etc/apt" / part, dirs_exist_ok=True)
        for name in ("docker-clean", "docker-gzip-indexes", "docker-no-languages", "20packagekit", "50appstream"):
            (root / "etc/apt/apt.conf.d" / name).unlink(missing_ok=True)
        sources = pathlib.Path("/etc/apt/sources.list")
        (root / "etc/apt/sources.list").write_text(sources.read_text() if sources.exists() else "")
        shutil.copytree("/usr/share/keyrings", root / "usr/share/keyrings", dirs_exist_ok=True)
        certificates = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        if certificates.exists():
            shutil.copy(certificates, root / "etc/ssl/certs/ca-certificates.crt")
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")

    def command(self, *command):
        return ["chroot", str(self.path), *[str(c) for c in command]]

    def run(self, *command):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
                       "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return run(*self.command(*command), env=environment)

    def apt(self, *arguments):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", *arguments)

    def file(self, path):
        return self.path / path.lstrip("/")

    def remove(self):
        """Nothing of what is mounted in it is touched: a mount that stays is an error."""
        if not self.path.exists():
            return
        for place in self._mounts():
            run("umount", place)
        assert not self._mounts(), f"still mounted: {self._mounts()}"
        shutil.rmtree(self.path)

    def _mounts(self):
        all_of_them = re.findall(r"^\S+ (\S+)", pathlib.Path("/proc/mounts").read_text(), re.M)
        return [place for place in all_of_them if place.startswith(f"{self.path}/")]

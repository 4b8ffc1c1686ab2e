"""Servers of other versions of PostgreSQL than Debian's, fetched once into the build folder by Maven."""

import lzma
import pathlib
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile

from harness import TOP

FETCH_S = 240
VERSIONS = {13: "13.18.0", 14: "14.15.0", 16: "16.6.0", 17: "17.2.0"}


def _fetch(major, folder):
    """Why it could not be had, or nothing."""
    if not shutil.which("mvn"):
        return "there is no mvn"
    pom = TOP / "tests" / "peers" / "postgres" / "pom.xml"
    command = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    command.append(f"-Dpostgres.version={VERSIONS[major]}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        return "Maven did not end in time"
    return "" if done.returncode == 0 else "Maven Central cannot be reached"


def _unpack(folder):
    """The jar holds a tar file of its own."""
    with zipfile.ZipFile(next(folder.glob("*.jar"))) as packed:
        name = next(n for n in packed.namelist() if n.endswith(".txz"))
        with packed.open(name) as squeezed, lzma.open(squeezed) as tar, tarfile.open(fileobj=tar) as archive:
            archive.extractall(folder / "tree")
    (folder / "whole").touch()


class Server:
    """A version's programs, where any user may run them; .bin is None, and .why says it, where none can be had."""

    def __init__(self, major):
        self.folder = self.bin = None
        folder = TOP / "build" / "postgres" / str(major)
        self.why = "" if (folder / "whole").exists() else _fetch(major, folder)
        if self.why:
            return
        if not (folder / "whole").exists():
            _unpack(folder)
        self.bin = folder / "tree" / "bin"
        if not all(parent.stat().st_mode & stat.S_IXOTH for parent in self.bin.parents):
            self._copy(folder / "tree")

    def _copy(self, tree):
        """The server runs as another user than root, who may not come here."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-pg-bin-"))
        shutil.copytree(tree, self.folder, symlinks=True, dirs_exist_ok=True)
        self.folder.chmod(0o755)
        self.bin = self.folder / "bin"

    def remove(self):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

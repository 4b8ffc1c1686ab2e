"""Installs the libraries of npm that tests compare with into a build folder, never into the source tree."""

import pathlib
import shutil
import subprocess

PACKAGE = pathlib.Path(__file__).parent / "npm" / "package.json"


def install(folder: pathlib.Path) -> str | None:
    """The folder of the modules; None where there is no node or the registry is out of reach."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    wanted = PACKAGE.read_text()
    installed = folder / "installed"
    if not installed.exists() or installed.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(wanted)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
        installed.write_text(wanted)
    return str((folder / "node_modules").resolve())

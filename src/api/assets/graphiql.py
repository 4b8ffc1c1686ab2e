#!/usr/bin/python3
"""Makes graphiql.js and graphiql.css, each compressed, of packages of npm: graphiql.py MODE EXPLORER_JS OUT_JS OUT_CSS.

MODE: auto (both are empty when npm or its registry cannot be reached: the service then has its small explorer alone),
enabled (that is an error), disabled (both are empty). The versions are fixed, and so is what is in them.
"""

import base64
import gzip
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

# package, version, sha512 of its tarball as the registry tells it
PACKAGES = [
    ("react", "18.3.1", "wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ=="),
    ("react-dom", "18.3.1", "5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw=="),
    ("graphiql", "3.8.3", "cuPDYtXVKV86Pu5PHBX642Odi/uVEE2y1Jxq5rGO/Qy1G2lRp7ZZ7a/T30RzxhuLSWo9zUbzq0P3U49//H0Ugw=="),
]
SCRIPTS = {
    "react": "package/umd/react.production.min.js",
    "react-dom": "package/umd/react-dom.production.min.js",
    "graphiql": "package/graphiql.min.js",
}
STYLE = "package/graphiql.min.css"
PATIENCE = 90


def fetch(folder: pathlib.Path) -> None:
    names = [f"{name}@{version}" for name, version, _ in PACKAGES]
    command = ["npm", "pack", "--silent", "--fetch-retries=1", "--fetch-timeout=20000", *names]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


def members(path: pathlib.Path, wanted: list[str], digest: str) -> list[str]:
    data = path.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != digest:
        sys.exit(f"graphiql.py: {path.name} is not what was published")
    with tarfile.open(path) as tar:
        return [tar.extractfile(name).read().decode() for name in wanted]


def make(folder: pathlib.Path, explorer: str) -> tuple[str, str]:
    script, style = [], ""
    for name, version, digest in PACKAGES:
        files = ["package/LICENSE", SCRIPTS[name], *([STYLE] if name == "graphiql" else [])]
        licence, code, *rest = members(folder / f"{name}-{version}.tgz", files, digest)
        script += [f"/* {name} {version}\n{licence.replace('*/', '* /')}*/", re.sub(r"\n//# sourceMappingURL=\S*", "", code)]
        style += "".join(rest)
    # Its fonts are four fifths of it, and the system has some.
    style = re.sub(r"@font-face\s*\{[^}]*\}", "", style)
    style = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", style)
    return "\n;\n".join([*script, explorer]), style


def main() -> None:
    mode, explorer, out_script, out_style = sys.argv[1:]
    script = style = ""
    if mode != "disabled":
        try:
            if not shutil.which("npm"):
                raise FileNotFoundError("there is no npm")
            with tempfile.TemporaryDirectory() as folder:
                fetch(pathlib.Path(folder))
                script, style = make(pathlib.Path(folder), pathlib.Path(explorer).read_text())
        except (OSError, subprocess.SubprocessError) as fault:
            if mode == "enabled":
                sys.exit(f"graphiql.py: {fault}")
            print(f"graphiql.py: without GraphiQL, with the small explorer alone: {fault}", file=sys.stderr)
    for path, text in ((out_script, script), (out_style, style)):
        pathlib.Path(path).write_bytes(gzip.compress(text.encode(), 9, mtime=0) if text else b"")


main()

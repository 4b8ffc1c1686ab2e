"""Writes the parts of the manual that the program itself knows: `make docs`.

configuration.md: the table of settings. cli.md: the page of every command. tests/integration fails while they differ.
"""

import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent


def said(binary, *arguments):
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=True).stdout.rstrip()


def replace(path, text):
    page = path.read_text()
    made, count = re.subn(
        r"(<!-- generated: begin -->\n).*?(<!-- generated: end -->)",
        lambda m: f"{m.group(1)}{text}\n{m.group(2)}",
        page,
        flags=re.S,
    )
    if count != 1:
        sys.exit(f"{path}: the two marks are not there")
    path.write_text(made)


def commands(binary):
    section = said(binary, "--help").split("\nCommands\n")[1].split("\n\n")[0]
    # "  config check [FILE]     say what is wrong": lower-case words are the command.
    return [re.match(r"  ((?:[a-z-]+ ?)+?)(?= [A-Z\[]|  )", line).group(1).strip() for line in section.splitlines()]


def main(binary):
    replace(DOCS / "configuration.md", said(binary, "config", "reference"))
    pages = [f"## {name}\n\n```\n{said(binary, *name.split(), '--help')}\n```\n" for name in commands(binary)]
    replace(DOCS / "cli.md", "\n".join(pages))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(DOCS.parent / "build" / "release" / "carillon"))

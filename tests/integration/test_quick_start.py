"""The quick start: its commands, typed one after the other, do what it says; in both languages."""

import os
import re
import shlex
import socket
import subprocess
import sys

import pytest

from harness import TOP, binary, clean_environment, wait_until

PAGES = ["docs/quick-start.md", "docs/quick-start.ko.md"]


def blocks(page):
    return re.findall(r"```sh\n(.*?)```", (TOP / page).read_text(), re.S)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Terminal:
    """A shell in a folder of its own, with the program on its PATH, where port 3000 is one that is free."""

    def __init__(self, folder, url):
        self.port = free_port()
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin" / "carillon").symlink_to(binary())
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        self.environment = clean_environment(PATH=path, CARILLON_URL=url)

    def here(self, block):
        assert "9902" not in block
        return block.replace("3000", str(self.port))

    def type(self, block):
        done = subprocess.run(
            ["bash", "-e", "-u", "-c", self.here(block)], cwd=self.folder, env=self.environment, text=True, capture_output=True, timeout=60
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        return done.stdout


def test_both_pages_say_the_same_commands():
    assert blocks(PAGES[0]) == blocks(PAGES[1])
    assert len(blocks(PAGES[0])) == 10


@pytest.mark.parametrize("page", PAGES)
def test_typed_one_after_the_other_they_do_what_it_says(page, carillon, tmp_path):
    make, health, ask, add, dead, history, receiver, redrive, by_hand, delete = blocks(page)
    assert make == "make run\n"
    terminal = Terminal(tmp_path, carillon.url)
    assert terminal.type(health).strip() == "ready"
    assert terminal.type(ask).count("+09:00") == 3
    assert "hello" in terminal.type(add)
    assert len(carillon.api.get("/schedules").json()) == 1
    wait_until(lambda: carillon.api.get("/runs?state=dead").json(), "a dead run", 60)
    assert f"cannot connect to localhost:{terminal.port}: Connection refused" in terminal.type(dead)
    assert terminal.type(history).count("attempt_failed") >= 2

    program = shlex.split(terminal.here(receiver))
    assert program[:2] == ["python3", "-c"]
    with subprocess.Popen([sys.executable, *program[1:]], stdout=subprocess.PIPE, text=True) as printing:
        try:
            # Bound before anything is redriven: the page's reader sees the same in the third terminal.
            wait_until(lambda: listens(terminal.port), "the receiver")
            terminal.type(redrive)
            path, key, body = printing.stdout.readline().split(" ", 2)
            assert (path, body) == ("/hello", '{"greeting":"good morning"}\n')
            wait_until(lambda: "succeeded" in terminal.type("carillon runs --state succeeded"), "success", 90)
            shown = terminal.type(by_hand)
            assert re.search(r"(?m)^state +paused$", shown)
            assert "missed" in shown
            terminal.type(f"{by_hand.splitlines()[0]}\n{delete}")
        finally:
            printing.kill()
    assert carillon.api.get("/schedules").json() == []


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0

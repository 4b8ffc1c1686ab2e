"""The calendar driver: questions in, answers out, in batches so large that the pipe's cost vanishes."""

import os
import pathlib
import subprocess

import pytest

ZONEINFO = os.environ.get("CARILLON_ZONEINFO", "/usr/share/zoneinfo")


# What was compared and what was left out: shown at the end of the run, passed or failed.
NOTES: list[str] = []


def note(text: str):
    NOTES.append(text)


def build_dir() -> pathlib.Path:
    """The folder with the built programs; named by CARILLON_BUILD, which `make test` sets."""
    named = os.environ.get("CARILLON_BUILD")
    if not named:
        pytest.fail("CARILLON_BUILD must name the build folder")
    return pathlib.Path(named)


def ask(questions: list[str], zoneinfo: str = ZONEINFO) -> list[str]:
    """All answers, in order; a driver that dies (a sanitizer's report, say) fails the test with its words."""
    program = build_dir() / "tests" / "oracle" / "calendar_driver"
    done = subprocess.run(
        [str(program), zoneinfo],
        input="\n".join(questions) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the driver ended with {done.returncode}:\n{done.stderr}"
    answers = done.stdout.splitlines()
    assert len(answers) == len(questions)
    return answers

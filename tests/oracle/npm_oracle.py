"""The cron libraries of npm: installed into the build folder when the registry can be reached, else skipped."""

import functools
import os
import pathlib
import subprocess

import cron_triples
import driver
import npm_modules
import pytest

HERE = pathlib.Path(__file__).parent / "npm"


@functools.cache
def modules() -> str:
    folder = npm_modules.install(driver.build_dir() / "tests" / "oracle" / "npm")
    if folder is None:
        pytest.skip("no node here, or the npm registry cannot be reached")
    return folder


def node(arguments: list[str], lines: list[str]) -> list[str]:
    done = subprocess.run(
        ["node", str(HERE / "ask.cjs"), *arguments],
        input="\n".join(lines) + "\n",
        env={**os.environ, "NODE_PATH": modules()},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    return answers


@functools.cache
def zones_in_common() -> list[str]:
    """
    Zones whose offsets node's own database gives as the system's does, up to 2037: their releases may differ, and a
    difference there says nothing about cron.
    """
    names = sorted(cron_triples.zoneinfo.available_timezones() - {"localtime", "Factory"})
    changes = cron_triples.changes_of(names)
    every_season = list(range(cron_triples.FROM, cron_triples.TO + cron_triples.A_DAY, 91 * cron_triples.A_DAY))
    instants = {n: every_season + [c + d for c in changes[n] for d in (-1, 0)] for n in names}
    theirs = node(["offsets"], ["\t".join([n, *map(str, instants[n])]) for n in names])
    questions = [q for n in names for q in [f"z {n}", *(f"t {s}" for s in instants[n])]]
    ours = iter(driver.ask(questions))
    common = []
    for name, answer in zip(names, theirs):
        next(ours)
        if answer.split() == [next(ours).split()[0] for _ in instants[name]]:
            common.append(name)
    driver.note(f"{len(common)} of {len(names)} zones are the same in node's database")
    assert len(common) > len(names) // 2
    return common


def ask_next(library: str, triples: list[cron_triples.Triple]) -> list[int | str | None]:
    answers = node(["next", library], [f"{t.expression()}\t{t.zone}\t{t.instant}" for t in triples])
    return [int(a) if a.isdigit() else None if a == "none" else a for a in answers]

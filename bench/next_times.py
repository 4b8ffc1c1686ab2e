"""next_times.py: nanoseconds per next occurrence: ours, python3-croniter's and npm cron-parser's, in one run.

    bench/next_times.py        CARILLON_BUILD names the build folder (build/release)

A library that is not here is left out with a word. Not a test: it prints, it does not judge.
"""
import datetime
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "bench" / "cron"
BUILD = pathlib.Path(os.environ.get("CARILLON_BUILD", ROOT / "build" / "release"))
ZONEINFO = os.environ.get("CARILLON_ZONEINFO", "/usr/share/zoneinfo")
ZONE = "Europe/Berlin"
FIRST = 1_700_000_000
EXPRESSIONS = (HERE / "expressions.txt").read_text().splitlines()

sys.path.insert(0, str(ROOT / "tests" / "oracle"))


def table(text):
    return {line.split("\t")[0]: int(line.split("\t")[1]) for line in text.splitlines()}


def ours():
    program = BUILD / "bench" / "cron" / "bench_calendar"
    if not program.exists():
        subprocess.run(["ninja", "-C", BUILD, "bench/cron/bench_calendar"], check=True, stdout=subprocess.DEVNULL)
    command = [program, HERE / "expressions.txt", ZONEINFO, ZONE, str(FIRST)]
    return table(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def croniter():
    try:
        import croniter as library
        import pytz
    except ImportError:
        print("croniter is not installed here")
        return {}
    found = {}
    for expression in EXPRESSIONS:
        fields = expression.split()
        theirs = " ".join(fields[1:] + fields[:1]) if len(fields) == 6 else expression
        start = time.perf_counter_ns()
        n = 0
        while time.perf_counter_ns() - start < 300_000_000:
            begin = datetime.datetime.fromtimestamp(FIRST, pytz.timezone(ZONE))
            cron = library.croniter(theirs, begin)
            for _ in range(20):
                try:
                    cron.get_next(float)
                except library.CroniterBadDateError:
                    break
                n += 1
        found[expression] = (time.perf_counter_ns() - start) // n
    return found


def cron_parser():
    import npm_modules

    modules = npm_modules.install(BUILD / "tests" / "oracle" / "npm")
    if modules is None:
        print("cron-parser cannot be installed here")
        return {}
    command = ["node", HERE / "cron_parser.cjs", HERE / "expressions.txt", ZONE, str(FIRST)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "NODE_PATH": modules})
    return table(done.stdout)


def main():
    columns = {"carillon": ours(), "croniter": croniter(), "cron-parser": cron_parser()}
    print(f"nanoseconds per next occurrence, in {ZONE}")
    print(f"{'expression':<36}" + "".join(f"{name:>14}" for name in columns))
    for expression in EXPRESSIONS:
        cells = (column.get(expression) for column in columns.values())
        print(f"{expression:<36}" + "".join(f"{'-' if cell is None else format(cell, ','):>14}" for cell in cells))


if __name__ == "__main__":
    main()

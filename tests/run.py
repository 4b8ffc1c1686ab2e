"""Runs the suites and ends with one line: N passed, N failed[, N skipped].

    tests/run.py test        everything that shows that it works
    tests/run.py lint        format, clang-tidy, rooms, headers
    tests/run.py fuzz        each fuzz target for FUZZ_SECONDS
    tests/run.py deb         the Debian package in a clean Debian
    tests/run.py image       the container image, built and run

Every case of every C test program counts, and every pytest case. A step that cannot run at all (a build
that breaks, a program that crashes without naming a case) counts as one failed. Python's standard library
only; everything is written below build/.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
PYTHON = sys.executable
JOBS = str(os.cpu_count() or 2)


class Count:
    """What passed, failed and was skipped, and the names of what failed."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.names = []

    def fail(self, name):
        self.failed += 1
        self.names.append(name)

    def add(self, passed, failed, skipped, names=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        self.names.extend(names)

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def say(text):
    print(text, flush=True)


PROGRESS = re.compile(r"^\[\d+/\d+\] (Compiling|Linking|Generating)")


def step(name, command, env=None, quiet=False):
    """Runs one command, says how long it took; its output is shown when it fails, or always unless quiet."""
    say(f"== {name}")
    start = time.monotonic()
    done = subprocess.run(
        [str(c) for c in command],
        cwd=TOP,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        errors="replace",
        check=False,
    )
    took = time.monotonic() - start
    if quiet and done.returncode != 0:
        # ninja's progress is noise beside what failed.
        say("\n".join(line for line in done.stdout.splitlines() if not PROGRESS.match(line)))
    say(f"   {'ok' if done.returncode == 0 else 'FAILED'} in {took:.0f} s")
    return done.returncode == 0


def build(count, folder, options, env=None, targets=()):
    """Sets a build folder up once and builds it. False, and one failed, when it breaks."""
    path = BUILD / folder
    if not (path / "build.ninja").exists():
        if not step(f"set up build/{folder}", ["meson", "setup", path, *options], env, quiet=True):
            count.fail(f"meson setup build/{folder}")
            return False
    if not step(f"build build/{folder}", ["ninja", "-C", path, "-j", JOBS, *targets], env, quiet=True):
        count.fail(f"build of build/{folder}")
        return False
    return True


TAP = re.compile(r"^(not ok|ok) \d+ (?:- )?(.*)$")


def count_tap(count, program, text, result):
    """Counts the cases of one program; one that speaks no TAP is one case. A crash counts beside its cases."""
    seen = 0
    failed = 0
    for line in text.splitlines():
        match = TAP.match(line.strip())
        if not match:
            continue
        seen += 1
        name = f"{program}: {match.group(2)}"
        if "# SKIP" in line.upper():
            count.skipped += 1
        elif match.group(1) == "ok":
            count.passed += 1
        else:
            failed += 1
            count.fail(name)
    if result == "SKIP" and seen == 0:
        count.skipped += 1
    elif result not in ("OK", "EXPECTEDFAIL", "SKIP"):
        if failed == 0:
            count.fail(f"{program} ({result})")
    elif seen == 0:
        count.passed += 1


def meson_tests(count, folder, arguments=("--no-rebuild",)):
    path = BUILD / folder
    log = path / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    ok = step(
        f"tests of build/{folder}",
        ["meson", "test", "-C", path, "--print-errorlogs", "--num-processes", JOBS, *arguments],
        {"CMOCKA_MESSAGE_OUTPUT": "TAP"},
    )
    if not log.exists():
        if not ok:
            count.fail(f"meson test in build/{folder}")
        return
    before = count.failed
    for line in log.read_text(errors="replace").splitlines():
        test = json.loads(line)
        count_tap(count, test["name"], test.get("stdout") or "", test["result"])
    if not ok and count.failed == before:
        count.fail(f"meson test in build/{folder}")


def pytest(count, name, paths, env=None):
    """Runs pytest over the paths that exist and reads its own report."""
    paths = [p for p in paths if (TOP / p).exists()]
    if not paths:
        return
    report = BUILD / "reports" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", f"--junitxml={report}", *paths]
    ok = step(f"pytest {name}", command, {"PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
    if not report.exists():
        count.fail(f"pytest {name}")
        return
    failed = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
            count.fail(f"{case.get('classname')}: {case.get('name')}")
        elif "skipped" in kinds:
            count.skipped += 1
        else:
            count.passed += 1
    if not ok and failed == 0 and any(TOP.glob(f"{paths[0]}/test_*.py")):
        count.fail(f"pytest {name}")


# Below -O1 the sanitizers cost more than they find; debug keeps what a report needs.
SANITIZED = ["-Dbuildtype=debug", "-Doptimization=1", "-Db_lundef=false"]
ASAN_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:abort_on_error=1",
}
TSAN_ENV = {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:abort_on_error=1"}


def test(count):
    if build(count, "asan", ["-Db_sanitize=address,undefined", *SANITIZED]):
        binary = {"CARILLON_BIN": str(BUILD / "asan" / "carillon"), "CARILLON_BUILD": str(BUILD / "asan")}
        meson_tests(count, "asan")
        pytest(count, "oracle", ["tests/oracle"], binary)
        pytest(count, "deploy", ["tests/deploy"], binary)
        pytest(count, "integration", ["tests/integration"], {**binary, **ASAN_ENV})
    if build(count, "tsan", ["-Db_sanitize=thread", *SANITIZED], targets=["carillon"]):
        # meson builds what the suite's tests need, which is a small part of all.
        meson_tests(count, "tsan", ["--suite", "threads"])
        # The whole service with all its threads, once under the other sanitizer.
        pytest(
            count,
            "threads",
            ["tests/integration/test_smoke.py", "tests/integration/test_graphql_http.py"],
            {"CARILLON_BIN": str(BUILD / "tsan" / "carillon"), **TSAN_ENV},
        )


def sources(*patterns):
    found = []
    for folder in ("src", "tests", "bench"):
        for pattern in patterns:
            found.extend(sorted((TOP / folder).rglob(pattern)))
    return [p.relative_to(TOP) for p in found]


def counted_step(count, name, command):
    if step(name, command, quiet=True):
        count.passed += 1
    else:
        count.fail(name)


def tidy_one(path):
    """One file under clang-tidy; gcc's own options in the compile commands are none of its business."""
    command = ["clang-tidy", "--quiet", "-p", str(BUILD / "asan"), "--extra-arg=-Wno-unknown-warning-option",
               "--extra-arg=-Wno-ignored-optimization-argument", str(path)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, errors="replace", check=False)
    return path, done.returncode, done.stdout


def tidy(count):
    say("== clang-tidy")
    start = time.monotonic()
    commands = json.loads((BUILD / "asan" / "compile_commands.json").read_text())
    built = {pathlib.Path(os.path.normpath(pathlib.Path(c["directory"]) / c["file"])) for c in commands}
    files = [p for p in sources("*.c") if p.parts[0] == "src" and TOP / p in built]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        for path, status, text in pool.map(tidy_one, files):
            if status != 0:
                bad += 1
                say(f"{path}\n{text}")
                count.fail(f"clang-tidy: {path}")
            else:
                count.passed += 1
    say(f"   {'ok' if not bad else 'FAILED'} in {time.monotonic() - start:.0f} s")


def lint(count):
    counted_step(count, "clang-format", ["clang-format", "--dry-run", "-Werror", *sources("*.c", "*.h")])
    for script in sorted((TOP / "tests" / "lint").glob("*.py")):
        counted_step(count, f"tests/lint/{script.name}", [PYTHON, script])
    # clang-tidy reads how each file is compiled from a build folder; generated files must be there.
    if build(count, "asan", ["-Db_sanitize=address,undefined", *SANITIZED]):
        tidy(count)


def fuzz(count):
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    options = ["-Dfuzz=true", "-Db_sanitize=address,undefined", *SANITIZED]
    names = sorted(p.parent.name for p in (TOP / "tests" / "fuzz").glob("*/corpus"))
    targets = [f"tests/fuzz/fuzz_{name}" for name in names]
    if not build(count, "fuzz", options, {"CC": "clang"}, targets):
        return
    for name in names:
        target = BUILD / "fuzz" / "tests" / "fuzz" / f"fuzz_{name}"
        grown = BUILD / "fuzz" / "corpus" / name
        grown.mkdir(parents=True, exist_ok=True)
        corpus = TOP / "tests" / "fuzz" / name / "corpus"
        command = [str(target), f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1",
                   f"-artifact_prefix={BUILD}/fuzz/", grown, corpus]
        counted_step(count, f"fuzz {name} for {seconds} s", command)


def deb(count):
    pytest(count, "package", ["tests/package/test_deb.py"])


def image(count):
    pytest(count, "image", ["tests/package/test_image.py"])


def main(words):
    stages = {"test": test, "lint": lint, "fuzz": fuzz, "deb": deb, "image": image}
    if not words or any(word not in stages for word in words):
        say(__doc__)
        return 2
    os.chdir(TOP)
    count = Count()
    start = time.monotonic()
    for word in words:
        stages[word](count)
    if count.names:
        say("\nfailed:\n  " + "\n  ".join(count.names))
    say(f"\nin {time.monotonic() - start:.0f} s")
    say(count.line())
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

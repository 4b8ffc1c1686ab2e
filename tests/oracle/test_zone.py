"""Zones against Debian's python3 zoneinfo: every name in the database, every transition, random instants."""

import datetime
import os
import pathlib
import random
import shutil
import struct
import subprocess
import zoneinfo

import driver
import pytest

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH = datetime.datetime(1970, 1, 1)
FROM = int((datetime.datetime(1900, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
TO = int((datetime.datetime(2100, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
RANDOM_INSTANTS = 1000
SLIM_TO = int((datetime.datetime(2070, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())

# `localtime` is whatever this machine was set to, no place: refused by name, which tests/unit shows.
NAMES = sorted(zoneinfo.available_timezones() - {"localtime"})


@pytest.fixture(scope="module", autouse=True)
def the_same_database():
    """Both sides must read the same files, or nothing is compared."""
    zoneinfo.reset_tzpath([driver.ZONEINFO])
    zoneinfo.ZoneInfo.clear_cache()


def transitions_in_file(name: str) -> list[int]:
    """The transitions the file itself holds, read here without either implementation."""
    with open(f"{driver.ZONEINFO}/{name}", "rb") as file:
        data = file.read()
    isut, isstd, leap, times, types, chars = struct.unpack(">6l", data[20:44])
    if data[4:5] == b"\0":
        return list(struct.unpack(f">{times}l", data[44 : 44 + 4 * times]))
    second = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    times = struct.unpack(">6l", data[second + 20 : second + 44])[3]
    return list(struct.unpack(f">{times}q", data[second + 44 : second + 44 + 8 * times]))


def transitions_after_file(zone: zoneinfo.ZoneInfo, last: int) -> list[int]:
    """What the footer adds up to 2100, found in zoneinfo by looking every ten days and closing in."""
    found = []
    step = 10 * 86400
    before = offset_of(zone, last)
    at = last
    while at < TO:
        after = offset_of(zone, at + step)
        if after != before:
            low, high = at, at + step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset_of(zone, middle) == before else (low, middle)
            found.append(high)
        before = after
        at += step
    return found


def local(zone: zoneinfo.ZoneInfo, second: int) -> datetime.datetime:
    return (EPOCH + datetime.timedelta(seconds=second)).astimezone(zone)


def offset_of(zone: zoneinfo.ZoneInfo, second: int) -> int:
    return int(local(zone, second).utcoffset().total_seconds())


def type_of(zone: zoneinfo.ZoneInfo, second: int) -> str:
    at = local(zone, second)
    return f"{int(at.utcoffset().total_seconds())} {int(bool(at.dst()))} {at.tzname()}"


def all_transitions(name: str, zone: zoneinfo.ZoneInfo) -> list[int]:
    in_file = transitions_in_file(name)
    last = max([FROM] + in_file)
    found = sorted(set(in_file) | set(transitions_after_file(zone, last)))
    return [t for t in found if FROM <= t < TO]


@pytest.fixture(scope="module")
def transitions():
    """For each name its zone and all its transitions from 1900 to 2100; names of one content share the search."""
    known = {}
    result = {}
    for name in NAMES:
        with open(f"{driver.ZONEINFO}/{name}", "rb") as file:
            content = file.read()
        zone = zoneinfo.ZoneInfo(name)
        if content not in known:
            known[content] = all_transitions(name, zone)
        result[name] = (zone, known[content])
    return result


def test_offset_abbreviation_and_dst_are_those_of_zoneinfo(transitions):
    rng = random.Random(1970)
    questions, expected = [], []
    for name, (zone, times) in transitions.items():
        instants = [t + d for t in times for d in (-1, 0, 1)]
        instants += [rng.randrange(FROM, TO) for _ in range(RANDOM_INSTANTS)]
        questions.append(f"z {name}")
        expected.append("ok")
        for second in instants:
            questions.append(f"t {second}")
            expected.append(type_of(zone, second))
    compare(questions, expected)
    driver.note(f"{len(NAMES)} zones, {len(questions) - len(NAMES)} instants")


def test_changes_of_offset_are_all_reported_and_no_others(transitions):
    questions, expected = [], []
    for name, (zone, times) in transitions.items():
        changes = [t for t in times if FROM < t and offset_of(zone, t - 1) != offset_of(zone, t)]
        questions += [f"z {name}", f"c {FROM} {TO - 1}"]
        expected += ["ok", " ".join(map(str, changes))]
    compare(questions, expected)


def fit_of(zone: zoneinfo.ZoneInfo, reading: int) -> str:
    """PEP 495's two folds, as the three fits of zone.h."""
    naive = NAIVE_EPOCH + datetime.timedelta(seconds=reading)
    first, second = (reading - int(naive.replace(tzinfo=zone, fold=f).utcoffset().total_seconds()) for f in (0, 1))
    if first == second:
        return f"once {first} {first}"
    if first < second:
        return f"twice {first} {second}"
    # A gap: fold 0 counts with the offset before it, fold 1 with the one after, so it lies between the two.
    low, high = second, first
    before = offset_of(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_of(zone, middle) == before else (low, middle)
    return f"gap {high} {high}"


def test_local_readings_lead_to_the_instants_of_zoneinfo(transitions):
    rng = random.Random(1971)
    questions, expected = [], []
    for name, (zone, times) in transitions.items():
        questions.append(f"z {name}")
        expected.append("ok")
        readings = [rng.randrange(FROM, TO) for _ in range(50)]
        for t in times:
            before, after = t + offset_of(zone, t - 1), t + offset_of(zone, t)
            readings += [before - 1, before, after - 1, after, (before + after) // 2]
        for reading in readings:
            questions.append(f"l {reading}")
            expected.append(fit_of(zone, reading))
    compare(questions, expected)
    driver.note(f"{len(NAMES)} zones, {len(questions) - len(NAMES)} readings")


@pytest.mark.parametrize("format", ["slim", "fat"])
def test_files_of_either_format_say_the_same(format, transitions, tmp_path):
    """
    Slim files end with the last change of rules and leave the rest to the footer, fat ones list it up to 2037; the
    system's are of one kind only, so the other is compiled here.
    """
    source = pathlib.Path(driver.ZONEINFO) / "tzdata.zi"
    zic = shutil.which("zic", path=os.environ["PATH"] + ":/usr/sbin")
    if zic is None or not source.exists():
        pytest.skip("no zic here, or no tzdata.zi")
    subprocess.run([zic, "-b", format, "-d", str(tmp_path), str(source)], check=True, capture_output=True)
    questions = []
    for name, (_, times) in transitions.items():
        if (tmp_path / name).is_file():
            questions.append(f"z {name}")
            # zic leaves what is foretold of Gaza's Ramadans after 2072 out of its slim files
            questions += [f"t {t + d}" for t in times if t < SLIM_TO for d in (-1, 0, 1, 7 * 86400)]
    assert len(questions) > 100_000
    assert driver.ask(questions, str(tmp_path)) == driver.ask(questions)


def compare(questions: list[str], expected: list[str]):
    answers = driver.ask(questions)
    zone = ""
    for question, answer, wanted in zip(questions, answers, expected):
        if question.startswith("z "):
            zone = question
        assert answer == wanted, f"{zone}, {question}: {answer}, zoneinfo says {wanted}"

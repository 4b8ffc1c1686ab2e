"""ISO dates against Python's datetime: the instants that well-formed texts mean, in every zone."""

import datetime
import random
import zoneinfo

import driver

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = 50_000


def microseconds(at: datetime.datetime) -> int:
    return (at - EPOCH) // datetime.timedelta(microseconds=1)


def text_and_meaning(rng: random.Random, zone: zoneinfo.ZoneInfo) -> tuple[str, int]:
    """A text as the manual allows it; local times in a gap are left to the zone's tests."""
    at = datetime.datetime(1970, 1, 2) + datetime.timedelta(microseconds=rng.randrange(130 * 366 * 86400 * 10**6))
    digits = rng.randrange(7)
    at = at.replace(microsecond=at.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits))
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    if digits:
        # what is finer than a microsecond is cut off
        text += "." + f"{at.microsecond:06d}"[:digits] + (rng.choice(["", "9", "999"]) if digits == 6 else "")
    kind = rng.randrange(3)
    if kind == 0:
        return text, microseconds(at.replace(tzinfo=zone))
    if kind == 1:
        return text + "Z", microseconds(at.replace(tzinfo=UTC))
    minutes = rng.randrange(-23 * 60, 23 * 60)
    offset = datetime.timezone(datetime.timedelta(minutes=minutes))
    sign = "-" if minutes < 0 else "+"
    return f"{text}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}", microseconds(at.replace(tzinfo=offset))


def exists(zone: zoneinfo.ZoneInfo, meaning: int, text: str) -> bool:
    """False for a local time in a gap: reading it back from its instant gives another."""
    at = EPOCH + datetime.timedelta(microseconds=meaning)
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S") == text[:19]


def test_a_date_means_what_it_means_to_python():
    rng = random.Random(1970)
    names = sorted(zoneinfo.available_timezones() - {"localtime"})
    questions, expected = [], []
    while len(questions) < TEXTS:
        name = rng.choice(names)
        zone = zoneinfo.ZoneInfo(name)
        text, meaning = text_and_meaning(rng, zone)
        if len(text) == len(text.rstrip("Z")) and "+" not in text and text.count("-") == 2 and not exists(zone, meaning, text):
            continue
        questions += [f"z {name}", f"i {text}"]
        expected += ["ok", str(meaning)]
    for question, answer, wanted in zip(questions, driver.ask(questions), expected):
        assert answer == wanted, f"{question}: {answer}, Python says {wanted}"

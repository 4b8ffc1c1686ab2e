"""Random (expression, zone, instant) triples and our answers to them: what every cron oracle is asked."""

import collections
import collections.abc
import dataclasses
import datetime
import functools
import os
import random
import time
import zoneinfo

import driver
from cron_maker import DAY, HOUR, WEEKDAY, Field, Maker, Syntax, values

TRIPLES_A_SEED = 115_000  # so that 100,000 are left to compare when all classes are excluded
INSTANTS_AN_EXPRESSION = 10
FIXED_SEED = 20261123

# Oracles that read 32-bit transitions, or keep their rules up to 2037, are not asked about what comes later.
FROM = 0
TO = 2**31 - 5 * 366 * 86400


UTC = datetime.timezone.utc
A_DAY = 86400


@functools.cache
def zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


@dataclasses.dataclass
class Triple:
    fields: list[str]  # six, seconds first
    zone: str
    instant: int
    ours: int | None = None  # our answer, None: no occurrence
    changes: tuple[int, ...] = ()  # the zone's changes of offset

    def expression(self) -> str:
        return " ".join(self.fields if self.fields[0] != "0" else self.fields[1:])

    def local(self, second: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(second, UTC).astimezone(zone(self.zone))

    def offset(self, second: int) -> float:
        return self.local(second).utcoffset().total_seconds()

    def dates_at(self, change: int) -> set[datetime.date]:
        """The local days that a change of offset touches; one that is reached only to be left again is one of them."""
        last = self.local(change - 1)
        return {last.date(), (last.replace(tzinfo=None) + datetime.timedelta(seconds=1)).date(), self.local(change).date()}

    def changes_within(self, first: int, last: int) -> list[int]:
        return [c for c in self.changes if first <= c <= last]

    def __str__(self):
        return f"{self.expression()!r} in {self.zone} after {self.instant} ({self.local(self.instant)})"


# Classes of disagreement that several oracles have; docs/time.md gives the reasons.


def both_days_restrict(fields: list[str]) -> bool:
    return fields[3] != "*" and fields[5] != "*"


def day_begins_with_star(t: Triple) -> bool:
    """Both day fields say something and one begins with `*`: to us and to crontab(5), both must match then."""
    return both_days_restrict(t.fields) and "*" in (t.fields[3][0], t.fields[5][0])


def covers_all(t: Triple) -> bool:
    """One of two restricted day fields lists every value."""
    if not both_days_restrict(t.fields):
        return False
    return is_whole(t.fields[3], DAY) or is_whole(t.fields[5], WEEKDAY)


def is_whole(text: str, field: Field) -> bool:
    try:
        return len(values(text, field)) == (31 if field is DAY else 7)
    except ValueError:  # L, W, #
        return False


def gap_before_a_stepped_hour(t: Triple) -> bool:
    """An hour with a step (`2-7/8`, `*/6`) goes on by elapsed time with us; others make up for what a gap swallows."""
    if "/" not in t.fields[2]:
        return False
    hours = values(t.fields[2], HOUR)
    for change in t.changes_within(t.instant - A_DAY, t.ours):
        first, last = t.local(change - 1).hour, t.local(change).hour
        in_gap = {h % 24 for h in range(first, last + 24 * (last < first) + 1)}
        if t.offset(change) > t.offset(change - 1) and hours & in_gap:
            return True
    return False


def fixed_time_asked_while_time_repeats(t: Triple) -> bool:
    """Asked in the midst of a repetition, others give the second pass of a fixed time too."""
    return not set("*/") & set("".join(t.fields[:3])) and reading_repeats(t, t.instant)


def reading_repeats(t: Triple, second: int) -> bool:
    local = t.local(second)
    return local.replace(fold=0).utcoffset() > local.replace(fold=1).utcoffset()


@dataclasses.dataclass
class Class:
    name: str
    holds: collections.abc.Callable[[Triple], bool]
    rare: bool = False  # so rare that not every seed shows it


def compare(triples: list[Triple], theirs: list[int | str | None], classes: list[Class], seed: int) -> str:
    """
    Fails on a disagreement outside the classes, on a class that nothing shows to be needed (with the fixed seed), and
    when so much is excluded that nothing is compared. Returns what to print.
    """
    held = collections.Counter()
    needed = collections.Counter()
    unexplained = []
    for t, answer_of_oracle in zip(triples, theirs, strict=True):
        found = next((c.name for c in classes if c.holds(t)), None)
        agrees = answer_of_oracle == t.ours
        if found:
            held[found] += 1
            needed[found] += not agrees
        elif not agrees:
            unexplained.append(f"{t}: {t.ours}, the oracle says {answer_of_oracle}")
    assert not unexplained, f"seed {seed}, {len(unexplained)} of {len(triples)}:\n" + "\n".join(unexplained[:20])
    excluded = sum(held.values())
    assert excluded < len(triples) * 3 // 20, f"seed {seed}: {excluded} of {len(triples)} were excluded: {held}"
    if seed == FIXED_SEED:
        for c in classes:
            assert c.rare or needed[c.name] > 0, f"nothing disagrees in the class {c.name!r}: it need not be excluded"
    shares = ", ".join(f"{name}: {held[name]} ({needed[name]} differ)" for name in held)
    return f"seed {seed}: {len(triples) - excluded} of {len(triples)} compared and equal; excluded {shares}"


def fresh_seed() -> int:
    """Another one each time; CARILLON_SEED repeats one that found something."""
    return int(os.environ.get("CARILLON_SEED", time.time_ns()))


def changes_of(zones: list[str]) -> dict[str, tuple[int, ...]]:
    questions = [q for zone in zones for q in (f"z {zone}", f"c {FROM} {2**31}")]
    answers = driver.ask(questions)[1::2]
    return {zone: tuple(map(int, answer.split())) for zone, answer in zip(zones, answers)}


def make(seed: int, syntax: Syntax, zones: list[str], accept) -> list[Triple]:
    """
    Triples of expressions that `accept` says the oracle shares with us, with our answers. Every third instant lies
    shortly before a change of the zone's offset, or in the hours about it, where answers are hard.
    """
    rng = random.Random(seed)
    maker = Maker(rng, syntax)
    changes = changes_of(zones)
    triples: list[Triple] = []
    while len(triples) < TRIPLES_A_SEED:
        fields = maker.expression()
        if not accept(fields):
            continue
        zone = rng.choice(zones)
        for _ in range(INSTANTS_AN_EXPRESSION):
            instant = rng.randrange(FROM, TO)
            if changes[zone] and rng.random() < 0.33:
                before = rng.choice([rng.randrange(2 * A_DAY), rng.randrange(-7200, 7200)])
                instant = max(0, rng.choice(changes[zone]) - before)
            triples.append(Triple(fields, zone, min(instant, TO), changes=changes[zone]))
    return answer(triples)


def answer(triples: list[Triple]) -> list[Triple]:
    """Fills in our answers; what we refuse (it can never match) is left out."""
    questions = []
    for t in triples:
        questions += [f"e {t.expression()}", f"z {t.zone}", f"n {t.instant}"]
    # A refused expression leaves the one before it in force, so its answer must not be looked at.
    answers = driver.ask(["e * * * * *"] + questions)[1:]
    kept = []
    for i, t in enumerate(triples):
        understood, _, found = answers[3 * i : 3 * i + 3]
        if understood != "ok":
            assert "no date matches" in understood, f"{t}: {understood}"
            continue
        t.ours = None if found == "none" else int(found)
        kept.append(t)
    return kept

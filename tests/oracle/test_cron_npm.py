"""Next occurrences against npm's croner and cron-parser."""

import concurrent.futures

import cron_triples
import driver
import npm_oracle
import pytest
from cron_maker import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, Syntax, values
from cron_triples import A_DAY, Class, Triple

SEEDS = [cron_triples.FIXED_SEED, cron_triples.fresh_seed()]
PLAIN_FIELDS = [SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY]


def is_special(fields: list[str], index: int) -> bool:
    """L, W and # in a day field (a name such as WED is none)."""
    text = fields[index]
    return (index == 3 and set("LW") & set(text)) or (index == 5 and ("#" in text or text[-1] == "L"))


def answer_all(library: str, syntax: Syntax, shared, classes: list[Class], years: int):
    """Both seeds at a time: node uses one processor each."""
    zones = npm_oracle.zones_in_common()
    batches = [cron_triples.make(seed, syntax, zones, shared) for seed in SEEDS]
    # Their searches end some years on, and slow down long before that.
    batches = [[t for t in b if t.ours is not None and t.ours < t.instant + years * 366 * A_DAY] for b in batches]
    with concurrent.futures.ThreadPoolExecutor(len(SEEDS)) as pool:
        answers = list(pool.map(lambda batch: npm_oracle.ask_next(library, batch), batches))
    for seed, batch, answer in zip(SEEDS, batches, answers):
        driver.note(f"{library}, " + cron_triples.compare(batch, answer, classes, seed))


def fires_at_the_end_of_a_gap(t: Triple) -> bool:
    """
    croner moves an occurrence out of a gap when the time of day is a single one and the gap ends on the same day, and
    drops those of lists, ranges and steps and those of a gap that ends at midnight.
    """
    if t.ours not in t.changes or t.offset(t.ours) < t.offset(t.ours - 1):
        return False
    return len(t.dates_at(t.ours)) > 1 or not all(field.isdigit() for field in t.fields[:3])


def clock_is_set_by_hours(t: Triple) -> bool:
    """The stations of Antarctica and the day line: croner looks for a second pass two hours on at most."""
    near = t.changes_within(min(t.instant, t.ours) - A_DAY, t.ours + A_DAY)
    return any(abs(t.offset(c) - t.offset(c - 1)) >= 3 * 3600 for c in near)


def test_next_is_that_of_croner():
    syntax = Syntax(open_step=False, workdays=True, lists_of_nth=True)
    classes = [
        Class("a day field begins with *", cron_triples.day_begins_with_star),
        Class("the end of a gap", fires_at_the_end_of_a_gap),
        Class("asked while time repeats", cron_triples.fixed_time_asked_while_time_repeats),
        Class("the clock is set by hours", clock_is_set_by_hours),
    ]
    answer_all("croner", syntax, lambda fields: True, classes, years=12)


def has_no_duplicates(fields: list[str]) -> bool:
    """cron-parser refuses a value that two entries of a list give."""
    for index, field in enumerate(PLAIN_FIELDS):
        if is_special(fields, index):
            continue
        seen: set[int] = set()
        for entry in fields[index].split(","):
            found = values(entry, field)
            if found & seen:
                return False
            seen |= found
    return True


def clock_changes_that_day(t: Triple) -> bool:
    """On such a day cron-parser fires hours that the expression does not name, misses some, or finds none at all."""
    day = t.local(t.ours).date()
    return any(day in t.dates_at(c) for c in t.changes_within(t.ours - A_DAY, t.ours + A_DAY))


def answer_repeats(t: Triple) -> bool:
    """Where local time repeats, cron-parser takes one of the two passes, not always the first."""
    return cron_triples.reading_repeats(t, t.ours)


def test_next_is_that_of_cron_parser():
    classes = [
        Class("a day field begins with *", cron_triples.day_begins_with_star),
        Class("asked while time repeats", cron_triples.fixed_time_asked_while_time_repeats),
        Class("local time repeats", answer_repeats),
        Class("a gap before a stepped hour", cron_triples.gap_before_a_stepped_hour),
        Class("the clock changes that day", clock_changes_that_day),
    ]
    answer_all("cron-parser", Syntax(), has_no_duplicates, classes, years=3)

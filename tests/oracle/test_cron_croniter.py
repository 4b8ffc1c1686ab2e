"""Next occurrences against Debian's python3-croniter, with pytz, whose fixed offsets croniter 1.3 was made for."""

import calendar
import datetime
import multiprocessing
import re

import cron_triples
import driver
import pytest
from cron_maker import DAY, MONTH, Syntax, values
from cron_triples import A_DAY, Class, Triple

croniter = pytest.importorskip("croniter")
pytz = pytest.importorskip("pytz")


def theirs(fields: list[str]) -> str:
    """croniter puts the seconds last and writes the last Friday L5."""
    rest = re.sub(r"\b(\d)L\b", r"L\1", " ".join(fields[1:]))
    return rest if fields[0] == "0" else f"{rest} {fields[0]}"


def shared(fields: list[str]) -> bool:
    if fields[0] != "0" and re.search(r"7|/", fields[5]):
        return False  # with six fields it does not take 7 for Sunday, and a step may reach 7
    if cron_triples.both_days_restrict(fields) and re.search(r"[#L]", fields[5]):
        return False  # it asks for both then, and for no other weekday beside a # or L
    try:
        croniter.croniter(theirs(fields), 0.0)
    except croniter.CroniterBadCronError:
        return False
    return True


def day_overshoots(t: Triple) -> bool:
    """
    croniter looks for a day that the month has not (31 in June) by going on into the next month, and takes what it
    passes there for past.
    """
    try:
        days = values(t.fields[3], DAY)
    except ValueError:  # L
        return False
    answer = t.local(t.ours)
    month_end = answer.replace(day=1) - datetime.timedelta(days=1)
    return any(day > month_end.day and answer.day < day - month_end.day for day in days)


def day_never_comes(t: Triple) -> bool:
    """Where either day field is enough, croniter asks for both in turn, and gives up when one (31 September) never comes."""
    if not cron_triples.both_days_restrict(t.fields):
        return False
    try:
        days = values(t.fields[3], DAY)
    except ValueError:  # L
        return False
    longest = max(calendar.monthrange(2024, month)[1] for month in values(t.fields[4], MONTH))
    return min(days) > longest


def clock_changes_that_day(t: Triple) -> bool:
    """
    croniter counts a whole day with one offset: the day it begins on and the day it ends on may have two. Of a time that
    repeats it may take the second.
    """
    if cron_triples.reading_repeats(t, t.ours):
        return True
    first, last = t.local(t.instant).date(), t.local(t.ours).date()
    return any({first, last} & t.dates_at(c) for c in t.changes_within(t.instant + 1, t.ours))


def day_is_skipped(t: Triple) -> bool:
    """The date line moved over the zone."""
    return any(abs(t.offset(c) - t.offset(c - 1)) > 12 * 3600 for c in t.changes_within(t.instant, t.ours + A_DAY))


def offset_has_seconds(t: Triple) -> bool:
    """pytz rounds the offset of Monrovia before 1972 to minutes."""
    return any(t.offset(second) % 60 for second in (t.instant, t.ours))


CLASSES = [
    Class("a day field begins with *", cron_triples.day_begins_with_star),
    Class("a day field lists every value", cron_triples.covers_all),
    Class("a day beyond the month's end", day_overshoots),
    Class("a day that never comes", day_never_comes, rare=True),
    Class("the day line", day_is_skipped),
    Class("the clock changes that day", clock_changes_that_day),
    Class("asked while time repeats", cron_triples.fixed_time_asked_while_time_repeats, rare=True),
    Class("a gap before a stepped hour", cron_triples.gap_before_a_stepped_hour, rare=True),
    Class("offsets with seconds", offset_has_seconds),
]


def ask(triples: list[Triple]) -> list[int | str]:
    answers = []
    known = None
    for t in triples:
        if known is None or known[0] is not t.fields:
            known = (t.fields, croniter.croniter(theirs(t.fields), 0.0))
        begin = datetime.datetime.fromtimestamp(t.instant, pytz.timezone(t.zone))
        try:
            answers.append(int(known[1].get_next(float, begin)))
        except croniter.CroniterBadDateError as error:
            answers.append(str(error))
    return answers


@pytest.mark.parametrize("seed", [cron_triples.FIXED_SEED, cron_triples.fresh_seed()], ids=["fixed", "fresh"])
def test_next_is_that_of_croniter(seed):
    triples = cron_triples.make(seed, Syntax(), sorted(pytz.common_timezones), shared)
    # It gives up after 50 years, and we end with the year 9999.
    triples = [t for t in triples if t.ours is not None and t.ours < t.instant + 40 * 366 * A_DAY]
    chunks = [triples[i : i + 1000] for i in range(0, len(triples), 1000)]
    with multiprocessing.Pool(2) as pool:
        answers = [answer for chunk in pool.map(ask, chunks) for answer in chunk]
    driver.note("croniter, " + cron_triples.compare(triples, answers, CLASSES, seed))

"""Random cron expressions, of as much of the syntax as an oracle shares with us."""

import dataclasses
import random

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()


@dataclasses.dataclass
class Syntax:
    """What an oracle understands beyond `*`, values, lists, rising ranges, their steps and names."""

    open_step: bool = True  # 7/10
    last_day: bool = True  # L
    workdays: bool = False  # 15W, LW
    last_weekday: bool = True  # 5L
    nth_weekday: bool = True  # 5#2
    lists_of_nth: bool = False  # 5#2,1#1


@dataclasses.dataclass
class Field:
    low: int
    high: int
    names: list[str]


SECOND = MINUTE = Field(0, 59, [])
HOUR = Field(0, 23, [])
DAY = Field(1, 31, [])
MONTH = Field(1, 12, MONTHS)
WEEKDAY = Field(0, 7, WEEKDAYS)


class Maker:
    def __init__(self, rng: random.Random, syntax: Syntax):
        self.rng = rng
        self.syntax = syntax

    def expression(self) -> list[str]:
        """Six fields, seconds first; the seconds are "0" for what is meant as five."""
        rng = self.rng
        second = "0" if rng.random() < 0.6 else self.field(SECOND)
        # Mostly days that are restricted in one way or none: two restrictions hide each other.
        day = self.day() if rng.random() < 0.4 else "*"
        weekday = self.weekday() if rng.random() < (0.25 if day != "*" else 0.4) else "*"
        month = self.field(MONTH) if rng.random() < 0.3 else "*"
        return [second, self.field(MINUTE), self.field(HOUR), day, month, weekday]

    def value(self, field: Field) -> str:
        return self.spell(field, self.rng.randint(field.low, field.high))

    def spell(self, field: Field, value: int) -> str:
        if field.names and self.rng.random() < 0.3 and value - field.low < len(field.names):
            name = field.names[value - field.low]
            return name if self.rng.random() < 0.5 else name.upper()
        return str(value)

    def span(self, field: Field) -> str:
        low, high = sorted(self.rng.sample(range(field.low, field.high + 1), 2))
        return f"{self.spell(field, low)}-{self.spell(field, high)}"

    def step(self, field: Field) -> int:
        width = field.high - field.low
        return self.rng.choice([2, 2, 3, 5, 7, 10, 15, 20]) if width > 30 else self.rng.randint(1, max(2, width // 2))

    def field(self, field: Field) -> str:
        kind = self.rng.randrange(10)
        if kind < 2:
            return "*"
        if kind < 4:
            return f"*/{self.step(field)}"
        if kind < 8:
            return self.entry(field)
        return ",".join(self.entry(field) for _ in range(self.rng.randint(2, 4)))

    def entry(self, field: Field) -> str:
        kind = self.rng.randrange(6)
        if kind < 3:
            return self.value(field)
        if kind == 3:
            return self.span(field)
        if kind == 4:
            return f"{self.span(field)}/{self.step(field)}"
        if not self.syntax.open_step:
            return self.value(field)
        return f"{self.rng.randint(field.low, field.high)}/{self.step(field)}"

    def day(self) -> str:
        kind = self.rng.randrange(10)
        if kind == 0 and self.syntax.last_day:
            return "L"
        if kind == 1 and self.syntax.workdays:
            return self.rng.choice(["LW", f"{self.rng.randint(1, 31)}W"])
        return self.field(DAY)

    def weekday(self) -> str:
        kind = self.rng.randrange(10)
        if kind == 0 and self.syntax.last_weekday:
            return f"{self.rng.randint(0, 6)}L"
        if kind in (1, 2) and self.syntax.nth_weekday:
            count = self.rng.randint(1, 2) if self.syntax.lists_of_nth else 1
            return ",".join(f"{self.value(WEEKDAY)}#{self.rng.randint(1, 5)}" for _ in range(count))
        return self.field(WEEKDAY)


def values(text: str, field: Field) -> set[int]:
    """The plain values of a field's text; a test needs them to tell a disagreement's class."""
    found = set()
    for entry in text.lower().split(","):
        body, _, step = entry.partition("/")
        low, _, high = body.partition("-")
        if body in ("*", "?"):
            low, high = str(field.low), str(field.high)
        elif not high:
            high = str(field.high) if step else low
        low_value, high_value = (field.names.index(v) + field.low if v in field.names else int(v) for v in (low, high))
        found |= set(range(low_value, high_value + 1, int(step or 1)))
    return {v % 7 for v in found} if field is WEEKDAY else found

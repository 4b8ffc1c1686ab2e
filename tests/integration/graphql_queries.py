"""Random valid queries for our own schema, about what is there."""

import json

import graphql_ground  # noqa: F401  (where the oracles are)
import graphql_maker
from graphql_types import named

# Each server counts these itself, and at another moment.
VOLATILE = {("Instance", "heartbeatAt"), ("Instance", "heartbeatAgeMs"), ("Instance", "held"), ("Instance", "monitor")}
PREVIEWS = [
    {"type": "CRON", "schedule": "0 9 * * mon-fri"}, {"type": "CRON", "schedule": "30 2 * * *", "timezone": "Europe/Berlin"},
    {"type": "DATE", "schedule": "2031-05-01T00:00:00"}, {"type": "DELAY_RECUR", "schedule": "60", "maxRuns": 2},
    {"type": "CRON", "schedule": "H H * * *", "client": {"key": "7", "type": "DELAY_RECUR"}}, {"type": "CRON", "schedule": "61 * * * *"},
]  # fmt: skip


class Sample:
    """What there is to ask for."""

    def __init__(self, api):
        self.schedules = api.get("/schedules", query={"limit": 1000}).json()
        self.runs = api.get("/runs", query={"limit": 1000}).json()
        self.events = api.get("/history", query={"limit": 1000}).json()


class Maker(graphql_maker.Maker):
    def __init__(self, rng, types, sample):
        super().__init__(rng, types, {"query": "Query", "mutation": "", "subscription": ""}, introspection=False)
        self.sample = sample

    def query(self):
        """As it is posted."""
        self.given = {}
        text, _ = self.document(0)
        several = {"operationName": "Op0"} if "query Op1" in text else {}
        return {"query": text, "variables": self.given, **several}

    def operation(self, index, count):
        d = graphql_maker.Definition(f"Op{index}")
        body = self.selection_set("Query", d, 0)
        names = self.reached(d)
        if count == 1 and not names and self.rng.random() < 0.5:
            return body
        return f"query {d.name}{self.declare(names)} {body}"

    def fields_of(self, type_name):
        return {n: f for n, f in self.types[type_name].fields.items() if (type_name, n) not in VOLATILE}

    def condition(self, type_name):
        return type_name

    def directives(self, place, d):
        if place not in ("FIELD", "INLINE_FRAGMENT", "FRAGMENT_SPREAD"):
            return ""
        return f" @{self.rng.choice(['skip', 'include'])}(if: {self.spell_value('if', ('!', 'Boolean'), self.rng.random() < 0.5, d)})"

    def arguments(self, inputs, d):
        given = []
        for name, i in inputs.items():
            required = i.ref[0] == "!" and not i.has_default
            if required or name in ("first", "from") or self.rng.random() < 0.4:
                given.append(f"{name}: {self.spell_value(name, i.ref, self.pick(name, i.ref), d)}")
        return f"({', '.join(given)})" if given else ""

    def spell_value(self, name, ref, value, d):
        if d is None or self.rng.random() > 0.25 or (value is None and ref[0] == "!"):
            return self.spelled(ref, value)
        variable = f"v{len(self.variables)}"
        self.variables[variable] = (ref, None)
        self.given[variable] = value
        d.variables.add(variable)
        return f"${variable}"

    def spelled(self, ref, value):
        """As a literal."""
        if value is None:
            return "null"
        if ref[0] in ("!", "[]") and not isinstance(value, list):
            return self.spelled(ref[1], value)
        if isinstance(value, list):
            return "[" + ", ".join(self.spelled(ref[1], v) for v in value) + "]"
        t = self.types[named(ref)]
        if t.kind == "INPUT_OBJECT":
            return "{" + ", ".join(f"{k}: {self.spelled(t.inputs[k].ref, v)}" for k, v in value.items()) + "}"
        return value if t.kind == "ENUM" else json.dumps(value, ensure_ascii=self.rng.random() < 0.5)

    def pick(self, name, ref):
        rng, sample = self.rng, self.sample
        if name == "first":
            return rng.choice([1, 2, 3, 5, 7] * 6 + [0, -1, 1001])
        if name == "after":
            one = rng.choice(rng.choice([sample.schedules, sample.runs, sample.events]))["id"]
            return rng.choice(["i" + one] * 9 + [None, "nonsense"])
        if name == "id":
            one = rng.choice(rng.choice([sample.schedules, sample.runs]))["id"]
            return rng.choice([one] * 5 + [one.upper(), "nonsense", "01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f"])
        if name == "scheduleId":
            return rng.choice([s["id"] for s in sample.schedules] * 2 + [r["schedule_id"] for r in sample.runs] + [None])
        if name == "client":
            return rng.choice([s.get("client") or {} for s in sample.schedules] + [{"key": "none"}])
        if name == "filter":
            return self.filter()
        if name == "definition":
            return rng.choice(PREVIEWS)
        if name == "from":
            return rng.choice(["2027-01-01T00:00:00Z", "2027-03-27T00:30:00.5+01:00"])
        t = self.types[named(ref)]
        assert t.kind == "ENUM", f"what may {name} be?"
        return rng.choice([*t.values, None]) if ref[0] != "!" else rng.choice(t.values)

    def filter(self):
        rng = self.rng
        one = rng.choice(self.sample.schedules)
        client = one.get("client") or {}
        members = {"state": one["state"].upper(), "name": one["name"][: rng.choice([0, 2, 100])], "operation": None}
        for m in ("application", "group", "key", "type"):
            members[m] = client.get(m, "")
        return {k: v for k, v in members.items() if rng.random() < 0.25}

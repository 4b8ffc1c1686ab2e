"""The types of a schema as introspection tells them, and random values of them."""

import dataclasses
import random

# A type as it is used: a name, or ("!", type), or ("[]", type).
Ref = str | tuple


def ref_of(node: dict) -> Ref:
    if node["kind"] == "NON_NULL":
        return ("!", ref_of(node["ofType"]))
    if node["kind"] == "LIST":
        return ("[]", ref_of(node["ofType"]))
    return node["name"]


def spell(ref: Ref) -> str:
    if isinstance(ref, str):
        return ref
    return f"{spell(ref[1])}!" if ref[0] == "!" else f"[{spell(ref[1])}]"


def named(ref: Ref) -> str:
    return ref if isinstance(ref, str) else named(ref[1])


def nullable(ref: Ref) -> Ref:
    return ref[1] if ref[0] == "!" else ref


@dataclasses.dataclass
class Input:
    ref: Ref
    has_default: bool


@dataclasses.dataclass
class Field:
    ref: Ref
    arguments: dict[str, Input]


@dataclasses.dataclass
class Type:
    name: str
    kind: str
    fields: dict[str, Field]
    possible: list[str]
    values: list[str]
    inputs: dict[str, Input]


def inputs_of(nodes: list[dict]) -> dict[str, Input]:
    return {n["name"]: Input(ref_of(n["type"]), n["defaultValue"] is not None) for n in nodes or []}


def types_of(introspected: dict) -> dict[str, Type]:
    found = {}
    for t in introspected["__schema"]["types"]:
        fields = {f["name"]: Field(ref_of(f["type"]), inputs_of(f["args"])) for f in t["fields"] or []}
        possible = [p["name"] for p in t["possibleTypes"] or []]
        values = [v["name"] for v in t["enumValues"] or []]
        found[t["name"]] = Type(t["name"], t["kind"], fields, possible, values, inputs_of(t["inputFields"]))
    for t in found.values():
        if t.kind == "OBJECT":
            t.possible = [t.name]
    return found


class Values:
    """Random JSON values: of variables, and of what a service answers. Some of them are wrong."""

    def __init__(self, rng: random.Random, types: dict[str, Type], wrong: float):
        self.rng = rng
        self.types = types
        self.wrong = wrong

    def any_json(self, depth: int = 0):
        kind = self.rng.randrange(8 if depth < 3 else 6)
        if kind == 6:
            return [self.any_json(depth + 1) for _ in range(self.rng.randrange(3))]
        if kind == 7:
            return {name: self.any_json(depth + 1) for name in self.rng.sample(["a", "b", "c"], self.rng.randrange(3))}
        return [None, True, 0, -17, 2.5, "text"][kind]

    def wrong_leaf(self, name: str, answered: bool):
        """What is answered with a number for a text is made one by graphql-js, and refused by us: not asked."""
        wrong = [{"no": "leaf"}, ["no", "leaf"]]
        if name not in ("String", "ID"):
            wrong.append("NO_SUCH")
        return self.rng.choice(wrong if answered else [*wrong, 2**40, 1.5, True])

    def leaf(self, name: str, answered: bool = False):
        rng = self.rng
        if rng.random() < self.wrong:
            return self.wrong_leaf(name, answered)
        if name in self.types and self.types[name].kind == "ENUM":
            return rng.choice(self.types[name].values)
        if name == "Int":
            return rng.choice([0, 1, -1, 2**31 - 1, -(2**31), rng.randrange(1000)])
        if name == "Float":
            return rng.choice([0, 1.5, -2.25, 1e21, 1e-7, rng.random()])
        if name == "Boolean":
            return rng.random() < 0.5
        if name == "ID":
            return rng.choice(["", "7", "x-1"])
        if name == "String":
            return rng.choice(["", "text", "\u00e9\u6f22\U0001f514", 'a "b" \\ \n'])
        return self.any_json()

    def of_input(self, ref: Ref, depth: int = 0):
        rng = self.rng
        if ref[0] == "!":
            return self.of_input(ref[1], depth) if rng.random() >= self.wrong else None
        if rng.random() < 0.1:
            return None
        if ref[0] == "[]":
            if rng.random() < 0.15:
                return self.of_input(ref[1], depth + 1)
            return [self.of_input(ref[1], depth + 1) for _ in range(rng.randrange(3))]
        t = self.types.get(ref)
        if t is None or t.kind != "INPUT_OBJECT":
            return self.leaf(ref)
        given = {}
        for name, field in t.inputs.items():
            required = field.ref[0] == "!" and not field.has_default
            if rng.random() < (self.wrong if required else 1.0 if required else 0.6 if depth < 2 else 0.9) and not required:
                continue
            if required and rng.random() < self.wrong:
                continue
            if depth > 3 and not required:
                continue
            given[name] = self.of_input(field.ref, depth + 1)
        if rng.random() < self.wrong:
            given["unknown"] = 1
        return given

    def of_output(self, ref: Ref, depth: int):
        rng = self.rng
        if ref[0] == "!":
            return self.of_output(ref[1], depth) if rng.random() >= self.wrong else None
        if rng.random() < 0.08:
            return None
        if rng.random() < self.wrong:
            return {"__error": rng.choice(["It is broken.", "Gone: \u6f22"])}
        if ref[0] == "[]":
            if rng.random() < self.wrong:
                return "no list"
            return [self.of_output(ref[1], depth) for _ in range(rng.randrange(4))]
        t = self.types[ref]
        if t.kind in ("SCALAR", "ENUM"):
            return self.leaf(ref, answered=True)
        return self.object(rng.choice(t.possible), depth + 1)

    def object(self, name: str, depth: int = 0):
        if depth > 5:
            return None
        wrong = self.rng.random() < self.wrong / 2
        made = {"__typename": "Query" if wrong else name}
        for field, f in self.types[name].fields.items():
            if field != "echo" and (depth < 3 or self.rng.random() < 0.6):
                made[field] = self.of_output(f.ref, depth)
        return made

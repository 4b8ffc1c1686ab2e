"""Values made from JSON Schema 2020-12, right and wrong ones, by a seed; and the judge of answers."""

import copy
import datetime
import uuid

import jsonschema

WORDS = ["", "a", "op#1", "한글", "a b", "x" * 200, "\u0001", "'\"\\", "***", "null", "0"]


class Document:
    """An OpenAPI document whose references are followed."""

    def __init__(self, document):
        self.document = document
        self.resolver = jsonschema.RefResolver("", document)

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def validator(self, schema):
        checker = jsonschema.FormatChecker()
        checker.checks("date-time", ValueError)(lambda v: not isinstance(v, str) or bool(instant(v)))
        checker.checks("uuid", ValueError)(lambda v: not isinstance(v, str) or bool(uuid.UUID(v)))
        return jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=checker)

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield path, method.upper(), operation

    def parameters(self, operation):
        return [self.follow(p) for p in operation.get("parameters", [])]


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Maker:
    def __init__(self, document, rng):
        self.document = document
        self.rng = rng

    def make(self, schema, depth=0):
        """A value that the schema allows. What it cannot say (a cron expression) comes from its examples mostly."""
        schema = self.document.follow(schema)
        rng = self.rng
        if schema.get("examples") and rng.random() < 0.6:
            return copy.deepcopy(rng.choice(schema["examples"]))
        if "enum" in schema:
            return rng.choice(schema["enum"])
        if "anyOf" in schema:
            return self.make(rng.choice(schema["anyOf"]), depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = rng.choice(kind)
        if kind is None:
            return rng.choice([None, 1, "x", [1], {"a": {"b": []}}, True])
        return getattr(self, "_" + kind)(schema, depth)

    def _null(self, schema, depth):
        return None

    def _boolean(self, schema, depth):
        return self.rng.random() < 0.5

    def _integer(self, schema, depth):
        low = int(schema.get("minimum", -5))
        high = int(schema.get("maximum", low + 1000))
        return self.rng.choice([low, min(low + 1, high), high, self.rng.randint(low, high)])

    def _number(self, schema, depth):
        low = schema.get("minimum", 0.5 if "exclusiveMinimum" in schema else 0)
        high = schema.get("maximum", low + 100)
        return self.rng.choice([low, high, round(self.rng.uniform(low, high), 3)])

    def _string(self, schema, depth):
        if schema.get("format") == "uuid":
            return str(uuid.UUID(int=self.rng.getrandbits(128)))
        if schema.get("format") == "date-time":
            return "2026-11-23T09:00:00Z"
        return self.rng.choice(WORDS)

    def _array(self, schema, depth):
        low = schema.get("minItems", 0)
        return [self.make(schema.get("items", {}), depth + 1) for _ in range(self.rng.randint(low, low + 3))]

    def _object(self, schema, depth):
        made = {}
        for name, inner in schema.get("properties", {}).items():
            if name in schema.get("required", []) or self.rng.random() < (0.4 if depth < 4 else 0):
                made[name] = self.make(inner, depth + 1)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            for _ in range(self.rng.randint(0, 2)):
                made[self.rng.choice(["X-One", "a", "b-c"])] = self.make(rest, depth + 1)
        return made

    def spoil(self, schema, value):
        """The value with one thing wrong; what is wrong with it is for the validator to say."""
        value = copy.deepcopy(value)
        places = list(self._places(value))
        holder, key = self.rng.choice(places) if places else (None, None)
        wrong = self.rng.choice([None, True, -1, 1e300, "", "x" * 5000, [], {}, {"a": 1}, [[]], 0.5])
        if holder is None:
            return wrong
        act = self.rng.randrange(3)
        if act == 0 and isinstance(holder, dict):
            del holder[key]
        elif act == 1 and isinstance(holder, dict):
            holder["unknown_member"] = wrong
        else:
            holder[key] = wrong
        return value

    def _places(self, value):
        if isinstance(value, dict):
            for key in value:
                yield value, key
                yield from self._places(value[key])
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                yield value, i
                yield from self._places(inner)

"""What tests of GraphQL share: a client, everything a type has as a selection, and what REST answers as GraphQL would."""

import functools
import json
import re
import sys

from harness import TOP

sys.path.append(str(TOP / "tests" / "oracle"))
import graphql_types  # noqa: E402  (where the other tests of GraphQL have it)

# What tells whose server it is or when it was asked.
INTROSPECTION = """
{ __schema { types { kind name
    fields(includeDeprecated: true) { name args { name type { ...Ref } defaultValue } type { ...Ref } }
    inputFields { name type { ...Ref } defaultValue }
    enumValues { name } possibleTypes { name } } } }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
"""


class Answer:
    """`data` is None when there is none; errors by the path they are told at."""

    def __init__(self, response):
        body = response.json()
        self.status = response.status
        self.data = body.get("data")
        self.errors = body.get("errors", [])

    def __repr__(self):
        return f"<{self.status} {json.dumps(self.data)[:400]} {json.dumps(self.errors)[:800]}>"


class GraphQL:
    def __init__(self, api):
        self.api = api

    def ask(self, query, variables=None, **more):
        return Answer(self.api.post("/graphql", {"query": query, "variables": variables or {}, **more}))

    def __call__(self, query, **variables):
        """The data; any error fails the test with its words."""
        answer = self.ask(query, variables)
        assert answer.status == 200 and not answer.errors, (query, variables, answer)
        return answer.data

    @functools.cached_property
    def types(self):
        return graphql_types.types_of(self(INTROSPECTION))

    @functools.cached_property
    def defaults(self):
        """{schema of the REST API: {member: what stands for its absence}}"""
        schemas = self.api.get("/openapi.json").json()["components"]["schemas"]
        found = {}
        for name, schema in schemas.items():
            parts = [schema, *schema.get("allOf", [])]
            for part in parts:
                if "$ref" in part:
                    found.setdefault(name, {}).update(found.get(part["$ref"].rsplit("/", 1)[1], {}))
                for member, value in part.get("properties", {}).items():
                    if "default" in value:
                        found.setdefault(name, {})[member] = value["default"]
        return found

    def is_leaf(self, field):
        return self.types[graphql_types.named(field.ref)].kind in ("SCALAR", "ENUM")

    def asked(self, type_name):
        """The fields that need no arguments and lead to nothing else."""
        fields = self.types[type_name].fields.items()
        return {n: f for n, f in fields if not f.arguments and (self.is_leaf(f) or graphql_types.named(f.ref) != "Schedule")}

    def everything(self, type_name):
        """A selection of all of them."""
        parts = [
            name if self.is_leaf(field) else f"{name} {self.everything(graphql_types.named(field.ref))}"
            for name, field in self.asked(type_name).items()
        ]
        return "{ " + " ".join(parts) + " }"


def snake(name):
    return re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), name)


def camel(name):
    return re.sub(r"_([a-z])", lambda m: m[1].upper(), name)


def enum_of(text):
    return text.upper().replace("-", "_")


# Fields that are called otherwise than the members they show.
OTHERWISE = {("Schedule", "runCount"): "runs", ("Schedule", "openRunCount"): "open_runs"}
SHOWN_AS = {"Target": "Connection"}
READ_ONLY = {"id", "version", "state", "created_at", "updated_at", "next_at", "last", "runs", "open_runs", "missed"}


def as_graphql(client, type_name, rest):
    """An object of the REST API's with all that everything() asks for."""
    return {name: field_of(client, type_name, name, field.ref, rest) for name, field in client.asked(type_name).items()}


def field_of(client, type_name, name, ref, rest):
    if (type_name, name) == ("Target", "tlsInsecure"):
        return rest.get("tls", {}).get("insecure")
    if (type_name, name) == ("Schedule", "definition"):
        return {k: v for k, v in rest.items() if k not in READ_ONLY}
    if (type_name, name) == ("Schedule", "missed"):
        return [{"reason": enum_of(k), "count": v} for k, v in rest["missed"].items()]
    if (type_name, name) == ("Schedule", "client"):
        return as_graphql(client, "Client", rest.get("client") or {})
    member = OTHERWISE.get((type_name, name), snake(name))
    value = rest.get(member)
    if value is None and ref[0] == "!":
        schema = SHOWN_AS.get(type_name, type_name)
        value = {**client.defaults.get("Definition", {}), **client.defaults.get(schema, {})}[member]
    return value_of(client, graphql_types.nullable(ref), value)


def value_of(client, ref, value):
    if value is None:
        return None
    if ref[0] == "[]":
        return [value_of(client, graphql_types.nullable(ref[1]), v) for v in value]
    kind = client.types[ref].kind
    if kind == "ENUM":
        return enum_of(value)
    if kind == "OBJECT":
        return as_graphql(client, ref, value)
    return value


# --- definitions ---


def as_input(value, name=""):
    """A definition of the REST API's as GraphQL takes it. What is anybody's JSON stays as it is."""
    if name in ("data", "headers", "config"):
        return value
    if isinstance(value, list):
        return [as_input(v) for v in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, inner in value.items():
        if key == "tls" and name == "connection" and isinstance(inner, dict):
            made.update({f"tls{k.capitalize()}": v for k, v in inner.items()})
        elif key in ("type", "misfire", "overlap", "body", "failed_policy", "mode") and name != "client" and isinstance(inner, str):
            made[camel(key)] = enum_of(inner)
        else:
            made[camel(key)] = as_input(inner, key)
    return made


def input_pointer(pointer):
    """A JSON pointer into a definition as the pointer into its input."""
    steps = pointer.split("/")[1:]
    made = []
    for i, step in enumerate(steps):
        if step == "tls" and made[-1:] == ["connection"]:
            return "".join("/" + s for s in [*made, "tlsInsecure"])
        made.append(camel(step))
        if step in ("data", "headers", "config"):
            made += steps[i + 1 :]
            break
    return "".join("/" + s for s in made)

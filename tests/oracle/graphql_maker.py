"""Random GraphQL documents, most of them valid, many with one mistake or more."""

import random
import re

from graphql_types import Input, Ref, Type, Values, named, nullable, spell

COMPOSITE = ("OBJECT", "INTERFACE", "UNION")
DIRECTIVE_PLACES = {
    "often": {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD",
              "INLINE_FRAGMENT", "VARIABLE_DEFINITION"},
    "once": {"FIELD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION"},
    "skip": {"FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"},
    "include": {"FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"},
}
DIRECTIVE_ARGUMENTS = {
    "often": {"times": Input(("!", "Int"), True), "why": Input(("[]", ("!", "Reason")), False)},
    "once": {"label": Input("String", True)},
    "skip": {"if": Input(("!", "Boolean"), False)},
    "include": {"if": Input(("!", "Boolean"), False)},
}
STRINGS = ['""', '"text"', '"\\u00e9 \\n \\"q\\" \\\\"', '"\u6f22\U0001f514"', '""""""', '"""block"""',
           '"""\n    first\n      second \\""" end\n  """', '"\\uD83D\\uDD14"']


class Definition:
    """An operation or fragment on its way, and what it uses itself."""

    def __init__(self, name: str):
        self.name = name
        self.variables: set[str] = set()
        self.fragments: set[str] = set()


class Maker:
    def __init__(self, rng: random.Random, types: dict[str, Type], roots: dict[str, str], introspection: bool):
        self.rng = rng
        self.types = types
        self.roots = roots
        self.introspection = introspection

    # --- a document ---

    def document(self, wrong: float) -> tuple[str, dict]:
        """The text, and the types of the variables that its operations have."""
        self.wrong = wrong
        self.fragments: dict[str, tuple[str, Definition, str]] = {}  # name: (type, definition, text)
        self.begun: list[str] = []
        self.variables: dict[str, tuple[Ref, str | None]] = {}
        self.aliases = 0
        count = 1 if self.rng.random() < 0.85 else self.rng.randint(2, 3)
        texts = [self.operation(i, count) for i in range(count)]
        texts += [text for _, _, text in self.fragments.values()]
        if self.slip(0.3):
            texts.append(self.rng.choice([
                "fragment Unused on Tower { id }", "type New { id: ID! }", "extend type Tower { more: Int }",
                "fragment Round on Tower { heaviest { tower { ...Round } } }",
                "{ tower(id: 1) { ...Ring1 } } fragment Ring1 on Tower { ...Ring2 } fragment Ring2 on Tower { ...Ring1 }",
                "query Other { __typename }", "fragment F0 on Tower { id }", "scalar Any",
            ]))
        if self.rng.random() < 0.3:
            self.rng.shuffle(texts)
        return self.space(texts), {name: ref for name, (ref, _) in self.variables.items()}

    def slip(self, share: float = 1.0) -> bool:
        return self.rng.random() < self.wrong * share

    def space(self, texts: list[str]) -> str:
        between = self.rng.choice(["\n", " ", "\r\n", "\n# a comment, \u6f22\n", ",\ufeff\t", "\r"])
        return between.join(texts)

    def operation(self, index: int, count: int) -> str:
        kind = self.rng.choices(["query", "mutation", "subscription"], [8, 1.5, 1])[0]
        d = Definition(f"Op{index if not self.slip(0.3) else 0}")
        root = self.roots[kind]
        body = self.selection_set(root, d, 0, kind == "subscription")
        directives = self.directives(kind.upper(), d) if self.rng.random() < 0.1 else ""
        variables = self.reached(d)
        if count == 1 and kind == "query" and not variables and not directives and self.rng.random() < 0.5:
            return body
        named_so = f" {d.name}" if count > 1 and not self.slip(0.3) or self.rng.random() < 0.5 else ""
        return f"{kind}{named_so}{self.declare(variables)}{directives} {body}"

    def reached(self, d: Definition) -> list[str]:
        variables, waiting, seen = set(d.variables), list(d.fragments), set()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.fragments:
                continue
            seen.add(name)
            other = self.fragments[name][1]
            variables |= other.variables
            waiting += other.fragments
        return sorted(variables)

    def declare(self, names: list[str]) -> str:
        rng = self.rng
        if self.slip(0.2) and names:
            names = names[1:]
        if self.slip(0.2):
            names = [*names, "unused"]
        if self.slip(0.1) and names:
            names = [*names, names[0]]
        if not names:
            return ""
        out = []
        for name in names:
            ref, initial = self.variables.get(name, ("Int", None))
            text = f"${name}: {spell(ref)}"
            if self.slip(0.15):
                text = f"${name}: " + rng.choice(["Tower", "Nothing", "[Int", "String!", "[Kind!]", "Node!"])
                text += "]" if text.endswith("[Int") else ""
            if initial is not None:
                text += f" = {initial}"
            if rng.random() < 0.05:
                text += self.directives("VARIABLE_DEFINITION", None)
            out.append(text)
        return "(" + rng.choice([", ", " ", "\n"]).join(out) + ")"

    # --- selections ---

    def selection_set(self, type_name: str, d: Definition, depth: int, single: bool = False) -> str:
        rng = self.rng
        count = 1 if single and not self.slip(0.5) else rng.randint(1, 4 if depth < 3 else 2)
        parts = [self.selection(type_name, d, depth) for _ in range(count)]
        if single and rng.random() < 0.2 and not parts[0].startswith("..."):
            parts = [f"... on {self.roots['subscription']} {{ {parts[0]} }}"]
        return "{" + rng.choice([" ", "\n  ", ","]) + rng.choice([" ", "\n", ", "]).join(parts) + " }"

    def selection(self, type_name: str, d: Definition, depth: int) -> str:
        kind = self.rng.random()
        if kind < 0.12 and depth < 5:
            return self.spread(type_name, d, depth)
        if (kind < 0.24 or (self.types[type_name].kind == "UNION" and kind < 0.8)) and depth < 6:
            return self.inline(type_name, d, depth)
        return self.field(type_name, d, depth)

    def fields_of(self, type_name: str) -> dict:
        return self.types[type_name].fields

    def field(self, type_name: str, d: Definition, depth: int) -> str:
        rng = self.rng
        fields = self.fields_of(type_name)
        if self.introspection and type_name == "Query" and rng.random() < 0.04:
            return self.introspect(rng.randint(1, 4))
        if not fields or (rng.random() < 0.08 and type_name != self.roots["subscription"]):
            return rng.choice(["", "t: "]) + "__typename"
        name = rng.choice(list(fields))
        f = fields[name]
        composite = self.types[named(f.ref)].kind in COMPOSITE
        if composite and depth >= 5:
            return "__typename"
        alias = ""
        if f.arguments or composite or rng.random() < 0.1:
            if rng.random() < 0.85:
                self.aliases += 1
                alias = f"a{self.aliases}: "
        elif self.slip(0.1):
            alias = rng.choice(["id: ", "name: "])
        arguments = self.arguments(f.arguments, d)
        directives = self.directives("FIELD", d) if rng.random() < 0.08 else ""
        body = ""
        if composite != self.slip(0.15):
            body = " " + self.selection_set(named(f.ref) if composite else "Place", d, depth + 1)
        if self.slip(0.2):
            name = rng.choice(["missing", "__schema", "__nothing", "id"])
        return f"{alias}{name}{arguments}{directives}{body}"

    def introspect(self, lists: int) -> str:
        body = "name"
        for _ in range(lists):
            body = self.rng.choice(["fields { type { %s } }", "interfaces { %s }", "possibleTypes { %s }",
                                    "inputFields { type { %s } }", "ofType { %s }"]) % body
        start = self.rng.choice(["__schema { types { %s } }", '__type(name: "Tower") { %s }'])
        return start % body

    def condition(self, type_name: str) -> str:
        rng = self.rng
        possible = self.types[type_name].possible
        fitting = [t.name for t in self.types.values()
                   if t.kind in COMPOSITE and not t.name.startswith("__") and set(t.possible) & set(possible)]
        if self.slip(0.3):
            return rng.choice(["Tower", "Bell", "Query", "Int", "Nothing", "Filter", "Sounding"])
        return rng.choice(fitting)

    def inline(self, type_name: str, d: Definition, depth: int) -> str:
        condition = self.condition(type_name) if self.rng.random() < 0.85 else ""
        inner = condition or type_name
        if inner not in self.types or self.types[inner].kind not in COMPOSITE:
            inner = type_name
        directives = self.directives("INLINE_FRAGMENT", d) if self.rng.random() < 0.15 else ""
        on = f" on {condition}" if condition else ""
        return f"...{on}{directives} {self.selection_set(inner, d, depth + 1)}"

    def spread(self, type_name: str, d: Definition, depth: int) -> str:
        rng = self.rng
        possible = set(self.types[type_name].possible)
        usable = [n for n, (t, _, _) in self.fragments.items() if n not in self.begun
                  and t in self.types and set(self.types[t].possible) & possible]
        directives = self.directives("FRAGMENT_SPREAD", d) if rng.random() < 0.15 else ""
        if self.slip(0.2):
            return f"...{rng.choice(['Missing', *self.fragments, *self.begun])}{directives}"
        if usable and rng.random() < 0.5:
            name = rng.choice(usable)
        else:
            name = self.fragment(type_name, depth)
        d.fragments.add(name)
        return f"...{name}{directives}"

    def fragment(self, type_name: str, depth: int) -> str:
        name = f"F{len(self.fragments) + len(self.begun)}"
        condition = self.condition(type_name)
        inner = condition if condition in self.types and self.types[condition].kind in COMPOSITE else type_name
        d = Definition(name)
        self.begun.append(name)
        body = self.selection_set(inner, d, depth + 1)
        directives = self.directives("FRAGMENT_DEFINITION", d) if self.rng.random() < 0.1 else ""
        self.begun.pop()
        self.fragments[name] = (condition, d, f"fragment {name} on {condition}{directives} {body}")
        return name

    # --- arguments and values ---

    def arguments(self, inputs: dict[str, Input], d: Definition | None) -> str:
        rng = self.rng
        given = []
        for name, i in inputs.items():
            required = i.ref[0] == "!" and not i.has_default
            if self.slip(0.2) if required else rng.random() < 0.6:
                continue
            given.append(f"{name}: {self.value(i.ref, d, 0, i.has_default)}")
        if self.slip(0.1):
            given.append("unknown: 1")
        if self.slip(0.1) and given:
            given.append(given[0])
        if rng.random() < 0.3:
            rng.shuffle(given)
        return f"({', '.join(given)})" if given else ""

    def directives(self, place: str, d: Definition | None) -> str:
        rng = self.rng
        fitting = [n for n, places in DIRECTIVE_PLACES.items() if place in places]
        names = [rng.choice(fitting)]
        if rng.random() < 0.2:
            names.append("often" if place in DIRECTIVE_PLACES["often"] else names[0])
        if self.slip(0.3):
            names[0] = rng.choice(["skip", "once", "deprecated", "missing"])
        if self.slip(0.2):
            names.append(names[0])
        # Whether a subscription's root has one field must not hang on a variable: see test_graphql_npm.py.
        return "".join(f" @{n}{self.arguments(DIRECTIVE_ARGUMENTS.get(n, {}), d)}" for n in names)

    def variable(self, ref: Ref, d: Definition, has_default: bool) -> str:
        rng = self.rng
        kept = [n for n, (r, _) in self.variables.items() if r == ref]
        if kept and rng.random() < 0.6:
            name = rng.choice(kept)
        else:
            declared, initial = ref, None
            name = f"v{len(self.variables)}"
            if ref[0] == "!" and rng.random() < 0.3:
                # may be null by its type, but has a value, or the place has
                declared = ref[1]
                if not has_default and not self.slip():
                    initial = self.literal(ref[1], None, 1)
            elif ref[0] != "!" and rng.random() < 0.3:
                declared = ("!", ref)
            elif rng.random() < 0.3:
                initial = self.value(ref, None, 1, False)
            if self.slip(0.3):
                declared = rng.choice(["Int", "String", ("[]", "Int"), "Filter", "Order", ("!", "ID")])
            self.variables[name] = (declared, initial)
        d.variables.add(name)
        return f"${name}"

    def value(self, ref: Ref, d: Definition | None, depth: int, has_default: bool) -> str:
        if d is not None and self.rng.random() < 0.2:
            return self.variable(ref, d, has_default)
        if self.slip(0.2) if ref[0] == "!" else self.rng.random() < 0.06:
            return "null"
        return self.literal(nullable(ref), d, depth)

    def literal(self, ref: Ref, d: Definition | None, depth: int) -> str:
        """Of a nullable type, but not null."""
        rng = self.rng
        if ref[0] == "[]":
            if rng.random() < 0.15:
                return self.literal(nullable(ref[1]), d, depth)
            return "[" + ", ".join(self.value(ref[1], d, depth + 1, False) for _ in range(rng.randrange(3))) + "]"
        t = self.types[ref]
        if t.kind == "INPUT_OBJECT":
            return self.object(t, d, depth)
        return self.leaf(ref)

    def object(self, t: Type, d: Definition | None, depth: int) -> str:
        rng = self.rng
        given = []
        for name, i in t.inputs.items():
            required = i.ref[0] == "!" and not i.has_default
            if self.slip(0.3) if required else depth > 2 or rng.random() < 0.65:
                continue
            given.append(f"{name}: {self.value(i.ref, d, depth + 1, i.has_default)}")
        if self.slip(0.1):
            given.append("unknown: [$v0, {a: 1}]" if d else "unknown: 1")
        if self.slip(0.1) and given:
            given.append(given[0])
        return "{" + ", ".join(given) + "}"

    def leaf(self, name: str) -> str:
        rng = self.rng
        if self.slip(0.4):
            return rng.choice(["1", "1.5", '"text"', "UP", "true", "{a: 1}", "[1]", "99999999999", "[]", "{}"])
        if self.types[name].kind == "ENUM":
            return rng.choice(self.types[name].values)
        if name == "Int":
            return rng.choice(["0", "-0", "1", "-2147483648", "2147483647", str(rng.randrange(1000))])
        if name == "Float":
            return rng.choice(["0", "1.5", "-2.5e3", "1E-7", "12345678901", "1e21"])
        if name == "Boolean":
            return rng.choice(["true", "false"])
        if name == "ID":
            return rng.choice(['"x"', "7", "-12345678901234", '""'])
        if name == "String":
            return rng.choice(STRINGS)
        return rng.choice(["1", "2.5", '"any"', "true", "WORD", "[1, [2], {}]", '{a: {b: "c"}, d: [null]}', "1e3"])


TOKEN = re.compile(r'"""(?:\\"""|[^"]|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[\w$@]+|\s+|.', re.DOTALL)
PIECES = ["{", "}", "(", ")", "[", "]", ":", "!", "=", "@", "$", "|", "&", "...", "..", ".", '"', '"""', '"a', "on",
          "fragment", "query", "null", "true", "1.", "01", "1e", "-", "1a", "0xF", "?", "%", "\\", "'", "\u00e9",
          "\U0001f514", "\n", "#", '"\\x"', '"\\u12G4"', '"\\uD800"', '"\\uDC00\\uD800"', "type", "extend", "input",
          '"description"', "subscription", "$x", "@a", "#\u6f22\n", "\r", "repeatable", "implements", "schema"]


def damage(rng: random.Random, text: str) -> str:
    """Takes a token or two out of a document, puts others in, or cuts it off."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(tokens))
        kind = rng.randrange(6)
        if kind == 0:
            del tokens[at]
        elif kind == 1:
            tokens.insert(at, rng.choice(PIECES))
        elif kind == 2:
            tokens[at] = rng.choice(PIECES)
        elif kind == 3:
            tokens.insert(at, tokens[rng.randrange(len(tokens))])
        elif kind == 4:
            tokens = tokens[: at + 1]
        else:
            cut = rng.randrange(len(tokens[at]) + 1)
            tokens[at] = tokens[at][:cut] + rng.choice(PIECES) + tokens[at][cut:]
        if not tokens:
            tokens = [" "]
    return "".join(tokens)


def variables_of(rng: random.Random, types: dict[str, Type], refs: dict[str, Ref], wrong: float) -> dict:
    values = Values(rng, types, wrong)
    given = {}
    for name, ref in refs.items():
        if ref == nullable(ref) and rng.random() < 0.3:
            continue
        if rng.random() >= wrong:
            given[name] = values.of_input(ref)
    return given

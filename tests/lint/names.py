"""No two functions that other files can see have one name: rooms are libraries, of which the linker takes the first."""

import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
# A definition begins at the margin, and its body with a brace of its own.
DEFINITION = re.compile(r"^(?!static\b)[a-z][\w \t*]*?[ *](\w+)\((?:[^;{}()]|\([^;{}()]*\))*\)\n\{", re.MULTILINE)


def names_of(path):
    return DEFINITION.findall(path.read_text())


def main():
    places = collections.defaultdict(list)
    for path in sorted((TOP / "src").rglob("*.c")):
        for name in names_of(path):
            places[name].append(str(path.relative_to(TOP)))
    assert len(places) > 1000, f"only {len(places)} functions are seen: the pattern does not know this style"
    wrong = {name: where for name, where in places.items() if len(where) > 1}
    for name, where in wrong.items():
        print(f"{name}: {', '.join(where)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

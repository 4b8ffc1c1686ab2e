"""docs/metrics.md as data: what is said of each metric, to be held against what is told, asked and drawn."""

import re

from harness import TOP

PAGE = TOP / "docs" / "metrics.md"
# A metric's name as it stands in an expression.
NAME = re.compile(r"\b(?:carillon|process)_[a-z0-9_]+")
PARTS = ("_bucket", "_sum", "_count")


class Metric:
    """One line of the page."""

    def __init__(self, section, cells):
        name, self.type, self.unit, labels, self.says, self.watch = cells
        self.section = section
        self.name = name.strip("`")
        # {label: the values it may have, or an empty list where they are not told}
        self.labels = {
            label: re.findall(r"`([^`]*)`", values) for label, values in re.findall(r"`(\w+)`(?: \(([^)]*)\))?", labels)
        }


def documented():
    """{name: Metric}, in the page's order."""
    found = {}
    section = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        if line.startswith(("| `carillon_", "| `process_")):
            one = Metric(section, [cell.strip() for cell in line.strip("|").split(" |")])
            assert one.name not in found, f"{one.name} is told twice"
            found[one.name] = one
    return found


def family(name, known):
    """The metric that a sample belongs to: the histogram of its parts."""
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and base in known and known[base].type == "histogram":
            return base
    return name


def asked_for(expression, known):
    """The metrics that an expression of Prometheus' takes."""
    return {family(name, known) for name in NAME.findall(expression)}

#!/usr/bin/python3
"""Writes files as C: embed.py FILE... OUTPUT. Each becomes `const struct str asset_NAME`, ended by a NUL not counted."""

import pathlib
import sys


def c_name(path: pathlib.Path) -> str:
    return "asset_" + path.name.replace(".", "_").replace("-", "_")


def c_bytes(data: bytes) -> str:
    rows = [data[i : i + 24] for i in range(0, len(data), 24)]
    return "\n".join("    " + ", ".join(str(b) for b in row) + "," for row in rows)


def main() -> None:
    *inputs, output = map(pathlib.Path, sys.argv[1:])
    parts = ["/* Made by assets/embed.py. */", '#include "api/assets.h"', ""]
    for path in inputs:
        if path.suffix == ".py":
            continue
        data = path.read_bytes()
        name = c_name(path)
        parts.append(f"static const unsigned char {name}_bytes[] = {{\n{c_bytes(data)}\n    0,\n}};")
        parts.append(f"const struct str {name} = {{(const char *){name}_bytes, {len(data)}}};")
    output.write_text("\n".join(parts) + "\n")


main()

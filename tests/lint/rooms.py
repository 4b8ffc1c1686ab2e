#!/usr/bin/python3
"""rooms.py: the order of the house, checked.

    rooms.py [ROOT]        checks the tree at ROOT (default: the one this file lies in)
    rooms.py --self-test   shows that each rule finds an offence planted for it

1. Rooms: which folder of src/ may include which.
2. Doors: which file may include which library.
3. Banned functions, each with what to call instead.
4. Every header of src/ compiles alone.
5. Every .c and .h opens with a comment that names the file.

Exit status 1 with findings (file:line: what), 0 with "rooms: N files, 0 findings". Python 3 and a C compiler
($CC, else cc) are all it needs.
"""

import fnmatch
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

# --- 1. rooms ------------------------------------------------------------------------------------------------

LOW = ["base", "calendar", "model"]
ROOMS = ["base", "calendar", "graphql", "model", "store", "move", "deliver", "engine", "api", "config", "doctor", "cli"]

# First match decides: which files, and what they may include (room/ or one header by its path; * all).
MAY_INCLUDE = [
    ("src/base/*", ["base/"]),
    ("src/calendar/*", ["base/", "calendar/"]),
    ("src/graphql/*", ["base/", "graphql/"]),
    ("src/model/*", ["base/", "calendar/", "model/"]),
    ("src/store/*", [*(r + "/" for r in LOW), "store/"]),
    ("src/move/*", [*(r + "/" for r in LOW), "store/", "move/"]),
    ("src/deliver/*", [*(r + "/" for r in LOW), "deliver/"]),
    # The core is pure: no store, no deliverer, no loop, whatever its room may know.
    ("src/engine/core*", [*(r + "/" for r in LOW), "engine/core*.h"]),
    ("src/engine/*", [*(r + "/" for r in LOW), "store/", "deliver/", "engine/"]),
    # The API knows no targets; of the engine it knows the public door alone.
    ("src/api/*", [*(r + "/" for r in LOW), "graphql/", "store/", "api/", "engine/engine.h"]),
    ("src/config/*", [*(r + "/" for r in LOW), "config/"]),
    # It asks whatever it examines, and knows nothing of who asks for it.
    ("src/doctor/*", [*(r + "/" for r in LOW), "store/", "deliver/", "engine/wakeup_redis.h", "config/", "doctor/"]),
    ("src/cli/*", [*(r + "/" for r in LOW), "config/", "cli/"]),
    ("src/main.c", ["*"]),
    ("src/wiring*.[ch]", ["*"]),
    ("src/*", ["base/"]),
]

# --- 2. doors: a library's header, and the files that may include it ------------------------------------------

DOORS = [
    ("jansson*.h", ["src/base/json.h"]),
    ("openssl/*", ["src/base/digest.c"]),
    ("sqlite3*.h", ["src/store/sqlite/*"]),
    ("libpq*.h", ["src/store/postgres/*"]),
    ("libpq/*", ["src/store/postgres/*"]),
    ("postgres*.h", ["src/store/postgres/*"]),
    # A private header (*_internal.h) counts as part of its .c files.
    ("curl/*", ["src/deliver/rest*.c", "src/deliver/rest*_internal.h", "src/cli/client.c"]),
    ("librdkafka/*", ["src/deliver/kafka*.c", "src/deliver/kafka*_internal.h"]),
    ("rdkafka*.h", ["src/deliver/kafka*.c", "src/deliver/kafka*_internal.h"]),
    ("hiredis*", ["src/deliver/redis*.c", "src/deliver/redis*_internal.h", "src/engine/wakeup_redis*.c",
                  "src/engine/wakeup_redis*_internal.h"]),
    ("uv.h", ["src/engine/loop*.c", "src/engine/loop*_internal.h", "src/engine/uv_*.c"]),
    ("uv/*", ["src/engine/loop*.c", "src/engine/loop*_internal.h", "src/engine/uv_*.c"]),
    ("microhttpd.h", ["src/api/http*.c", "src/api/http*_internal.h"]),
    ("cyaml/*", ["src/config/*"]),
    ("yaml.h", ["src/config/*"]),
]

# --- 3. banned functions and what to call instead -------------------------------------------------------------

ALLOCATORS = {
    "malloc": "alloc_bytes() or alloc_new()",
    "calloc": "alloc_array() or alloc_new()",
    "realloc": "alloc_resize()",
    "reallocarray": "alloc_resize()",
    "free": "alloc_free()",
    "strdup": "alloc_str()",
    "strndup": "alloc_str()",
}
BANNED = {
    **ALLOCATORS,
    "strcpy": "struct buf, or memcpy() of a known length",
    "stpcpy": "struct buf, or memcpy() of a known length",
    "strcat": "buf_add()",
    "sprintf": "buf_addf() or snprintf()",
    "vsprintf": "buf_addf() or vsnprintf()",
    "strtok": "str_cut()",
    "strtok_r": "str_cut()",
    "atoi": "str_to_i64()",
    "atol": "str_to_i64()",
    "atoll": "str_to_i64()",
    "localtime": "calendar/zone.h",
    "localtime_r": "calendar/zone.h",
    "gmtime": "calendar/civil.h or gmtime_r()",
    "alloca": "struct buf or alloc_bytes()",
    "__builtin_alloca": "struct buf or alloc_bytes()",
    "rand": "rng_next() or random_u64()",
    "srand": "struct rng",
    "random": "rng_next() or random_u64()",
    "gets": "read() with a length",
    "system": "posix_spawn() with an argument list",
    "popen": "posix_spawn() with an argument list",
    "sleep": "a deadline: queue_wait() or the loop's timer",
    "usleep": "a deadline: queue_wait() or the loop's timer",
    "nanosleep": "a deadline: queue_wait() or the loop's timer",
}
BANNED_PATTERNS = [
    # The vocabulary of jansson is everybody's, its reading and writing of text is nobody's.
    (re.compile(r"\bjson_load(?:s|b|f|fd|_file|_callback)\s*\("), "json_parse()"),
    (re.compile(r"\bjson_dump(?:s|b|f|fd|_file|_callback)\s*\("), "json_write()"),
]
# Who may call what is banned elsewhere.
EXEMPT = [
    ("src/base/alloc.c", set(ALLOCATORS)),
    ("src/base/json_parse.c", {"json_parse()"}),
]
CALLED = re.compile(r"(?<![\w.>])(" + "|".join(sorted(BANNED, key=len, reverse=True)) + r")\s*\(")
# `free` handed on as a function, to a library's hook say.
HANDED_ON = re.compile(r"[(,=]\s*(" + "|".join(ALLOCATORS) + r")\s*(?=[,);])")

# --- reading C ------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.DOTALL,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def blank(text):
    """Spaces for everything but the line ends, so that positions stay."""
    return re.sub(r"[^\n]", " ", text)


def strip(text, strings=True):
    """The text with its comments, and if asked its strings' insides, blanked."""

    def replace(match):
        if match["comment"]:
            return blank(match["comment"])
        return '"' + blank(match["string"][1:-1]) + '"' if strings else match["string"]

    return TOKEN.sub(replace, text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


# --- the rules: each yields (path, line, what) ----------------------------------------------------------------


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, p) for p in patterns)


def allowed(header, permissions):
    for permission in permissions:
        if permission == "*" or (permission.endswith("/") and header.startswith(permission)):
            return True
        if fnmatch.fnmatchcase(header, permission):
            return True
    return False


def check_rooms(path, text):
    if not path.startswith("src/"):
        return
    permissions = next(may for pattern, may in MAY_INCLUDE if fnmatch.fnmatchcase(path, pattern))
    for match in INCLUDE.finditer(strip(text, strings=False)):
        bracket, header = match.groups()
        line = line_of(text, match.start(1))
        room = header.split("/")[0]
        if bracket == "<" and room in ROOMS and "/" in header:
            yield path, line, f'own header <{header}>: write "{header}"'
        elif bracket == '"' and "*" in permissions and header == "wiring.h":
            pass  # the wiring is in no room
        elif bracket == '"' and (header.startswith(".") or "/" not in header):
            yield path, line, f'"{header}": write includes from src/ ("room/module.h")'
        if not (bracket == '"' or room in ROOMS) or "/" not in header or header.startswith("."):
            continue
        if room not in ROOMS and "*" not in permissions:
            yield path, line, f'"{header}": there is no room {room}/'
        elif not allowed(header, permissions):
            yield path, line, f'"{header}" lies outside what {where(path)} may know'


def where(path):
    parts = path.split("/")
    if fnmatch.fnmatchcase(path, "src/engine/core*"):
        return "engine/core*"
    return parts[1] + "/" if len(parts) > 2 else path


def check_doors(path, text):
    if not path.startswith("src/"):
        return
    for match in INCLUDE.finditer(strip(text, strings=False)):
        header = match.group(2)
        for pattern, files in DOORS:
            if fnmatch.fnmatchcase(header, pattern) and not matches(path, files):
                yield path, line_of(text, match.start(1)), f"<{header}> belongs to {' '.join(files)} alone"


def check_banned(path, text):
    code = strip(text)
    exempt = set().union(*(names for pattern, names in EXEMPT if fnmatch.fnmatchcase(path, pattern)))
    found = {}
    for pattern in (CALLED, HANDED_ON):
        for match in pattern.finditer(code):
            name = match.group(1)
            if name not in exempt:
                found[match.start(1)] = f"{name}: use {BANNED[name]}"
    for pattern, instead in BANNED_PATTERNS:
        for match in pattern.finditer(code):
            if instead not in exempt:
                found[match.start()] = f"{match.group().rstrip('( ')}: use {instead}"
    for at in sorted(found):
        yield path, line_of(text, at), found[at]


def check_opening(path, text):
    name = path.rsplit("/", 1)[-1]
    first = re.match(r"/\*.*?\*/", text, re.DOTALL)
    if not first or not re.search(r"(?<![\w.])" + re.escape(name) + r"(?!\w)", first.group()):
        yield path, 1, f"does not open with a comment that names it (/* {name}: what it is for)"


PACKAGES = ["jansson", "libcurl", "libuv", "libpq", "sqlite3", "libmicrohttpd", "libcrypto", "rdkafka", "hiredis",
            "yaml-0.1", "libcyaml"]


def package_flags():
    """Where the libraries' headers lie. One that is not installed has no header to be included either."""
    flags = []
    for package in PACKAGES:
        done = subprocess.run(["pkg-config", "--cflags", package], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            flags += [flag for flag in shlex.split(done.stdout) if flag not in flags]
    return flags


def check_headers(root, paths):
    """4: each header alone, as the first thing a compiler sees."""
    headers = [p for p in paths if p.startswith("src/") and p.endswith(".h")]
    command = shlex.split(os.environ.get("CC", "cc")) + ["-fsyntax-only", "-std=gnu17", "-D_GNU_SOURCE", "-Isrc"]
    command += package_flags() + ["-x", "c", "-include"]

    def compile_alone(header):
        return subprocess.run([*command, header, os.devnull], cwd=root, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for header, done in zip(headers, pool.map(compile_alone, headers)):
            if done.returncode != 0:
                error = next((e for e in done.stderr.splitlines() if "error" in e), "the compiler failed")
                yield header, 1, f"does not compile alone: {error}"


# --- running --------------------------------------------------------------------------------------------------

FOLDERS = ["src", "tests", "bench"]


def files_of(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]")):
            yield path.relative_to(root).as_posix()


def check_tree(root):
    """All findings, and how many files were looked at."""
    paths = list(files_of(root))
    findings = []
    for path in paths:
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        for rule in (check_rooms, check_doors, check_banned, check_opening):
            findings += rule(path, text)
    findings += check_headers(root, paths)
    return sorted(findings), len(paths)


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]
    if len(arguments) > 1 or not (root / "src").is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    findings, n = check_tree(root)
    for path, line, what in findings:
        print(f"{path}:{line}: {what}")
    print(f"rooms: {n} files, {len(findings)} findings")
    return 1 if findings else 0


# --- self-test ------------------------------------------------------------------------------------------------

# path, what follows its opening comment (from line 2), and the findings it must give: (line, piece of the text).
PLANTED = [
    # 1: every wall of the house, from both sides where it has two
    ("src/base/a.c", '#include "calendar/zone.h"', [(2, "outside what base/ may know")]),
    ("src/calendar/a.c", '#include "base/b.h"\n#include "model/run.h"', [(3, "outside what calendar/")]),
    ("src/graphql/a.c", '#include "base/b.h"\n#include "model/run.h"', [(3, "outside what graphql/")]),
    ("src/model/a.c", '#include "calendar/zone.h"\n\n#include "store/store.h"', [(4, "outside what model/")]),
    ("src/store/a.c", '#include "model/run.h"\n#include "deliver/deliver.h"', [(3, "outside what store/")]),
    ("src/store/sqlite/a.c", '#include "store/store.h"\n#include "engine/engine.h"', [(3, "outside what store/")]),
    ("src/move/a.c", '#include "store/store.h"\n#include "engine/engine.h"', [(3, "outside what move/")]),
    ("src/deliver/a.c", '#include "store/store.h"', [(2, "outside what deliver/")]),
    ("src/engine/core_a.c", '#include "engine/core.h"\n#include "model/run.h"\n#include "store/store.h"',
     [(4, "outside what engine/core*")]),
    ("src/engine/core_b.h", '#include "engine/loop.h"', [(2, "outside what engine/core*")]),
    ("src/engine/monitor.c", '#include "store/store.h"\n#include "deliver/deliver.h"\n#include "api/api.h"',
     [(4, "outside what engine/")]),
    ("src/api/a.c", '#include "engine/engine.h"\n#include "engine/loop.h"\n#include "deliver/deliver.h"',
     [(3, "outside what api/"), (4, "outside what api/")]),
    ("src/config/a.c", '#include "model/run.h"\n#include "store/store.h"', [(3, "outside what config/")]),
    ("src/doctor/a.c", '#include "config/settings.h"\n#include "engine/engine.h"\n#include "api/api.h"',
     [(3, "outside what doctor/"), (4, "outside what doctor/")]),
    ("src/cli/a.c", '#include "config/settings.h"\n#include "api/api.h"', [(3, "outside what cli/")]),
    ("src/other.c", '#include "base/b.h"\n#include "engine/engine.h"', [(3, "outside what src/other.c")]),
    ("src/main.c", '#include "api/api.h"\n#include "deliver/deliver.h"', []),
    ("src/wiring_a.c", '#include "engine/loop.h"', []),
    ("src/model/b.c", '#include "run.h"\n#include "../base/b.h"\n#include <base/b.h>\n#include "nowhere/a.h"',
     [(2, "from src/"), (3, "from src/"), (4, 'write "base/b.h"'), (5, "no room nowhere/")]),
    ("src/model/c.c", '/* #include "store/store.h" */\n// #include "api/api.h"\n#  include "engine/engine.h"',
     [(4, "outside what model/")]),
    # 2: a library at the wrong door, and at the right one
    ("src/engine/rest.c", "#include <curl/curl.h>", [(2, "<curl/curl.h> belongs to src/deliver/rest*.c")]),
    ("src/deliver/rest_a.c", "#include <curl/curl.h>", []),
    ("src/cli/client.c", "#include <curl/curl.h>", []),
    ("src/store/b.c", "#include <sqlite3.h>\n#include <libpq-fe.h>", [(2, "<sqlite3.h>"), (3, "<libpq-fe.h>")]),
    ("src/store/sqlite/b.c", "#include <sqlite3.h>\n#include <libpq-fe.h>", [(3, "<libpq-fe.h>")]),
    ("src/store/postgres/b.c", "#include <libpq-fe.h>", []),
    ("src/api/b.c", "#include <microhttpd.h>\n#include <jansson.h>", [(2, "<microhttpd.h>"), (3, "<jansson.h>")]),
    ("src/api/http_a.c", "#include <microhttpd.h>", []),
    ("src/engine/c.c", "#include <uv.h>\n#include <hiredis/hiredis.h>", [(2, "<uv.h>"), (3, "<hiredis/")]),
    ("src/engine/uv_a.c", "#include <uv.h>", []),
    ("src/engine/loop_a.c", "#include <uv.h>", []),
    ("src/engine/wakeup_redis.c", "#include <hiredis/async.h>", []),
    ("src/deliver/sign.c", "#include <openssl/hmac.h>\n#include <librdkafka/rdkafka.h>",
     [(2, "<openssl/hmac.h>"), (3, "<librdkafka/")]),
    ("src/base/digest.c", "#include <openssl/evp.h>", []),
    ("src/model/d.c", "#include <yaml.h>\n#include <cyaml/cyaml.h>", [(2, "<yaml.h>"), (3, "<cyaml/")]),
    ("src/config/yaml.c", "#include <yaml.h>", []),
    # 3: every banned function
    *((f"src/model/banned_{name}.c", f"int f(void) {{ return x(\n  {name} (1)); }}", [(3, f"{name}: use ")])
      for name in BANNED),
    ("src/model/e.c", "json_set_alloc_funcs(malloc, free);", [(2, "malloc: use"), (2, "free: use")]),
    ("src/model/f.c", "x = json_loads(s, 0, NULL);\ny = json_dump_callback(v, f, a, 0);",
     [(2, "json_loads: use json_parse()"), (3, "json_dump_callback: use json_write()")]),
    ("src/base/alloc.c", "void f(void) { free(malloc(1)); }", []),
    ("tests/unit/x/a.c", "int f(void) { return atoi(s); }", [(2, "atoi: use")]),
    ("src/model/g.c",
     "/* free(x) */ // system(y)\nchar *s = \"sprintf(\\\" gets(\"; char c = '\"'; /* */ x->free(y); ops.system(z);\n"
     "gmtime_r(a, b); json_free(v); alloc_free(p); snprintf(c); void (*free)(void *); int random_bytes(int);", []),
    # 4 and 5
    ("src/model/lonely.h", "struct str f(size_t n);", [(1, "does not compile alone")]),
    ("src/model/whole.h", "#include <stddef.h>\nsize_t f(size_t n);", []),
]
UNNAMED = {"src/model/no_comment.c": "int x;\n", "src/model/wrong.c": "/* right.c: moved */\nint x;\n"}


def plant(root):
    """Writes the planted tree; yields what must be found."""
    needed = {"src/base/b.h", "src/engine/loop.h"}
    for path, body, findings in PLANTED:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* {file.name}: planted */\n{body}\n", encoding="utf-8")
        for line, what in findings:
            yield path, line, what
    # What the planted headers include has to be there.
    for path in needed:
        (root / path).write_text(f"/* {path}: planted */\n", encoding="utf-8")
    for path, text in UNNAMED.items():
        (root / path).write_text(text, encoding="utf-8")
        yield path, 1, "does not open with a comment that names it"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        expected = list(plant(root))
        findings, n = check_tree(root)
    failures = 0
    for path, line, what in expected:
        hit = next((f for f in findings if f[0] == path and f[1] == line and what in f[2]), None)
        if hit:
            findings.remove(hit)
        else:
            failures += 1
            print(f"not found: {path}:{line}: {what}")
    for path, line, what in findings:
        failures += 1
        print(f"found without cause: {path}:{line}: {what}")
    print(f"rooms: {len(expected)} offences planted in {n} files, {failures} misjudged")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

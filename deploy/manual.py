"""Writes the man pages and the shells' completions from what the program says of itself.

    deploy/manual.py CARILLON FOLDER

makes carillon.1, carillon.yaml.5, carillon.bash and _carillon in FOLDER. The pages of --help and the table of
`config reference` are the only source, so neither page nor completion can tell of an option that is not there.
Python's standard library only.
"""

import pathlib
import re
import subprocess
import sys


def said(binary, *arguments):
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=True).stdout.rstrip()


# --- what --help says, taken apart ---


def sections(page):
    """{"Usage": ["  carillon ...", ...], ...} and the first line."""
    found = {}
    lines = page.splitlines()
    name = None
    for line in lines[1:]:
        if line and not line.startswith(" "):
            name = line
            found[name] = []
        elif name:
            found[name].append(line)
    return lines[0], {name: "\n".join(body).strip("\n").splitlines() for name, body in found.items()}


def items(lines):
    """Pairs of a table in two columns, whose second may go on in lines of its own."""
    found = []
    for line in lines:
        match = re.match(r" {2,6}(\S.*?)(?: {2,}(.*))?$", line)
        deep = re.match(r" {18,}\S", line)
        if deep and found:
            found[-1][1] = f"{found[-1][1]} {line.strip()}".strip()
        elif match:
            found.append([match.group(1), match.group(2) or ""])
    return found


def paragraphs(lines):
    return [" ".join(part.split()) for part in "\n".join(lines).split("\n\n") if part.strip()]


def commands(binary):
    first, found = sections(said(binary, "--help"))
    names = []
    for line in found["Commands"]:
        match = re.match(r"  ((?:[a-z-]+ ?)+?)(?= [A-Z\[]|  )", line)
        if match:
            names.append(match.group(1).strip())
    return first, [(name, *sections(said(binary, *name.split(), "--help"))) for name in names]


def options(found):
    """(letter or None, name, value or None, meaning) of each."""
    ret = []
    for head, about in items(found.get("Options", [])):
        match = re.match(r"(?:-(\w), )?--([a-z-]+)(?: (\S+))?$", head)
        if match:
            ret.append((match.group(1), match.group(2), match.group(3), about))
    return ret


# --- man pages ---


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def head(name, section, version, title):
    return [f'.TH {name} {section} "" "Carillon {version}" "{title}"']


def table(pairs):
    out = []
    for term, about in pairs:
        out += [".TP", f"\\fB{roff(term)}\\fR", roff(about)]
    return out


def literal(lines):
    return [".RS 2", ".nf", *[roff(line[2:]) if line.startswith("  ") else roff(line) for line in lines], ".fi", ".RE"]


def command_page(name, first, found):
    out = [f".SS {roff(name)}", roff(first.split(": ", 1)[1].capitalize() + "."), ".PP", *literal(found["Usage"])]
    for text in paragraphs(found["Description"]):
        out += [".PP", roff(text)]
    out += table(items(found.get("Options", [])))
    if "Examples" in found:
        out += [".PP", "Examples:", *literal(found["Examples"])]
    return out


def man_1(binary, version, pages):
    out = head("CARILLON", 1, version, "User Commands")
    out += [".SH NAME", "carillon \\- scheduler service that calls applications back when they are due"]
    out += [".SH SYNOPSIS", ".B carillon", ".I COMMAND", "[\\fIOPTION\\fR...]", ".SH DESCRIPTION"]
    for text in (
        "Carillon keeps schedules (cron, date, delay, delay-recur, now), calls HTTP, Kafka and Redis targets when they are "
        "due, retries what failed and keeps the history.",
        "\"carillon serve\" runs the service; its settings are in carillon.yaml(5). The other commands talk to a service "
        "that runs, or to none.",
    ):
        out += [".PP", roff(text)]
    out += [".SH COMMANDS"]
    environment = {}
    status = []
    for name, first, found in pages:
        out += command_page(name, first, found)
        environment.update(dict(items(found.get("Environment", []))))
        status = found.get("Exit status", status)
    out += [".SH ENVIRONMENT", *table(sorted(environment.items()))]
    out += [".SH EXIT STATUS", *table(items(status))]
    out += [".SH FILES", *table([("./config.yaml, /etc/carillon/config.yaml", "The settings, the first that is there."),
                                 ("/var/lib/carillon", "The embedded database of the packaged service.")])]
    out += [".SH SEE ALSO", "\\fBcarillon.yaml\\fR(5), the manual at /usr/share/doc/carillon, and the API's page at /docs of the service."]
    return "\n".join(out) + "\n"


def settings(binary):
    rows = []
    for line in said(binary, "config", "reference").splitlines()[2:]:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        rows.append([cell.replace("`", "").replace("\\|", "|") for cell in cells])
    return rows


def man_5(binary, version):
    out = head("CARILLON.YAML", 5, version, "File Formats")
    out += [".SH NAME", "carillon.yaml \\- settings of the Carillon scheduler service", ".SH DESCRIPTION"]
    for text in (
        "The service reads config.yaml of its folder, else /etc/carillon/config.yaml, else what --config or CARILLON_CONFIG "
        "names. It is YAML: groups of members. A member that is not known, or a value that cannot be, is an error that "
        "names its line; \"carillon config check\" looks without starting anything.",
        "Each setting can be given as a variable of the environment as well, which wins: server.listen is "
        "CARILLON_SERVER_LISTEN. \"carillon config show\" prints what is in force and where each value came from.",
    ):
        out += [".PP", roff(text)]
    group = None
    out += [".SH SETTINGS"]
    for member, variable, takes, default, meaning in settings(binary):
        if member.split(".")[0] != group:
            group = member.split(".")[0]
            out += [f".SS {roff(group)}"]
        fallback = f" Default: {default}." if default else ""
        out += [".TP", f"\\fB{roff(member)}\\fR ({roff(takes)})", roff(f"{meaning}{fallback} Variable: {variable}.")]
    out += [".SH EXAMPLE", *literal(["  server:", "    listen: 127.0.0.1:9902", "  database:",
                                     "    url: postgresql://carillon@db/carillon", "  scheduler:", "    timezone: Europe/Berlin"])]
    out += [".SH SEE ALSO", "\\fBcarillon\\fR(1)"]
    return "\n".join(out) + "\n"


# --- completions ---


def bash(pages):
    out = ["# bash completion for carillon; made from its own help.", "_carillon()", "{",
           '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" i',
           "    for ((i = 1; i < COMP_CWORD; i++)); do",
           '        [[ ${COMP_WORDS[i]} == -* ]] || command+="${command:+ }${COMP_WORDS[i]}"', "    done",
           '    case $before in', '        --config | -c) COMPREPLY=($(compgen -f -- "$word")); return ;;', "    esac",
           '    case $command in']
    firsts = {}
    for name, _, _ in pages:
        firsts.setdefault(name.split()[0], []).extend(name.split()[1:])
    for name, _, found in pages:
        words = " ".join(f"--{o[1]}" for o in options(found))
        patterns = f'"{name}" | "{name} "*'
        files = " -f" if "FILE" in " ".join(found["Usage"]) else ""
        out.append(f'        {patterns}) COMPREPLY=($(compgen{files} -W "{words}" -- "$word")) ;;')
    for first, rest in firsts.items():
        if rest:
            out.append(f'        {first}) COMPREPLY=($(compgen -W "{" ".join(rest)}" -- "$word")) ;;')
    out.append(f'        "") COMPREPLY=($(compgen -W "{" ".join([*firsts, "help"])} --help --version" -- "$word")) ;;')
    out += ["    esac", "}", "complete -F _carillon carillon", ""]
    return "\n".join(out)


def zsh_text(text):
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh(pages):
    out = ["#compdef carillon", "# zsh completion for carillon; made from its own help.", "_carillon() {", "    local -a commands", "    commands=("]
    firsts = {}
    for name, first, _ in pages:
        firsts.setdefault(name.split()[0], first.split(": ", 1)[1])
    out += [f"        '{name}:{zsh_text(about)}'" for name, about in firsts.items()]
    out += ["    )", "    if (( CURRENT == 2 )); then", "        _describe command commands", "        return", "    fi",
            '    case "${words[2]} ${words[3]}" in']
    for name, _, found in sorted(pages, key=lambda p: -len(p[0].split())):
        pattern = f"'{name}'*" if " " in name else f"'{name} '*"
        out.append(f"        {pattern})")
        specs = []
        for letter, option, value, about in options(found):
            takes = f":{value}:" + ("_files" if value == "FILE" else "") if value else ""
            brief = zsh_text(about.split(". ")[0].rstrip("."))
            specs.append(f"'--{option}[{brief}]{takes}'")
            if letter:
                specs.append(f"'-{letter}[{brief}]{takes}'")
        out.append("            _arguments " + " ".join(specs + ["'*:word:_files'"]) + " ;;")
    parts = {}
    for name, _, _ in pages:
        if " " in name:
            parts.setdefault(name.split()[0], []).append(name.split()[1])
    for first, rest in parts.items():
        out.append(f"        '{first} '*) compadd {' '.join(rest)} ;;")
    out += ["    esac", "}", '_carillon "$@"', ""]
    return "\n".join(out)


def main(binary, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    version = said(binary, "version").split()[1]
    _, pages = commands(binary)
    (folder / "carillon.1").write_text(man_1(binary, version, pages))
    (folder / "carillon.yaml.5").write_text(man_5(binary, version))
    (folder / "carillon.bash").write_text(bash(pages))
    (folder / "_carillon").write_text(zsh(pages))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])

#!/usr/bin/env python3
"""Makes a manual page of what a program says with --help, so that the two cannot disagree.

    make_page.py PROGRAM SECTION SECTIONS OUTPUT

PROGRAM is one that uses CLI11: its own --help and that of each of its subcommands become the page. SECTIONS is a file
with what a --help does not say, in roff, and comes last. OUTPUT ends with .gz. In texts a paragraph flows, and
indented lines stay as they are.
"""

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

OPTION = re.compile(
    r"  (?P<names>-[-a-z]\S*)"
    r"(?: (?P<wants>(?!\.\.\.|REQUIRED|\(|Excludes:|Needs:)\S+))?"
    r"(?P<many> \.\.\.)?(?P<required> REQUIRED)?(?: \(Env:(?P<variable>\w+)\))?"
    r"(?: (?:Excludes|Needs):(?: --\S+)+)*"
    r"(?: +(?P<text>\S.*))?$")
ENTRY = re.compile(r"  (?P<names>\S+)(?: (?P<wants>(?!REQUIRED)[A-Z]\S*))?(?P<required> REQUIRED)?(?: +(?P<text>\S.*))?$")
LISTS = {"Options": OPTION, "Positionals": ENTRY, "Subcommands": ENTRY}


class Entry(NamedTuple):
    """An option, a positional argument or a subcommand."""

    head: Dict[str, str]
    text: str


class Help(NamedTuple):
    description: List[str]
    usage: str
    lists: Dict[str, List[Entry]]
    footer: List[str]


def ask(program: str, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def read_list(lines: List[str], form: "re.Pattern[str]") -> List[Entry]:
    entries: List[Entry] = []
    for line in lines:
        match = form.match(line)
        if match and not line.startswith("    "):
            entries.append(Entry(match.groupdict(), match["text"] or ""))
        else:
            entries[-1] = entries[-1]._replace(text=f"{entries[-1].text} {line.strip()}".strip())
    return entries


def read_help(text: str) -> Help:
    before, _, rest = text.partition("\nUsage: ")
    usage, *lines = rest.split("\n")
    lists = {}
    while any(lines):
        while lines and not lines[0]:
            lines.pop(0)
        name = lines[0].rstrip(":")
        if name not in LISTS:
            break
        end = lines.index("", 1) if "" in lines else len(lines)
        lists[name] = read_list(lines[1:end], LISTS[name])
        lines = lines[end:]
    return Help(before.strip("\n").split("\n"), usage, lists, "\n".join(lines).strip("\n").split("\n"))


def escape(text: str) -> str:
    """As roff wants it: a hyphen that can be copied, and no line that begins a request by accident."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("^", r"\(ha").replace("~", r"\(ti")
    text = text.replace("`", r"\(ga")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def bold(text: str) -> str:
    return rf"\fB{escape(text)}\fP"


def italic(text: str) -> str:
    return rf"\fI{escape(text)}\fP"


def prose(lines: List[str]) -> str:
    """Paragraphs, and indented lines between them as they are. What is said of exit codes is a paragraph."""
    parts, block, indented = [], [], False
    for line in lines + [""]:
        ends = not line or line.startswith("  ") != indented or line.startswith("Exit codes: ")
        if ends and block:
            body = escape("\n".join(block))
            parts.append(f".PP\n.EX\n{body}\n.EE\n" if indented else f".PP\n{body}\n")
            block = []
        if line:
            indented = line.startswith("  ")
            block.append(line)
    return "".join(parts)


def option(entry: Entry) -> str:
    names = ", ".join(bold(name) for name in entry.head["names"].split(","))
    wants, _, fallback = (entry.head["wants"] or "").partition("=")
    sentences = [escape(entry.text.rstrip("."))]
    sentences += ["required"] if entry.head["required"] else []
    sentences += [f"default: {escape(fallback)}"] if fallback else []
    sentences += ["may be repeated"] if entry.head["many"] and "repeatable" not in entry.text else []
    sentences += [f"environment: {bold(entry.head['variable'])}"] if entry.head["variable"] else []
    return f".TP\n{names}{' ' + italic(wants) if wants else ''}\n{'; '.join(sentences)}.\n"


def options(help_text: Help) -> str:
    positionals = [f".TP\n{italic(entry.head['names'])}\n{escape(entry.text.rstrip('.'))}"
                   f"{'; required' if entry.head['required'] else ''}.\n"
                   for entry in help_text.lists.get("Positionals", [])]
    return "".join(positionals + [option(entry) for entry in help_text.lists.get("Options", [])])


def synopsis(usage: str) -> str:
    program, *words = usage.split()
    while words and words[0][0] not in "[-" and words[0].islower():
        program += " " + words.pop(0)
    return f"{bold(program)} {' '.join(italic(word) for word in words)}\n"


def footer(lines: List[str]) -> str:
    """Exit codes and examples are sections of their own; the rest are notes."""
    sections: Dict[str, List[str]] = {"NOTES": [], "EXIT STATUS": [], "EXAMPLES": []}
    name = "NOTES"
    for line in lines:
        if re.match(r"Exit (status|codes): ", line):
            name, line = "EXIT STATUS", line.partition(": ")[2]
        elif line == "Examples:":
            name, line = "EXAMPLES", ""
        elif not line:
            name = "NOTES"
        sections[name].append(line)
    return "".join(f".SH {name}\n{prose(text)}" for name, text in sections.items() if any(text))


def page(program: str, section: str, more: str) -> str:
    name = Path(program).name
    version = ask(program, "--version").split(",")[0].strip()
    main = read_help(ask(program, "--help"))
    commands = [entry.head["names"] for entry in main.lists.get("Subcommands", [])]
    helps = {command: read_help(ask(program, command, "--help")) for command in commands}
    summary = re.sub(rf"^{name}, ", "", main.description[0]).rstrip(".")
    text = f".TH {name.upper()} {section} \"\" \"{version}\" \"LEKT\"\n"
    text += f".SH NAME\n{name} \\- {escape(summary[0].lower() + summary[1:] if not summary[1].isupper() else summary)}\n"
    text += ".SH SYNOPSIS\n" + ".br\n".join(synopsis(one.usage) for one in ([*helps.values()] or [main]))
    text += f".SH DESCRIPTION\n{prose(main.description)}"
    for command, one in helps.items():
        heading = ".SH COMMANDS\n" if command == commands[0] else ""
        text += f"{heading}.SS {bold(name + ' ' + command)}\n{prose(one.description)}{options(one)}"
        text += prose([line for line in one.footer])
    return text + f".SH OPTIONS\n{options(main)}{footer(main.footer)}{more}"


def main() -> None:
    program, section, more, output = sys.argv[1:]
    text = page(program, section, Path(more).read_text(encoding="utf-8"))
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    Path(output).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()

"""What programs say with --help, read in another way than the completion and the manual pages do."""

import re
from typing import List

from subjects import PROGRAMS, output_of


def help_of(program: str, *command: str) -> str:
    return output_of([str(PROGRAMS[program]), *command, "--help"])


def part(text: str, heading: str) -> str:
    return text.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]


def subcommands_of(program: str) -> List[str]:
    return re.findall(r"^  ([a-z]\S*)", part(help_of(program), "Subcommands"), re.MULTILINE)


def flags_of(program: str, *command: str) -> List[str]:
    names = re.findall(r"^  (-\S+)", part(help_of(program, *command), "Options"), re.MULTILINE)
    return [flag for name in names for flag in name.split(",")]


def positionals_of(program: str, *command: str) -> List[str]:
    return re.findall(r"^  ([A-Z]\S*)", part(help_of(program, *command), "Positionals"), re.MULTILINE)

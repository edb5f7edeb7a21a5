#!/usr/bin/env python3
"""Checks that a program was linked and compiled with what cmake/Hardening.cmake asks for.

    hardening.py PROGRAM...

One line for each thing that is missing; any makes the exit code 1.
"""

import platform
import re
import subprocess
import sys
from typing import Iterator


def readelf(*arguments: str) -> str:
    return subprocess.run(["readelf", "--wide", *arguments], capture_output=True, text=True, check=True).stdout


def disassembly(function: str, program: str) -> str:
    command = ["objdump", f"--disassemble={function}", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def missing_in(program: str) -> Iterator[str]:
    header = readelf("--file-header", program)
    segments = readelf("--program-headers", program)
    dynamic = readelf("--dynamic", program)
    symbols = readelf("--dyn-syms", program)
    if not re.search(r"Type:\s+DYN", header) or "PIE" not in dynamic:
        yield "it is not position-independent (-fPIE -pie)"
    if "GNU_RELRO" not in segments or "NOW" not in dynamic:
        yield "its relocations stay writable (-z relro -z now)"
    stack = re.search(r"GNU_STACK.*\s([RWE]+)\s+0x", segments)
    if stack is None or "E" in stack[1]:
        yield "its stack is executable (-z noexecstack)"
    if re.search(r"LOAD.*RWE", segments):
        yield "a segment is writable and executable"
    if "__stack_chk_fail" not in symbols:
        yield "nothing guards its stack (-fstack-protector-strong)"
    if not re.search(r"__(mem|str|read|recv|snprintf|vsnprintf|fprintf|printf|vfprintf)\w*_chk", symbols):
        yield "no call is fortified (-D_FORTIFY_SOURCE=3)"
    # Debian 12's start files carry no note of this, so the linked program cannot: the code itself has to tell.
    if platform.machine() == "x86_64" and "endbr64" not in disassembly("main", program):
        yield "its jumps are not protected (-fcf-protection=full)"


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = [f"{program}: {what}" for program in sys.argv[1:] for what in missing_in(program)]
    print("\n".join(found) or f"hardened: {' '.join(sys.argv[1:])}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Checks what a reviewer should not have to: include directions, formatting, file lengths, headers, white space,
banned words, and links between documents. Each violation is one line, "file:line: what"; any makes the exit code 1.

    tidy.py [--root DIRECTORY] rules | format
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Iterator, List, NamedTuple

SKIPPED = 77  # what ctest takes for "skipped"
LINES_MAX = 400
CXX = {".h", ".cc"}
SOURCES = CXX | {".py", ".sql", ".proto", ".cmake", ".sh"}

# A room includes itself, these, and the standard library. tests and bench may include everything.
MAY_INCLUDE = {
    "common": set(),
    "storage": {"common"},
    "devices": {"common"},
    "tls": {"common"},
    "server/core": {"common", "storage"},
    "server/operators": {"common", "storage", "devices", "server/core"},
    "server/net": {"common", "storage", "devices", "tls", "server/core", "server/operators"},
    "control": {"common", "storage", "server/core", "server/operators"},
    "admin": {"common", "storage", "server/core", "server/operators"},
    "lektd": {"common", "storage", "devices", "tls", "server/core", "server/operators", "server/net", "control", "admin"},
    "lektctl": {"common", "storage", "server/core", "server/operators", "control"},
    "client": {"common", "tls"},
}
UNRESTRICTED = {"tests", "bench"}

# What decides has no thread and takes no lock, and is told the time.
PURE = {"devices", "server/core"}
IMPURE_HEADERS = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch", "barrier",
                  "stop_token", "common/mutex.h"}
CLOCK = re.compile(r"\b(?:steady|system|high_resolution)_clock::now\b|\bclock_gettime\b|\bgettimeofday\b")

# Libraries, and the files that may include them. A library that is not here may be included nowhere but in tests.
LIBRARIES = {
    r"asio(/|\.hpp)": r"server/net/.*|control/.*|lektd/.*"
                      r"|client/((address_watch|certificate_check|device_dtls|name_lookup|route|server_link|stream|tls_context)\.(h|cc)|(client|ping)\.cc)"
                      r"|client/examples/.*",
    r"(google/protobuf/|.*\.pb\.h)": r"storage/.*",
    r"(SQLiteCpp/|sqlite3\.h)": r"storage/.*",
    r"spdlog/": r"server/operators/.*",
    r"fmt/": r"server/operators/.*|lektd/.*",
    r"openssl/": r"admin/page_answer\.cc|devices/token\.cc|tls/.*|server/net/tls\.(h|cc)"
                 r"|client/(certificate_check|device_dtls|stream|tls_context)\.cc",
    r"CLI/": r"(lektd|lektctl|client)/.*",
    r"nlohmann/": r"server/operators/.*|(lektd|lektctl|client|control|admin)/.*",
    r"httplib\.h": r"admin/.*",
    r"prometheus/": r"admin/.*",
    r"systemd/": r"lektd/service_manager\.cc",
    r"libtelnet\.h": r"devices/telnet_dialogue\.cc",
    r"ncurses\.h": r"client/command/device_program/device_view\.cc",
    r"libtsm\.h": r"devices/terminal\.cc",
    r"toml\+\+/": r"server/operators/settings_file\.cc",
    r"(sys|linux|netinet|net)/|(dirent|fcntl|ifaddrs|malloc|unistd|spawn|signal|poll|pwd|netdb|pthread|termios)\.h":
        r"common/(descriptor\.h|standard_descriptors\.cc)|tls/dtls_session\.cc|server/(operators|net)/.*"
        r"|(storage|lektd|lektctl|client|control|admin)/.*",
    r"arpa/inet\.h": r"common/address\.cc|(server/(core|net)|lektd|client)/.*",
}

# Assembled, so that this file does not contain them.
BANNED = [
    (re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b"), "word"),
    (re.compile(r"\bfor" + r"\s+now\b", re.IGNORECASE), "words"),
]

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")
NAMED_TEST = re.compile(r"`([A-Z]\w*)\.([a-z]\w*)`")
GUARANTEES = "docs/guarantees.md"
NAMESPACE = re.compile(r"namespace ([\w:]+) \{")
CLASS = re.compile(r"(?:class|struct|union|enum class) (?:LEKT_\w+(?:\([^)]*\))? )?(\w+)(?: final)?\s*(?::|\{|$)")
HEADING = re.compile(r"#{1,6}\s+(.*)")


class Violation(NamedTuple):
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


class Source(NamedTuple):
    """A text file of the project; the path is relative to its root."""

    path: str
    lines: List[str]

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path).suffix

    @property
    def folder(self) -> str:
        return PurePosixPath(self.path).parts[0]

    @property
    def room(self) -> str:
        """The folder, or a folder of server/, with directions of its own."""
        return room_of(self.path)

    def is_source(self) -> bool:
        is_script = bool(self.lines) and self.lines[0].startswith("#!")
        return self.suffix in SOURCES or is_script or PurePosixPath(self.path).name == "CMakeLists.txt"


def room_of(path: str) -> str:
    parts = PurePosixPath(path).parts
    return "/".join(parts[:2]) if parts[0] == "server" else parts[0]


def paths_of(root: Path) -> List[str]:
    """The files that are in the repository or would be added to it; without git all but builds."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(command, capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split("\0")
            return sorted({name for name in names if name and (root / name).is_file()})
    found = []
    for directory, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(("build", "out", ".git", "__pycache__"))]
        found += [(Path(directory) / name).relative_to(root).as_posix() for name in files]
    return sorted(found)


def read_sources(root: Path) -> Iterator[Source]:
    for path in paths_of(root):
        data = (root / path).read_bytes()
        if b"\0" not in data:
            yield Source(path, data.decode("utf-8", errors="replace").split("\n"))


def check_include(source: Source, number: int, quote: str, name: str) -> Iterator[Violation]:
    if source.room not in MAY_INCLUDE:
        if source.folder not in UNRESTRICTED and source.suffix in CXX:
            yield Violation(source.path, number, f"{source.room} is no room that tidy.py knows")
        return
    if source.room in PURE and name in IMPURE_HEADERS:
        shown = f"<{name}>" if quote == "<" else name
        yield Violation(source.path, number, f"{source.room}/ has no threads and locks, so no {shown}")
    for library, allowed in LIBRARIES.items():
        if re.match(library, name):
            if not re.fullmatch(allowed, source.path):
                yield Violation(source.path, number, f"{name} may not be included here, only in {allowed}")
            return
    target = room_of(name)
    may_include = MAY_INCLUDE[source.room] | {source.room}
    if quote == '"' and target not in may_include:
        allowed = ", ".join(sorted(may_include))
        yield Violation(source.path, number, f"{source.room}/ may include {allowed}, not {name}")
    if quote == "<" and ("/" in name or "." in name):
        yield Violation(source.path, number, f"{name} is not the standard library and not in tidy.py's list")


def check_includes(source: Source) -> Iterator[Violation]:
    if source.suffix not in CXX:
        return
    for number, line in enumerate(source.lines, 1):
        included = INCLUDE.match(line)
        if included:
            yield from check_include(source, number, included[1], included[2])


def check_clocks(source: Source) -> Iterator[Violation]:
    if source.suffix not in CXX or source.room not in PURE:
        return
    for number, line in enumerate(source.lines, 1):
        found = CLOCK.search(line)
        if found:
            yield Violation(source.path, number, f"{source.room}/ is told the time, so no {found[0]}")


def check_length(source: Source) -> Iterator[Violation]:
    length = len(source.lines) - 1 if source.lines[-1] == "" else len(source.lines)
    if source.is_source() and length > LINES_MAX:
        yield Violation(source.path, length, f"{length} lines; a file over {LINES_MAX} is two files")


def check_header(source: Source) -> Iterator[Violation]:
    if source.suffix != ".h":
        return
    if not source.lines[0].startswith("// "):
        yield Violation(source.path, 1, "a header opens with a comment that says what it is")
    if "#pragma once" not in source.lines:
        yield Violation(source.path, 1, "a header has #pragma once")


def check_white_space(source: Source) -> Iterator[Violation]:
    for number, line in enumerate(source.lines, 1):
        if "\t" in line:
            yield Violation(source.path, number, "tab")
        if line != line.rstrip():
            yield Violation(source.path, number, "white space at the end of the line")
    if source.lines[-1] != "":
        yield Violation(source.path, len(source.lines), "the last line does not end with a line feed")


def check_words(source: Source) -> Iterator[Violation]:
    for number, line in enumerate(source.lines, 1):
        for banned, noun in BANNED:
            found = banned.search(line)
            if found:
                yield Violation(source.path, number, f'banned {noun} "{found[0]}"')


def prose(source: Source) -> Iterator:
    """Number and text of the lines that are not in a code block."""
    in_code = False
    for number, line in enumerate(source.lines, 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, re.sub(r"`[^`]*`", "``", line)


def anchors(source: Source) -> set:
    """The anchors that GitHub makes of the headings."""
    found = set()
    for number, _ in prose(source):
        heading = HEADING.match(source.lines[number - 1])
        if heading:
            text = re.sub(r"[^\w\- ]", "", heading[1].strip().lower())
            found.add(text.replace(" ", "-"))
    return found


def check_links(source: Source, root: Path) -> Iterator[Violation]:
    if source.suffix != ".md":
        return
    for number, line in prose(source):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (root / source.path).parent / path if path else root / source.path
            if not file.exists():
                yield Violation(source.path, number, f"link to {target}, but there is no {path}")
            elif anchor and file.suffix == ".md":
                if anchor not in anchors(Source(file.name, file.read_text().split("\n"))):
                    yield Violation(source.path, number, f"link to {target}, but there is no such heading")


def check_guarantees(sources: List[Source]) -> Iterator[Violation]:
    """The tests that a guarantee names exist."""
    tests = set()
    for source in sources:
        if source.folder == "tests" and source.suffix == ".cc":
            tests.update(TEST.findall("\n".join(source.lines)))
    for source in sources:
        if source.path != GUARANTEES:
            continue
        for number, line in enumerate(source.lines, 1):
            for named in NAMED_TEST.findall(line):
                if named not in tests:
                    yield Violation(source.path, number, f"there is no test {'.'.join(named)}")


def check_classes(sources: List[Source]) -> Iterator[Violation]:
    """A program may link several rooms, so a class of a namespace is defined once: the linker would take either."""
    places = {}
    for source in sources:
        if source.suffix != ".h" or source.room not in MAY_INCLUDE:
            continue
        namespace = ""
        for number, line in enumerate(source.lines, 1):
            opened, defined = NAMESPACE.match(line), CLASS.match(line)
            if opened:
                namespace = opened[1]
            if defined:
                name = f"{namespace}::{defined[1]}"
                first = places.setdefault(name, source.path)
                if first != source.path:
                    yield Violation(source.path, number, f"{name} is defined in {first} too")


def check_rules(root: Path) -> List[Violation]:
    violations = []
    sources = list(read_sources(root))
    for source in sources:
        for check in (check_includes, check_clocks, check_length, check_header, check_white_space, check_words):
            violations += check(source)
        violations += check_links(source, root)
    violations += check_guarantees(sources)
    violations += check_classes(sources)
    return violations


def check_format(root: Path, program: str) -> List[Violation]:
    files = [path for path in paths_of(root) if PurePosixPath(path).suffix in CXX]
    if not files:
        return []
    checked = subprocess.run(
        [program, "--dry-run", "--style=file", *files], cwd=root, capture_output=True, text=True, check=False
    )
    places = re.findall(r"^(.+?):(\d+):\d+: (?:warning|error): (.+?)(?: \[|$)", checked.stderr, re.MULTILINE)
    violations = [Violation(path, int(line), what) for path, line, what in places]
    if checked.returncode != 0 and not violations:
        violations.append(Violation(".clang-format", 1, checked.stderr.strip() or f"{program} failed"))
    return sorted(set(violations))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("check", choices=["rules", "format"])
    arguments = parser.parse_args()
    if arguments.check == "format":
        program = shutil.which("clang-format-14") or shutil.which("clang-format")
        if program is None:
            print("skipped: clang-format is not installed (Debian: apt install clang-format)")
            return SKIPPED
        violations = check_format(arguments.root, program)
    else:
        violations = check_rules(arguments.root)
    for violation in violations:
        print(violation)
    print(f"tidy {arguments.check}: {len(violations)} violations in {len(paths_of(arguments.root))} files")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The configuration file of the package: what it offers is right, and what it calls a default is one."""

import re
import tempfile
import unittest
from typing import Dict, List

from subjects import DEPLOY, PROGRAMS, output_of, run_tests

SHIPPED = (DEPLOY / "debian/lektd.toml").read_text(encoding="utf-8")
OFFERED = [match[1] for match in map(re.compile(r"#([a-z-]+ = .*)").fullmatch, SHIPPED.split("\n")) if match]
# Whose lines show a form and no default.
EXAMPLES = {"admin", "tls-listen", "tls-cert", "tls-key", "tls-client-ca", "allow", "deny", "method"}
# Which --check-config does not print.
UNSEEN = {"log-level", "log-format"}


def key(line: str) -> str:
    return line.partition(" = ")[0]


def understood(text: str) -> Dict[str, List[str]]:
    """What lektd makes of a configuration file: the values of each setting."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        lines = output_of([str(PROGRAMS["lektd"]), "--check-config", "--config", file.name]).split("\n")[1:]
    settings: Dict[str, List[str]] = {}
    for line in filter(None, lines):
        settings.setdefault(key(line), []).append(line.partition(" = ")[2])
    return settings


class Settings(unittest.TestCase):
    def test_as_shipped_only_the_database_is_set(self) -> None:
        shipped, default = understood(SHIPPED), understood("")
        differing = {name for name in shipped.keys() | default.keys() if shipped.get(name) != default.get(name)}
        self.assertIn("database", differing)
        self.assertLessEqual(differing, {"database", "control-socket"})  # the latter is beside the former

    def test_all_that_is_offered_can_be_used(self) -> None:
        settings = understood("\n".join(OFFERED))
        for line in OFFERED:
            self.assertIn(key(line), settings.keys() | UNSEEN)

    def test_what_is_said_to_be_a_default_is_one(self) -> None:
        defaults = [line for line in OFFERED if key(line) not in EXAMPLES]
        self.assertGreater(len(defaults), 3)
        self.assertEqual(understood("\n".join(defaults)), understood(""))


run_tests()

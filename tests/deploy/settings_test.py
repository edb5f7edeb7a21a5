#!/usr/bin/env python3
"""The configuration file of the package: what it offers is right, and what it calls a default is one."""

import json
import re
import subprocess
import tempfile
import unittest
from typing import Dict

from subjects import DEPLOY, PROGRAMS, run_tests

SHIPPED = (DEPLOY / "debian/lektd.toml").read_text(encoding="utf-8")
OFFERED = [match[1] for match in map(re.compile(r"#([a-z-]+ = .*)").fullmatch, SHIPPED.split("\n")) if match]
# Whose lines show a form and no default.
EXAMPLES = {"admin", "tls-listen", "tls-cert", "tls-key", "tls-client-ca", "allow", "deny", "method", "device-listen",
            "device-host", "device-group"}
IMAGE = (DEPLOY.parent / "Dockerfile").read_text(encoding="utf-8")
COMPLETE = re.search(r"```toml\n(.*?)```", (DEPLOY.parent / "docs/operations.md").read_text(encoding="utf-8"), re.DOTALL)


def key(line: str) -> str:
    return line.partition(" = ")[0]


def understood(text: str) -> Dict[str, object]:
    """What lektd makes of a settings' file: the value of each setting."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        command = [str(PROGRAMS["lektd"]), "--check-config", "--json", "--config", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    # The certificates of examples are not there.
    if done.returncode != 0 and "E510" not in done.stderr:
        raise AssertionError(done.stdout + done.stderr)
    return {setting["name"]: setting["value"] for setting in json.loads(done.stdout)["settings"]}


class Settings(unittest.TestCase):
    def test_as_shipped_only_the_database_is_set(self) -> None:
        shipped, default = understood(SHIPPED), understood("")
        differing = {name for name in shipped.keys() | default.keys() if shipped.get(name) != default.get(name)}
        self.assertIn("database", differing)
        # The others are beside it.
        self.assertLessEqual(differing, {"database", "control-socket", "device-log-directory"})

    def test_all_that_is_offered_can_be_used(self) -> None:
        settings = understood("\n".join(OFFERED))
        for line in OFFERED:
            self.assertIn(key(line), settings)

    def test_the_example_of_the_manual_is_complete_and_can_be_used(self) -> None:
        assert COMPLETE
        settings, default = understood(COMPLETE[1]), understood("")
        named = {key(line) for line in COMPLETE[1].split("\n") if re.match(r"[a-z]", line)}
        self.assertEqual(named, default.keys())
        self.assertEqual(settings["deny"], ["192.168.1.66/32", "192.168.7.0/24"])

    def test_what_is_said_to_be_a_default_is_one(self) -> None:
        defaults = [line for line in OFFERED if key(line) not in EXAMPLES]
        self.assertGreater(len(defaults), 3)
        self.assertEqual(understood("\n".join(defaults)), understood(""))

    def test_the_image_has_none_besides_the_file(self) -> None:
        # A variable of the image would beat the file that is mounted into it: its plain port stayed open beside TLS.
        self.assertEqual(re.findall(r"^ENV (.*)$", IMAGE, re.MULTILINE), ["LEKT_CONFIG=/etc/lekt/lektd.toml"])
        # And a health check over the network would fail for many settings that are right.
        self.assertEqual(re.findall(r"^HEALTHCHECK.* CMD (.*)$", IMAGE, re.MULTILINE), ['["lektctl", "health"]'])


run_tests()

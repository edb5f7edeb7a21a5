#!/usr/bin/env python3
"""Manual pages are made of --help: without a complaint of man, and with nothing left out."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from helps import help_of, subcommands_of
from subjects import DEPLOY, PROGRAMS, output_of, run_tests

SECTIONS = {"lektd": "8", "lekt": "1", "lektctl": "1"}
# Of the form of a --help, not of its content.
HEADINGS = {"Usage", "Positionals", "Subcommands", "Excludes", "Needs"}


def words(text: str) -> str:
    """As they are whatever lines man makes of them."""
    return re.sub(r"[\s\N{HYPHEN}]+", "", text).lower()


class ManualPages(unittest.TestCase):
    def setUp(self) -> None:
        if not shutil.which("man"):
            self.skipTest("there is no man here (package man-db)")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def page(self, name: str) -> Path:
        made = self.directory / f"{name}.{SECTIONS[name]}.gz"
        output_of(["python3", "-B", str(DEPLOY / "man/make_page.py"), str(PROGRAMS[name]), SECTIONS[name],
                   str(DEPLOY / f"man/{name}.roff"), str(made)])
        return made

    def test_man_has_no_complaint(self) -> None:
        for name in PROGRAMS:
            made = subprocess.run(
                ["man", "--warnings", "--encoding=UTF-8", "--local-file", "--troff-device=utf8", "--ditroff",
                 str(self.page(name))],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
                env=dict(os.environ, MANROFFSEQ="", MANWIDTH="80", LC_ALL="C.UTF-8"))
            self.assertEqual(made.stderr, "", name)

    def test_every_word_of_every_help_is_in_the_page(self) -> None:
        for name in PROGRAMS:
            shown = words(output_of(["man", "--local-file", str(self.page(name))],
                                    env=dict(os.environ, MANWIDTH="120", LC_ALL="C.UTF-8")))
            helps = [help_of(name)] + [help_of(name, command) for command in subcommands_of(name)]
            found = {word for text in helps for word in re.findall(r"--[a-z-]+|\b[A-Za-z_]{4,}\b", text)}
            for word in found - HEADINGS:
                self.assertTrue(words(word) in shown, f"{word}, a word of {name}'s help")

    def test_are_the_same_on_every_run(self) -> None:
        for name in PROGRAMS:
            self.assertEqual(self.page(name).read_bytes(), self.page(name).read_bytes())


run_tests()

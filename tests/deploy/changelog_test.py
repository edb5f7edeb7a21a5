#!/usr/bin/env python3
"""The packages have the version of the programs."""

import unittest

from subjects import DEPLOY, PROGRAMS, VERSION, output_of, run_tests


class Changelog(unittest.TestCase):
    def test_debian_packages_have_the_programs_version(self) -> None:
        first = (DEPLOY / "debian/changelog").read_text(encoding="utf-8").split("\n")[0]
        self.assertRegex(first, rf"^lekt \({VERSION}-1\) ")

    def test_programs_say_it(self) -> None:
        for program in PROGRAMS.values():
            self.assertIn(VERSION, output_of([str(program), "--version"]))


run_tests()

#!/usr/bin/env python3
"""Completion in bash offers what --help says, and nothing else."""

import shlex
import tempfile
import unittest
from pathlib import Path
from typing import List

from helps import flags_of, subcommands_of
from subjects import DEPLOY, PROGRAMS, output_of, run_tests

SCRIPT = """
source {file}
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_lekt {program}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def offered(*words: str, directory: str = "/") -> List[str]:
    """What is offered for the last of these words."""
    script = SCRIPT.format(file=shlex.quote(str(DEPLOY / "completion/lekt.bash")),
                           program=shlex.quote(str(PROGRAMS[words[0]])),
                           words=" ".join(shlex.quote(word) for word in words))
    return sorted(filter(None, output_of(["bash", "-c", script], cwd=directory).split("\n")))


class Completion(unittest.TestCase):
    def test_offers_all_flags_and_subcommands_of_each_program(self) -> None:
        for program in PROGRAMS:
            self.assertEqual(offered(program, ""), sorted(flags_of(program) + subcommands_of(program)))
            for command in subcommands_of(program):
                self.assertEqual(offered(program, command, ""), sorted(flags_of(program, command)), command)

    def test_offers_what_begins_as_typed(self) -> None:
        self.assertEqual(offered("lekt", "p"), ["peers", "ping"])
        self.assertEqual(offered("lekt", "join", "--se"), ["--server"])

    def test_offers_the_words_of_which_a_flag_wants_one(self) -> None:
        self.assertEqual(offered("lekt", "decode", "--from", ""), ["auto", "client", "server"])

    def test_offers_files_where_a_flag_wants_one(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "server.pem").touch()
            self.assertEqual(offered("lektd", "--tls-cert", "se", directory=directory), ["server.pem"])
            self.assertEqual(offered("lektd", "--database", "", directory=directory), ["server.pem"])

    def test_offers_nothing_where_it_cannot_know(self) -> None:
        self.assertEqual(offered("lekt", "join", "--server", ""), [])
        self.assertEqual(offered("lektd", "--max-clients", ""), [])


run_tests()

#!/usr/bin/env python3
"""Completion in bash offers what --help says, and nothing else."""

import json
import os
import pty
import re
import select
import shlex
import tempfile
import unittest
from pathlib import Path
from typing import List

from helps import flags_of, positionals_of, subcommands_of
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


def in_a_terminal(line: str, directory: str) -> str:
    """What stands on the line of an interactive bash after it was typed, and Tab once."""
    with tempfile.TemporaryDirectory() as home:
        binaries = Path(home) / "bin"
        binaries.mkdir()
        for name, program in PROGRAMS.items():
            (binaries / name).symlink_to(program)
        start = Path(home) / "start"
        start.write_text(f"PS1='$ '; PATH={shlex.quote(str(binaries))}:$PATH; cd {shlex.quote(directory)}\n"
                         f"source {shlex.quote(str(DEPLOY / 'completion/lekt.bash'))}\n"
                         "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'\n"
                         # The line as it is after Tab, in place of what Enter would run.
                         "_tell() { printf '\\n<%s>\\n' \"$READLINE_LINE\"; exit; }\nbind -x '\"\\C-t\": _tell'\n")
        child, terminal = pty.fork()
        if child == 0:
            os.execve("/bin/bash", ["bash", "--noprofile", "--rcfile", str(start), "-i"],
                      {"TERM": "dumb", "HOME": home, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        shown = ""
        try:
            os.write(terminal, f"{line}\t\x14".encode())
            while f"{line[:6]}" not in shown or not re.search(r"<.*>\r?\n", shown):
                if not select.select([terminal], [], [], 20)[0]:
                    raise AssertionError(f"bash is silent after {shown!r}")
                shown += os.read(terminal, 4096).decode()
        except OSError:  # it has ended
            pass
        finally:
            os.close(terminal)
            os.waitpid(child, 0)
        return re.findall(r"<(.*)>\r?\n", shown)[-1]


class Completion(unittest.TestCase):
    def test_offers_all_flags_and_subcommands_of_each_program(self) -> None:
        for program in PROGRAMS:
            self.assertEqual(offered(program, ""), sorted(flags_of(program) + subcommands_of(program)))
            for command in subcommands_of(program):
                flags = sorted(flags_of(program, command))
                self.assertEqual(offered(program, command, "-"), flags, command)
                if not positionals_of(program, command):
                    self.assertEqual(offered(program, command, ""), flags, command)

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

    def test_offers_directories_where_a_flag_wants_one(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "logs").mkdir()
            (Path(directory) / "logs.txt").touch()
            self.assertEqual(offered("lektd", "--device-log-directory", "lo", directory=directory), ["logs"])

    def test_offers_files_where_a_subcommand_wants_one(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "backup 1.db").touch()
            (Path(directory) / "lekt.jsonl").touch()
            for command in ("lektctl restore", "lektctl backup", "lektctl import", "lekt decode",
                            "lektctl --database other.db restore", "lektctl restore --json"):
                self.assertEqual(offered(*command.split(), "le", directory=directory), ["lekt.jsonl"], command)
                self.assertEqual(offered(*command.split(), "back", directory=directory), ["backup 1.db"], command)

    def test_completes_in_a_real_bash(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / "backup 1.db").touch()
            (Path(directory) / "archive").mkdir()
            for typed, completed in (("lektctl restore ba", "lektctl restore backup\\ 1.db "),
                                     ("lektctl backup ar", "lektctl backup archive/"),
                                     ("lekt decode ba", "lekt decode backup\\ 1.db "),
                                     ("lektd --config ba", "lektd --config backup\\ 1.db "),
                                     ("lektctl clients --sort=last", "lektctl clients --sort=last_heard "),
                                     ("lektctl --database=ba", "lektctl --database=backup\\ 1.db "),
                                     ("lektctl explain E60", "lektctl explain E60"),
                                     ("lektctl explain E605", "lektctl explain E605 "),
                                     ("lektctl chan", "lektctl changes ")):
                self.assertEqual(in_a_terminal(typed, directory), completed)

    def test_offers_the_words_of_each_flag_that_wants_one_of_some(self) -> None:
        self.assertEqual(offered("lektctl", "clients", "--sort", ""), ["address", "last_heard", "name", "since"])
        self.assertEqual(offered("lektctl", "clients", "--sort", "=", "l"), ["last_heard"])
        self.assertEqual(offered("lektctl", "clients", "--status", "="), ["connected", "removed", "waiting"])
        self.assertEqual(offered("lektd", "--log-level", ""), ["debug", "error", "info", "off", "trace", "warn"])
        self.assertEqual(offered("lektd", "--log-format", ""), ["json", "text"])
        self.assertEqual(offered("lektd", "--tls-min-version", ""), ["1.2", "1.3"])
        self.assertIn("hosts", offered("lekt", "join", "--format", ""))

    def test_offers_codes_to_explain(self) -> None:
        self.assertEqual(offered("lektctl", "explain", "E605"), ["E605"])
        self.assertGreater(len(offered("lektctl", "explain", "")), 60)

    def test_offers_clients_bans_and_traces_of_the_database_that_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            database = str(Path(directory) / "lekt.db")
            lines = [{"type": "lekt-export", "format": 1, "time": "2026-01-02T11:00:00Z", "version": "0", "clients": 2,
                      "bans": 1},
                     *({"type": "client", "address": f"10.0.0.{last}", "since": "2026-01-02T08:02:40Z",
                        "last_heard": None, "methods": []} for last in (7, 8)),
                     {"type": "ban", "block": "10.9.0.0/16", "since": "2026-01-02T09:00:00Z", "reason": ""}]
            lektctl = [str(PROGRAMS["lektctl"]), "--database", database]
            output_of([*lektctl, "import", "--create", "-"], input="".join(json.dumps(line) + "\n" for line in lines))
            named = ("lektctl", "--database", database)
            self.assertEqual(offered(*named, "client", ""), ["10.0.0.7", "10.0.0.8"])
            self.assertEqual(offered(*named, "kick", "10.0.0.8"), ["10.0.0.8"])
            self.assertEqual(offered(*named, "changes", "--block", ""), ["10.0.0.7", "10.0.0.8"])
            self.assertEqual(offered(*named, "unban", ""), ["10.9.0.0/16"])
            self.assertEqual(offered("lektctl", "unban", "--database", "=", database, "10."), ["10.9.0.0/16"])
            self.assertEqual(offered(*named, "untrace", ""), [], "no server runs")
            self.assertEqual(offered("lektctl", "client", ""), [], "no database is named")
            self.assertEqual(offered(*named, "client", "-"), sorted(flags_of("lektctl", "client")))

    def test_takes_no_value_of_a_flag_for_a_subcommand(self) -> None:
        self.assertEqual(offered("lektctl", "--database", "restore", "cl"), ["client", "clients"])

    def test_offers_nothing_where_it_cannot_know(self) -> None:
        self.assertEqual(offered("lekt", "join", "--server", ""), [])
        self.assertEqual(offered("lektd", "--max-clients", ""), [])


run_tests()

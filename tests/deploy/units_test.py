#!/usr/bin/env python3
"""The systemd unit takes away what lektd does not need, and nothing that it needs."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path
from typing import List, Set

from subjects import DEPLOY, PROGRAMS, output_of, run_tests

SERVICE = DEPLOY / "systemd/lektd.service"
EXPOSURE_MAX = 2.0


def values(key: str) -> List[str]:
    return re.findall(rf"^{key}=(.*)$", SERVICE.read_text(encoding="utf-8"), re.MULTILINE)


def calls_of(group: str) -> Set[str]:
    """The system calls of a group such as @system-service, those of the groups in it included."""
    found: Set[str] = set()
    for line in output_of(["systemd-analyze", "syscall-filter", group]).split("\n")[1:]:
        name = line.strip()
        if name.startswith("@"):
            found |= calls_of(name)
        elif name and not name.startswith("#"):
            found.add(name)
    return found


def allowed_calls() -> Set[str]:
    allowed: Set[str] = set()
    for value in values("SystemCallFilter"):
        for group in value.lstrip("~").split():
            allowed = allowed - calls_of(group) if value.startswith("~") else allowed | calls_of(group)
    return allowed


def port_in(line: str) -> str:
    match = re.search(r"event=listening address=(\S+)", line)
    return match[1] if match else ""


def calls_in_a_life(directory: str) -> Set[str]:
    """What lektd calls, as strace sees it: a start, a join, a reload, a stop. Empty when strace cannot trace here."""
    calls = Path(directory) / "calls"
    command = ["strace", "--follow-forks", f"--output={calls}", str(PROGRAMS["lektd"]),
               "--listen=127.0.0.1:0", f"--database={directory}/lekt.db"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = ""
        for line in process.stderr:
            address = address or port_in(line)
            if "event=started" in line:
                break
        else:
            return set()
        output_of([str(PROGRAMS["lekt"]), "join", "--server", address, "--method", "tcp:4000", "--count", "1"])
        server = int(calls.read_text(encoding="utf-8").split()[0])
        last_resort = threading.Timer(60, os.kill, [server, signal.SIGKILL])
        last_resort.start()
        os.kill(server, signal.SIGHUP)
        os.kill(server, signal.SIGTERM)
        process.stderr.read()
        last_resort.cancel()
    return set(re.findall(r"^\d+ +([a-z_0-9]+)\(", calls.read_text(encoding="utf-8"), re.MULTILINE))


class Units(unittest.TestCase):
    def setUp(self) -> None:
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze here (package systemd)")

    def test_read_the_same_settings_again_that_they_started_with(self) -> None:
        self.assertEqual(values("ExecReload"), [f"{values('ExecStart')[0]} --reload"])

    def test_expose_little(self) -> None:
        text = output_of(["systemd-analyze", "security", "--offline=true", "--no-pager", str(SERVICE)])
        exposure = re.search(r"Overall exposure level for lektd.service: ([0-9.]+)", text)
        assert exposure, text
        self.assertLessEqual(float(exposure[1]), EXPOSURE_MAX, text)

    def test_leave_the_users_of_the_machine_visible(self) -> None:
        # The log names the user who has steered, as the kernel tells it: in a user namespace everybody is nobody.
        self.assertEqual(values("PrivateUsers"), [])
        self.assertEqual(values("DynamicUser"), [])

    def test_allow_what_the_server_calls(self) -> None:
        if not shutil.which("strace"):
            self.skipTest("there is no strace here (package strace)")
        with tempfile.TemporaryDirectory() as directory:
            called = calls_in_a_life(directory)
        if not called:
            self.skipTest("strace cannot trace here")
        self.assertIn("accept4", called)
        # Files are given to the owner of the database, which matters only when root has started it.
        self.assertLessEqual(called - {"fchown", "lchown"}, allowed_calls())


run_tests()

"""Sessions of mosh: real clients on pseudo-terminals that type at a fixed rate, and a server for each."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from typing import Dict, List

from servers import Failure

PATIENCE_SECONDS = 20
FIRST_PORT = 61000
# Nothing else is drawn with them.
FIRST_KEY, LAST_KEY = b"#", b"%"


def processor_seconds(pid: int) -> float:
    """Of all threads of a process: the clock that clock_getcpuclockid() gives."""
    return time.clock_gettime((~pid << 3) | 2)


class MoshSession:
    """A mosh-server whose program echoes, and its client. Close it when it is no longer needed."""

    def __init__(self, port: int, server_core: int, load_core: int) -> None:
        # What the client shows has come from the server, and is no guess of its own.
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "MOSH_PREDICTION_DISPLAY": "never"}
        # What runs inside is no part of the server, and has the other core.
        program = ["taskset", "-c", str(load_core), "sh", "-c", "stty raw -echo; exec cat"]
        started = subprocess.run(["taskset", "-c", str(server_core), "mosh-server", "new", "-i", "127.0.0.1", "-p", str(port), "--", *program],
                                 capture_output=True, text=True, check=False, env=environment)
        words = started.stdout + started.stderr
        key = re.search(r"MOSH CONNECT \d+ (\S+)", words)
        pid = re.search(r"pid = (\d+)", words)
        if not key or not pid:
            raise Failure(f"mosh-server does not start:\n{words}")
        self.server = int(pid[1])
        self.client, self.terminal = pty.fork()
        if self.client == 0:
            os.sched_setaffinity(0, [load_core])
            os.execvpe("mosh-client", ["mosh-client", "127.0.0.1", str(port)], {**environment, "MOSH_KEY": key[1]})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def type(self, key: bytes) -> None:
        os.write(self.terminal, key)

    def stop(self) -> None:
        """The server tells the client, and both end."""
        os.kill(self.server, signal.SIGTERM)

    def close(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while os.waitpid(self.client, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(self.client, signal.SIGKILL)
            if select.select([self.terminal], [], [], 0.01)[0]:
                try:
                    os.read(self.terminal, 65536)
                except OSError:  # its other end is closed
                    time.sleep(0.01)
        os.close(self.terminal)


def watch(sessions: Dict[int, MoshSession], seconds: float) -> None:
    """Takes what the clients draw, so that none of them has to wait."""
    for terminal in select.select(list(sessions), [], [], max(seconds, 0))[0]:
        os.read(terminal, 65536)


def wait_for_key(sessions: Dict[int, MoshSession], key: bytes) -> None:
    """Types it in all sessions, and waits until all clients show it."""
    for session in sessions.values():
        session.type(key)
    missing, end = set(sessions), time.monotonic() + PATIENCE_SECONDS
    while missing:
        for terminal in select.select(list(sessions), [], [], 1)[0]:
            if key in os.read(terminal, 65536):
                missing.discard(terminal)
        if time.monotonic() > end:
            raise Failure(f"{len(missing)} clients of mosh do not show what was typed")


def measure_mosh(server_core: int, load_core: int, count: int, rate: float, seconds: float) -> dict:
    """`rate`: keys a second of all sessions together, which type in turn, as those of `lekt-device-bench keys` do."""
    if not shutil.which("mosh-server"):
        raise Failure("there is no mosh-server: apt install mosh")
    opened: List[MoshSession] = []
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, [load_core])
    try:
        for number in range(count):
            opened.append(MoshSession(FIRST_PORT + number, server_core, load_core))
        sessions = {session.terminal: session for session in opened}
        wait_for_key(sessions, FIRST_KEY)
        used = -sum(processor_seconds(session.server) for session in opened)
        begin, typed = time.monotonic(), 0
        while typed < rate * seconds:
            due = begin + typed / rate
            if time.monotonic() < due:
                watch(sessions, due - time.monotonic())
                continue
            # Letters, and the beginning of the line before it is full.
            column = typed // count % 74
            opened[typed % count].type(b"\r" if column == 73 else bytes([ord("a") + typed // count % 26]))
            typed += 1
        wait_for_key(sessions, LAST_KEY)
        used += sum(processor_seconds(session.server) for session in opened)
    finally:
        os.sched_setaffinity(0, cores)
        for session in opened:
            session.stop()
        for session in opened:
            session.close()
    return {"count": typed, "server_cpu_us_each": 1e6 * used / typed}

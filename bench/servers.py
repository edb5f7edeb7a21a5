"""The servers that are compared, started on loopback and stopped again. Each has a core of its own."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import List, Optional

READY_SECONDS = 30
DEVICE_PORTS = (5000, 6999)


class Failure(Exception):
    """Ends the comparison, in words."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Server:
    """A process that listens on a port of 127.0.0.1. Use it in a `with`."""

    peer = ""

    def __init__(self, programs: Path, scratch: Path, cores: List[int]) -> None:
        self.programs = programs
        self.directory = Path(tempfile.mkdtemp(prefix=f"{self.peer}-", dir=scratch))
        self.cores = cores
        self.port = free_port()
        self.process: Optional[subprocess.Popen] = None
        self.started_seconds = 0.0

    def command(self) -> List[str]:
        raise NotImplementedError

    def fill(self) -> None:
        """What has to be in the server before it is measured."""

    def __enter__(self) -> "Server":
        self.start()
        self.fill()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.directory)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def start(self) -> None:
        begin = time.monotonic()
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.directory, stdout=log, stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
        while time.monotonic() - begin < READY_SECONDS:
            if self.process.poll() is not None:
                raise Failure(f"{self.peer} ended with {self.process.returncode}:\n{self.log()[-2000:]}")
            if self.is_ready():
                self.started_seconds = time.monotonic() - begin
                return
            time.sleep(0.005)
        raise Failure(f"{self.peer} did not listen within {READY_SECONDS} s:\n{self.log()[-2000:]}")

    def is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Lekt(Server):
    peer = "lekt"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], threads: int = 1, *flags: str) -> None:
        super().__init__(programs, scratch, cores)
        # The generator is faster than any client may be.
        self.flags = [f"--threads={threads}", "--max-heartbeat-rate=1000000", "--max-connection-rate=1000000", *flags]
        self.database = self.directory / "lekt.db"

    def command(self) -> List[str]:
        return [str(self.programs / "lektd"), f"--listen=127.0.0.1:{self.port}", f"--database={self.database}",
                "--log-format=json", *self.flags]

    def events(self, name: str) -> List[dict]:
        lines = [line for line in self.log().splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event.get("event") == name]


class Floor(Server):
    peer = "floor"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], clients: int = 0) -> None:
        super().__init__(programs, scratch, cores)
        self.clients = clients

    def command(self) -> List[str]:
        return [str(self.programs / "lekt-floor"), f"--port={self.port}", f"--clients={self.clients}"]


class DeviceServer(Server):
    """A server of lekt-device-bench, which says when it is ready."""

    def is_ready(self) -> bool:
        return "ready\n" in self.log()


class DeviceHost(DeviceServer):
    """A host that devices work on, at `port`."""

    peer = "host"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], *flags: str) -> None:
        super().__init__(programs, scratch, cores)
        self.flags = flags

    def command(self) -> List[str]:
        return [str(self.programs / "lekt-device-bench"), "host", f"--port={self.port}", *self.flags]


class DeviceFront(DeviceServer):
    """The front of devices alone."""

    peer = "front"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], host: Optional[DeviceHost] = None) -> None:
        super().__init__(programs, scratch, cores)
        self.host = [f"--host={host.port}"] if host else []

    def command(self) -> List[str]:
        return [str(self.programs / "lekt-device-bench"), "front", f"--port={self.port}",
                f"--first-port={DEVICE_PORTS[0]}", f"--last-port={DEVICE_PORTS[1]}", *self.host]


class DeviceRelay(DeviceServer):
    """The floor of working on a host."""

    peer = "relay"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], devices: int, host: DeviceHost) -> None:
        super().__init__(programs, scratch, cores)
        self.port = DEVICE_PORTS[0]
        self.devices, self.host = devices, host

    def command(self) -> List[str]:
        return [str(self.programs / "lekt-device-bench"), "relay", f"--first-port={self.port}", f"--devices={self.devices}",
                f"--host={self.host.port}"]


class DeviceEcho(DeviceServer):
    peer = "echo"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], devices: int) -> None:
        super().__init__(programs, scratch, cores)
        self.port = DEVICE_PORTS[0]
        self.devices = devices

    def command(self) -> List[str]:
        return [str(self.programs / "lekt-device-bench"), "echo", f"--first-port={self.port}", f"--devices={self.devices}"]


class LektWithDevices(Lekt):
    """The whole coordinator, of which `port` is where devices come."""

    def __init__(self, program: Path, scratch: Path, cores: List[int], host: Optional[DeviceHost] = None) -> None:
        super().__init__(program.parent, scratch, cores)
        self.program = program
        self.client_port, self.port = self.port, free_port()
        self.flags += [f"--device-listen=127.0.0.1:{self.port}", f"--device-ports={DEVICE_PORTS[0]}-{DEVICE_PORTS[1]}"]
        if host:
            self.flags.append(f"--device-host=host=127.0.0.1:{host.port}")

    def command(self) -> List[str]:
        return [str(self.program), f"--listen=127.0.0.1:{self.client_port}", f"--database={self.database}",
                "--log-format=json", *self.flags]

    def is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.client_port)) == 0


class Redis(Server):
    """A stream `lekt` with a thousand old entries 1-*, and `changes` new ones 2-*."""

    peer = "redis"

    def __init__(self, programs: Path, scratch: Path, cores: List[int], changes: int = 0,
                 durable: bool = False) -> None:
        super().__init__(programs, scratch, cores)
        self.changes = changes
        self.durable = durable

    def command(self) -> List[str]:
        durable = ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else ["--appendonly", "no"]
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--protected-mode", "no", "--save", "", "--maxclients", "19000",
                "--dir", str(self.directory), *durable]

    def fill(self) -> None:
        commands = []
        for major, count in ((1, 1000), (2, self.changes)):
            for number in range(1, count + 1):
                words = ["XADD", "lekt", f"{major}-{number}", "kind", "A", "address",
                         f"10.0.{number // 256}.{number % 256}", "methods", "tcp:7890"]
                commands.append(f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words))
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rb") as replies:
            connection.sendall("".join(commands).encode())
            for _ in commands:
                reply = replies.readline()
                if not reply.startswith(b"$"):
                    raise Failure(f"redis refused: {reply!r}")
                replies.readline()

    @property
    def continues_from(self) -> str:
        return "1-1000"


class Etcd(Server):
    """A hundred keys below lekt/; it is asked for those changed after all of them."""

    peer = "etcd"
    revision = 0

    def command(self) -> List[str]:
        url = f"http://127.0.0.1:{self.port}"
        between = f"http://127.0.0.1:{free_port()}"
        return ["etcd", f"--data-dir={self.directory / 'data'}", f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}", f"--listen-peer-urls={between}",
                f"--initial-advertise-peer-urls={between}", f"--initial-cluster=default={between}",
                "--log-level=error"]

    def fill(self) -> None:
        for number in range(100):
            key = b64encode(f"lekt/{number:03}".encode()).decode()
            body = json.dumps({"key": key, "value": b64encode(b"tcp:7890").decode()}).encode()
            self.revision = self.put(body)

    def put(self, body: bytes) -> int:
        end = time.monotonic() + READY_SECONDS
        while True:  # it listens before it has elected itself
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v3/kv/put", body, 5) as reply:
                    return int(json.load(reply)["header"]["revision"])
            except OSError as error:
                if time.monotonic() > end:
                    raise Failure(f"etcd does not take a key: {error}") from error
                time.sleep(0.1)

    @property
    def continues_from(self) -> str:
        return str(self.revision + 1)


class Mosquitto(Server):
    peer = "mosquitto"

    def command(self) -> List[str]:
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                                 "log_type error\nuser root\n")
        return ["mosquitto", "-c", str(configuration)]

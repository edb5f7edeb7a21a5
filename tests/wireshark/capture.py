"""Packets of the protocol, and captures of TCP connections that carry them: made here, byte by byte, so that no test
needs the right to record, and every way to cut a stream into segments can be tried."""

import struct
from pathlib import Path
from typing import Iterable, List, NamedTuple, Sequence, Tuple

# ---- Packets ----

CLIENT, SERVER = "client", "server"


def header(kind: str) -> bytes:
    return b"LEKT" + kind.encode() + bytes(3)


def handshake(known: int, *words: int) -> bytes:
    return header("H") + struct.pack(f">{1 + len(words)}I", known, *words)


def response(index: int, information: bytes) -> bytes:
    return header("T") + struct.pack(">I", index) + information


def heartbeat(timestamp: int) -> bytes:
    return header("H") + struct.pack(">q", timestamp)


ACCEPT = header("A")


def request(index: int) -> bytes:
    return header("T") + struct.pack(">I", index)


def reject(text: bytes) -> bytes:
    return header("R") + padded(text + b"\0")


def update(kind: str, timestamp: int, *entries: bytes) -> bytes:
    return header("H") + struct.pack(">q", timestamp) + kind.encode() + len(entries).to_bytes(3, "big") + b"".join(entries)


def client(address: str, *methods: Tuple[int, bytes]) -> bytes:
    content = ip(address) + b"".join(struct.pack(">I", index) + information for index, information in methods)
    return struct.pack(">I", len(content)) + content


def ip(address: str) -> bytes:
    return bytes(int(part) for part in address.split("."))


def port(number: int) -> bytes:
    return struct.pack(">I", number)


def sized(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + padded(content)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


# ---- Captures ----


class Segment(NamedTuple):
    sender: str  # CLIENT or SERVER
    data: bytes


class Connection(NamedTuple):
    segments: Sequence[Segment]
    client_port: int
    server_port: int = 7890
    has_beginning: bool = True  # or the capture begins midway
    order: Sequence[int] = ()  # which frames the capture has, counted from 0: all, or these


def frame(sender: Tuple[str, int], receiver: Tuple[str, int], sequence: int, acknowledged: int, flags: int,
          data: bytes) -> bytes:
    """An IPv4 packet; the checksums are left out, as they are where network cards make them."""
    tcp = struct.pack(">HHIIBBHHH", sender[1], receiver[1], sequence, acknowledged, 5 << 4, flags, 65535, 0, 0)
    length = 20 + len(tcp) + len(data)
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0x4000, 64, 6, 0, ip(sender[0]), ip(receiver[0])) + tcp + data


SYN, ACK, PUSH = 2, 16, 8


def frames(connection: Connection) -> Iterable[bytes]:
    """Those of the connection, as the capture has them."""
    sent = list(sent_frames(connection))
    return [sent[number] for number in connection.order] if connection.order else sent


def sent_frames(connection: Connection) -> Iterable[bytes]:
    ends = {CLIENT: ("10.0.0.7", connection.client_port), SERVER: ("10.0.0.1", connection.server_port)}
    other = {CLIENT: SERVER, SERVER: CLIENT}
    sequence = {CLIENT: 1000, SERVER: 5000}
    if connection.has_beginning:
        yield frame(ends[CLIENT], ends[SERVER], sequence[CLIENT] - 1, 0, SYN, b"")
        yield frame(ends[SERVER], ends[CLIENT], sequence[SERVER] - 1, sequence[CLIENT], SYN | ACK, b"")
    for sender, data in connection.segments:
        receiver = other[sender]
        yield frame(ends[sender], ends[receiver], sequence[sender], sequence[receiver], PUSH | ACK, data)
        sequence[sender] += len(data)


def write_capture(path: Path, connections: Iterable[Connection]) -> None:
    """A file that tshark reads: pcap, raw IP, a millisecond from frame to frame."""
    records: List[bytes] = []
    for connection in connections:
        for content in frames(connection):
            milliseconds = len(records)
            records.append(struct.pack(">IIII", 1700000000 + milliseconds // 1000, milliseconds % 1000 * 1000,
                                       len(content), len(content)) + content)
    path.write_bytes(struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101) + b"".join(records))

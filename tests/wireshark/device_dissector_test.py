#!/usr/bin/env python3
"""The Wireshark dissector of the device protocol, as tshark runs it: the document's datagrams, malformed and random ones.

    device_dissector_test.py DISSECTOR DOCUMENT WORK [TEST...]

DOCUMENT is docs/device-protocol.md. WORK is a directory for captures. LEKT_TEST_SEED repeats a run of random bytes.
"""

import os
import random
import re
import shutil
import struct
import subprocess
import sys
import unittest
from pathlib import Path
from typing import List, Sequence, Tuple

from capture import ip

SKIPPED = 77  # what ctest takes for "skipped"
DISSECTOR, DOCUMENT, WORK = (Path(argument) for argument in sys.argv[1:4])
TO_SERVER, TO_DEVICE = "device to server", "server to device"
Datagram = Tuple[str, bytes]  # its direction and its bytes


def examples() -> List[Tuple[str, Datagram]]:
    found = re.findall(r"^```text (\w+)\ndatagram 1, ([a-z ]+)\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    column = re.compile(r"^  [0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+?)(?:  |$)", re.MULTILINE)
    return [(name, (direction, bytes.fromhex("".join(column.findall(text))))) for name, direction, text in found]


EXAMPLES = dict(examples())
SHOWN = {
    "connection_request": "Connection request (1)",
    "connection_accept": "Connection accept (2): Register Port 5007",
    "registration_request": "Registration request (3)",
    "registration_accept": "Registration accept (4)",
    "get_device_config": "GetDeviceConfig (5)",
    "device_config": "Device config (6): uid 0015708E863F, PDT9090_E5, screen 16x26",
    "set_time": "EspSetTime (8)",
    "are_you_there": "Message: screen, 0 items",
    "screen": "Message: screen, 8 items",
    "input": "Message: input 1, 3 items",
    "acknowledgment": "Acknowledgment",
    "bye": "Bye",
    "failure_that_ends": "Failure E908: eSP0008 could not get the device config",
    "failure_of_a_stray": "Failure E905",
}


def changed(name: str, place: int, other: bytes) -> Datagram:
    direction, data = EXAMPLES[name]
    return direction, data[:place] + other + data[place + len(other):]


class DeviceDissectorTest(unittest.TestCase):
    maxDiff = None

    def tshark(self, datagrams: Sequence[Datagram], *options: str, port: int = 5007) -> str:
        records = b""
        for direction, data in datagrams:
            source, target = (("10.0.0.7", 3771), ("10.0.0.1", port))[::1 if direction == TO_SERVER else -1]
            udp = struct.pack(">HHHH", source[1], target[1], 8 + len(data), 0) + data
            packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, ip(source[0]), ip(target[0])) + udp
            records += struct.pack(">IIII", 1700000000, 0, len(packet), len(packet)) + packet
        path = WORK / (self.id().rpartition(".")[2] + ".pcap")
        path.write_bytes(struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101) + records)
        command = ["tshark", "-n", "-X", f"lua_script:{DISSECTOR}", "-r", str(path), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Lua", done.stderr)
        return done.stdout

    def column(self, datagrams: Sequence[Datagram], field: str, **settings) -> List[str]:
        printed = self.tshark(datagrams, "-T", "fields", "-E", "aggregator=|", "-e", field, **settings)
        return printed.split("\n")[:-1]

    def test_says_what_every_example_of_the_document_is(self):
        self.assertGreaterEqual({data[4:5] for _, data in EXAMPLES.values()}, {bytes([letter]) for letter in b"CPGYQDSEMNBF"})
        shown = dict(zip(EXAMPLES, self.column(list(EXAMPLES.values()), "_ws.col.Info")))
        self.assertEqual({name: shown[name] for name in SHOWN}, SHOWN)
        self.assertEqual([words for words in shown.values() if words.startswith("Not understood")], [])

    def test_finds_nothing_wrong_with_the_examples(self):
        marks = self.column(list(EXAMPLES.values()), "_ws.expert.message")
        self.assertEqual([mark for mark in marks if not re.fullmatch(r"(E\d+)?", mark)], [])

    def test_shows_the_items(self):
        self.assertEqual(self.column([EXAMPLES["screen"], EXAMPLES["input"]], "lekt_device.item"), [
            'size: rows 16, columns 26|style: flags 0x08, foreground 0, background 0|text: row 0, column 0, "Select a host"|'
            'blanks: row 0, column 13, count 13|style: flags 0x00, foreground 0, background 0|text: row 2, column 0, "1 wms"|'
            'text: row 3, column 0, "2 mail"|cursor: row 5, column 0, shown',
            'text: "1"|key: 1, modifiers 0|chord: modifiers 4, U+0063'])

    def test_knows_the_direction_at_ports_out_of_the_usual_range(self):
        run = [EXAMPLES[name] for name in ("registration_accept", "screen", "input")]
        self.assertEqual(self.column(run, "_ws.col.Info", port=40000)[1:], [SHOWN["screen"], SHOWN["input"]])

    def test_says_what_is_wrong(self):
        cases = [
            (changed("connection_request", 5, b"\1\2"), "Version 1.2; 0.0 would be right"),
            (changed("connection_request", 4, b"X"), "A datagram of type 'X' is not known"),
            (changed("bye", 8, bytes(8)), "The registration is 0"),
            (changed("bye", 19, b"\1"), "This datagram has no number, which is 0"),
            (changed("screen", 16, bytes(4)), "This datagram has a number from 1 on"),
            (changed("screen", 24, b"\7"), "Item 7 is not known"),
            (changed("connection_accept", 24, bytes(2)), "The port is 0; 1 to 65535 would be right"),
            (changed("set_time", 34, b"\3\xe8"), "1000 milliseconds; 0 to 999 would be right"),
            (changed("device_config", 44, b"\n"), "The bytes of the string are 0x20 to 0x7e"),
            ((TO_SERVER, EXAMPLES["device_config"][1][:60]), "4 fields that end with '~'; at least 13 are needed"),
            ((TO_SERVER, EXAMPLES["connection_request"][1][:63]), "63 bytes; exactly 64 would be right"),
            ((TO_SERVER, EXAMPLES["bye"][1] + b"\0"), "1 bytes too many"),
            ((TO_SERVER, EXAMPLES["bye"][1][:23]), "23 bytes; at least 24 are needed"),
            ((TO_SERVER, EXAMPLES["input"][1] + bytes(1200)), "1240 bytes; at most 1152 are allowed"),
            ((TO_DEVICE, EXAMPLES["screen"][1][:-1]), "The datagram ends within a field"),
            ((TO_SERVER, b"hello"), 'Every datagram begins with "LEKT"'),
        ]
        self.assertEqual(self.column([data for data, _ in cases], "_ws.expert.message", port=3006), [words for _, words in cases])

    def test_leaves_other_datagrams_alone(self):
        self.assertNotIn("LEKT", self.tshark([(TO_SERVER, b"hello"), (TO_SERVER, b"LEKTH" + bytes(60))], port=5100))

    def test_no_bytes_make_the_dissector_fail(self):
        seed = int(os.environ.get("LEKT_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        print(f"random bytes: LEKT_TEST_SEED={seed}")
        chance = random.Random(seed)
        datagrams = []
        for number in range(3000):
            direction, data = chance.choice(list(EXAMPLES.values()))
            data = bytearray(data[:chance.randrange(len(data) + 1)] if number % 2 else data[:24] + chance.randbytes(40))
            for _ in range(chance.randrange(3) if data else 0):
                data[chance.randrange(len(data))] = chance.randrange(256)
            datagrams.append((direction, bytes(data)))
        self.assertEqual(self.tshark(datagrams, "-2", "-Y", "_ws.lua", "-V", port=3006), "", f"LEKT_TEST_SEED={seed} repeats it")

    def test_every_field_and_every_mark_is_documented(self):
        names = {f"lekt_device.{last}" for last in re.findall(r'name\("([\w.]+)"\)', DISSECTOR.read_text())}
        document = DOCUMENT.with_name("wireshark.md").read_text()
        self.assertEqual([last for last in sorted(names) if f"`{last}`" not in document], [])


if __name__ == "__main__":
    if shutil.which("tshark") is None:
        print("skipped: tshark not installed (Debian: apt install tshark)")
        sys.exit(SKIPPED)
    WORK.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])

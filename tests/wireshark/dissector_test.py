#!/usr/bin/env python3
"""The Wireshark dissector, as tshark runs it: every packet, cut into segments in every way, whole and malformed.

    dissector_test.py DISSECTOR SAMPLE WORK [TEST...]

SAMPLE is docs/sample-conversation.hex. WORK is a directory for captures. LEKT_TEST_SEED repeats a run of random bytes.
"""

import collections
import os
import random
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Dict, List, Sequence

from capture import (ACCEPT, CLIENT, SERVER, Connection, Segment, client, handshake, header, heartbeat, ip, padded, port,
                     reject, request, response, sized, update, write_capture)
from conversation import CONVERSATION, SHOWN, WORDS

SKIPPED = 77  # what ctest takes for "skipped"
DISSECTOR, SAMPLE, WORK = (Path(argument) for argument in sys.argv[1:4])
CATALOGUE = ["-o", "lekt.catalogue:2:chat:sized,3:key:fixed:6"]

FIELDS = sorted(set(SHOWN[CLIENT]) | set(SHOWN[SERVER]))


def whole() -> List[Segment]:
    return [Segment(sender, data) for sender, data in CONVERSATION]


def cut(data: bytes, *places: int) -> List[bytes]:
    ends = [0, *places, len(data)]
    return [data[start:end] for start, end in zip(ends, ends[1:])]


class DissectorTest(unittest.TestCase):
    maxDiff = None

    def capture(self, connections: Sequence[Connection]) -> Path:
        path = WORK / (self.id().rpartition(".")[2] + ".pcap")
        write_capture(path, connections)
        return path

    def tshark(self, capture: Path, *options: str) -> str:
        """What it prints. A fault of the dissector is told in a field of the frame, and on standard error."""
        command = ["tshark", "-n", "-X", f"lua_script:{DISSECTOR}", *CATALOGUE, "-r", str(capture), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Lua", done.stderr)
        return done.stdout

    def rows(self, capture: Path, fields: Sequence[str], *options: str) -> List[Dict[str, List[str]]]:
        """For each frame the values of the fields, in the order of the bytes."""
        chosen = [word for field in fields for word in ("-e", field)]
        printed = self.tshark(capture, "-T", "fields", "-E", "aggregator=\x1f", "-E", "separator=/t", *chosen, *options)
        return [{field: value.split("\x1f") if value else [] for field, value in zip(fields, line.split("\t"))}
                for line in printed.splitlines()]

    def shown(self, capture: Path, *options: str) -> Dict[int, Dict[str, Dict[str, List[str]]]]:
        """By the client's port and by sender: all values of each field."""
        found: Dict = collections.defaultdict(lambda: {CLIENT: collections.defaultdict(list),
                                                       SERVER: collections.defaultdict(list)})
        for row in self.rows(capture, ["tcp.srcport", "tcp.dstport", *FIELDS], "-Y", "lekt", *options):
            source, destination = int(row["tcp.srcport"][0]), int(row["tcp.dstport"][0])
            sender = CLIENT if source > destination else SERVER
            for field in FIELDS:
                if row[field]:
                    found[max(source, destination)][sender][field] += row[field]
        return {key: {sender: dict(values) for sender, values in both.items()} for key, both in found.items()}

    def expect_shown(self, connections: Sequence[Connection], *options: str) -> None:
        shown = self.shown(self.capture(connections), *options)
        for connection in connections:
            sizes = [(segment.sender, len(segment.data)) for segment in connection.segments]
            self.assertEqual(shown.get(connection.client_port), SHOWN, f"segments: {sizes}")

    # ---- Segments ----

    def test_shows_every_packet_with_one_segment_for_each_run(self):
        self.expect_shown([Connection(whole(), 40000)])

    def test_shows_the_same_in_two_passes(self):
        data = CONVERSATION
        bytewise = [Segment(sender, bytes([byte])) for sender, run in data for byte in run]
        self.expect_shown([Connection(whole(), 40000), Connection(bytewise, 40001)], "-2")

    def test_shows_the_same_wherever_a_segment_is_cut(self):
        connections = []
        for place, (sender, data) in enumerate(CONVERSATION):
            for boundary in range(1, len(data)):
                parts = [Segment(sender, part) for part in cut(data, boundary)]
                segments = whole()[:place] + parts + whole()[place + 1:]
                connections.append(Connection(segments, 20000 + len(connections)))
        self.assertGreater(len(connections), 300)
        self.expect_shown(connections)

    def test_shows_the_same_whatever_the_segments_are(self):
        seed = 7
        chance = random.Random(seed)
        connections = [Connection([Segment(sender, bytes([byte])) for sender, data in CONVERSATION for byte in data], 20000)]
        for number in range(100):
            segments = []
            for sender in (CLIENT, SERVER):  # who sends everything without waiting, and who answers it at once
                stream = b"".join(data for speaker, data in CONVERSATION if speaker == sender)
                places = sorted(chance.sample(range(1, len(stream)), chance.randrange(0, 9)))
                segments += [Segment(sender, part) for part in cut(stream, *places)]
            connections.append(Connection(segments, 30000 + number))
        self.expect_shown(connections)

    def test_a_segment_that_is_sent_again_is_shown_once(self):
        again = [number for number in range(len(CONVERSATION) + 2) for _ in range(2 if number % 3 == 2 else 1)]
        self.expect_shown([Connection(whole(), 40000, order=again)])

    # The first answer in two segments, cut in its second update: they are frames 11 and 12.
    SPLIT = whole()[:9] + [Segment(SERVER, part) for part in cut(CONVERSATION[9][1], 30)] + whole()[10:]

    def test_segments_out_of_order_are_put_right_by_a_preference_of_tcp(self):
        shown = self.info(self.SPLIT, "-o", "tcp.reassemble_out_of_order:TRUE", order=[*range(11), 12, 11, 13, 14])
        self.assertEqual(shown, WORDS)

    def test_a_lost_segment_takes_only_the_packets_in_it(self):
        shown = self.info(self.SPLIT, order=[*range(11), 12, 13, 14])
        self.assertEqual(shown[:9] + shown[-2:], WORDS[:9] + WORDS[-2:])
        self.assertEqual(shown[-3], 'Not understood: Every packet begins with "LEKT"; '
                         "Update: the answer ends, everything before 2023-11-14T22:13:23Z is told")

    def test_large_updates_are_put_together_from_thousands_of_segments(self):
        entries = [client(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", (1, port(7890))) for number in range(4000)]
        run = update("A", 0, *entries)
        segments = whole()[:9] + [Segment(SERVER, run[at:at + 536]) for at in range(0, len(run), 536)]
        row = self.rows(self.capture([Connection(segments, 40000)]), ["lekt.count", "lekt.port", "_ws.col.Info"])[-1]
        self.assertEqual((row["lekt.count"], len(row["lekt.port"])), (["4000"], 4000))
        self.assertEqual(row["_ws.col.Info"], ["Update: 4000 added: 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3 ..."])

    # ---- Conversations ----

    def infos(self, connections: Sequence[Connection], *options: str) -> List[List[str]]:
        """What stands in the column Info, for each connection, without what TCP has to say of the segment."""
        found: List[List[str]] = [[] for _ in connections]
        rows = self.rows(self.capture(connections), ["tcp.stream", "_ws.col.Protocol", "_ws.col.Info"], *options)
        for row in rows:
            if row["_ws.col.Protocol"] == ["LEKT"]:
                found[int(row["tcp.stream"][0])].append(re.sub(r"^\[TCP [^]]*\] ", "", row["_ws.col.Info"][0]))
        return found

    def info(self, segments: Sequence[Segment], *options: str, **settings) -> List[str]:
        return self.infos([Connection(segments, **{"client_port": 40000, **settings})], *options)[0]

    def test_says_in_plain_words_what_happens(self):
        self.assertEqual(self.info(whole()), WORDS)

    def test_pairs_heartbeats_with_their_answers(self):
        fields = ["frame.number", "lekt.answered_in", "lekt.heartbeat_in", "lekt.answer_time"]
        rows = self.rows(self.capture([Connection(whole(), 40000)]), fields, "-2", "-Y", "lekt.timestamp")
        self.assertEqual([list(row.values()) for row in rows], [
            [["11"], ["12"], [], []],
            [["12"], [], ["11", "11", "11"], ["0.001000000"]],
            [["13"], ["14", "14"], [], []],
            [["14"], [], ["13", "13", "13"], ["0.001000000", "0.001000000"]],
        ])

    def test_a_capture_may_begin_in_the_heartbeat_phase(self):
        later = whole()[10:]
        asks = Segment(CLIENT, heartbeat(0))
        captures = [later, [asks] + later, whole()]
        found = self.infos([Connection(segments, 40000 + number, has_beginning=False)
                            for number, segments in enumerate(captures)])
        self.assertEqual(found, [WORDS[10:], ["Heartbeat: holds nothing, asks for all"] + WORDS[10:], WORDS])

    def test_a_handshake_without_methods_is_no_heartbeat(self):
        none = "Handshake: supports no method (of 0 known)"
        both = none + "; Heartbeat: holds nothing, asks for all"
        alone = [Segment(CLIENT, handshake(0))]
        early = [Segment(CLIENT, handshake(0) + heartbeat(0))]
        self.assertEqual(self.infos([Connection(alone, 40000), Connection(early, 40001),
                                     Connection(early, 40002, has_beginning=False)]), [[none], [both], [both]])

    def test_another_port_is_decoded_by_preference_or_by_decode_as(self):
        self.assertEqual(self.info(whole(), server_port=8000), [])
        self.assertEqual(self.info(whole(), "-o", "lekt.port:7890,8000-8001", server_port=8000), WORDS)
        self.assertEqual(self.info(whole(), "-d", "tcp.port==8000,lekt", server_port=8000), WORDS)

    def test_both_sides_may_have_the_same_port(self):
        self.assertEqual(self.info(whole(), client_port=7890), WORDS)

    def test_a_method_that_is_not_in_the_preference_ends_where_the_next_packet_begins(self):
        shown = self.info(whole() + [Segment(CLIENT, response(9, b"12345678") + heartbeat(0))])
        self.assertEqual(shown[-1], "Response: information of method 9; Heartbeat: holds nothing, asks for all")

    def test_a_device_needs_no_preference_and_is_text(self):
        device = Segment(SERVER, update("A", 5, client("10.0.0.7", (3006, sized(b'uid=a b,type="c')), (1, port(80)))))
        path = self.capture([Connection(whole()[:9] + [device], 40000)])
        self.assertIn("Client: 10.0.0.7 device:uid=a_b,type=_c tcp:80", self.tshark(path, "-V", "-Y", "frame.number == 12"))

    def test_a_name_needs_no_preference_and_is_text_in_quotation_marks(self):
        for name, word in [("kitchen", "kitchen"), ("Küche 2", '"Küche 2"'), ('a "b" \\', '"a \\"b\\" \\\\"'), ("", '""')]:
            named = Segment(SERVER, update("A", 5, client("10.0.0.7", (1, port(80)), (3007, sized(name.encode())))))
            path = self.capture([Connection(whole()[:9] + [named], 40000)])
            self.assertIn("Client: 10.0.0.7 tcp:80 name:" + word, self.tshark(path, "-V", "-Y", "frame.number == 12"))

    def test_names_features_and_shows_the_identity_of_the_log(self):
        identity = bytes(range(16))
        handshake_asking = handshake(1, 1)[:7] + b"\x28" + handshake(1, 1)[8:]
        accept = ACCEPT[:7] + b"\x08" + identity
        capture = self.capture([Connection([Segment(CLIENT, handshake_asking), Segment(SERVER, accept[:11]),
                                            Segment(SERVER, accept[11:] + request(1))], 40000)])
        client_row, *server_rows = self.rows(capture, ["lekt.packet", "lekt.feature", "lekt.log_identity"], "-Y", "lekt")
        self.assertEqual(client_row["lekt.feature"], ["identity", "0x20"])
        shown = server_rows[-1]
        self.assertEqual(shown["lekt.packet"], ["accept", "request"])
        self.assertEqual(shown["lekt.feature"], ["identity"])
        self.assertEqual(shown["lekt.log_identity"], [identity.hex()])

    def test_shows_the_digest_of_a_closing_packet(self):
        accept = ACCEPT[:7] + b"\x04" + ACCEPT[8:]
        closing = update("A", 5)[:7] + b"\x04" + update("A", 5)[8:] + b"\x00\x00\x00\x02" + bytes.fromhex("839fd2cefc1604d4")
        capture = self.capture([Connection([Segment(CLIENT, handshake(1, 1)), Segment(SERVER, accept + request(0)),
                                            Segment(CLIENT, heartbeat(5)), Segment(SERVER, closing + closing)], 40000)])
        rows = self.rows(capture, ["lekt.packet", "lekt.list_clients", "lekt.list_digest"], "-Y", "lekt.list_digest")
        self.assertEqual(rows, [{"lekt.packet": ["update", "update"], "lekt.list_clients": ["2", "2"],
                                 "lekt.list_digest": ["0x839fd2cefc1604d4"] * 2}])

    def test_after_a_gap_packets_are_found_again(self):
        half = [Segment(CLIENT, handshake(1, 1)), Segment(CLIENT, b"7890" + heartbeat(5))]
        self.assertEqual(self.info(half), ["Handshake: supports 1 (tcp) (of 1 known)",
                                           "Not understood: Every packet begins with \"LEKT\"; "
                                           "Heartbeat: holds everything before 1970-01-01T00:00:05Z"])

    # ---- What is wrong ----

    def experts(self, connections: Sequence[Sequence[Segment]], *options: str) -> List[List[str]]:
        """What is marked in each."""
        path = self.capture([Connection(segments, 40000 + number) for number, segments in enumerate(connections)])
        found: List[List[str]] = [[] for _ in connections]
        for row in self.rows(path, ["tcp.stream", "_ws.expert.message"], "-Y", "lekt", *options):
            found[int(row["tcp.stream"][0])] += row["_ws.expert.message"]
        return found

    def test_what_is_wrong_is_said_with_the_limits_of_the_program(self):
        setup = whole()[:9]
        port_words = "; 1 to 65535 would be right"
        cases = [
            (CLIENT, [], b"GET / HTTP/1.1\r\n\r\n", 'Every packet begins with "LEKT"'),
            (CLIENT, [], handshake(1, 1)[:5] + b"\1\2\0" + handshake(1, 1)[8:], "Version 1.2.0; 0.0 would be right"),
            (CLIENT, [], header("A"), "A packet of type 'A' is not expected here"),
            (CLIENT, [], handshake(4097, *[0] * 129), "4097 known methods; the server allows 4096"),
            (CLIENT, [], handshake(65537), "65537 known methods; no server allows more than 65536"),
            (CLIENT, [], handshake(1, 2), "The bit of method 2 is set, but only 1 methods are known; "
             "method m is bit (m-1) mod 32"),
            (CLIENT, setup[:2], response(2, sized(b"")), "Method 1 was requested"),
            (CLIENT, setup[:2], response(1, port(0)), "Port 0" + port_words),
            (CLIENT, setup[:2], response(1, port(65536)), "Port 65536" + port_words),
            (CLIENT, setup[:4], response(2, sized(bytes(4097))), "4097 bytes of information; at most 4096 are allowed"),
            (CLIENT, setup[:4], response(3007, sized(bytes(256))), "256 bytes of information; at most 255 are allowed"),
            (CLIENT, setup[:4], response(3007, sized(b"a\nb")), 'It is no text that can be shown: "a\\x0ab"'),
            (CLIENT, setup[:4], response(3007, sized("\u202eb".encode())), 'It is no text that can be shown: "\\xe2\\x80\\xaeb"'),
            (CLIENT, setup[:4], response(3007, sized(b"\xed\xa0\x80")), 'It is no text that can be shown: "\\xed\\xa0\\x80"'),
            (CLIENT, setup[:4], response(2, sized(b"hello")[:9] + b"LEK"), "The padding is not zero; was it forgotten?"),
            (CLIENT, whole()[:10], heartbeat(1700000004), "The last closing timestamp was 1700000003; a client sends it back, "
             "and no time of its own"),
            (SERVER, setup, header("X"), "A packet of type 'X' is not expected here"),
            (SERVER, setup, update("B", 5), "The kind of an update is 'A' or 'R'"),
            (SERVER, setup, update("A", 5, bytes(8)), "The size of a client object is 0; "
             "a multiple of 4 from 4 to 16777216 would be right"),
            (SERVER, setup, update("A", 5, (6).to_bytes(4, "big") + bytes(8)), "The size of a client object is 6; "
             "a multiple of 4 from 4 to 16777216 would be right"),
            (SERVER, setup, update("A", 5, client("10.0.0.9", (1, b"")), client("10.0.0.7")),
             "The information of method 1 does not fit its client object"),
            (SERVER, setup, update("A", 5, client("10.0.0.9", (1, port(0)))), "Port 0" + port_words),
            (SERVER, setup, update("A", 5)[:17] + b"\xff\xff\xff", "The packet would have more than 16777216 bytes"),
            (SERVER, setup, reject(b"E" * 1021), "The message is longer than 1020 bytes"),
        ]
        found = self.experts([list(before) + [Segment(sender, data)] for sender, before, data, _ in cases])
        for (_, _, data, words), messages in zip(cases, found):
            self.assertIn(words, messages, data[:40])

    def test_the_limits_themselves_are_right(self):
        connections = [
            whole()[:4] + [Segment(CLIENT, response(2, sized(bytes(4096)))), Segment(SERVER, reject(b"E" * 1020))],
            [Segment(CLIENT, handshake(4096, *[0] * 127, 1 << 31))],
            [Segment(CLIENT, handshake(65536, *[0] * 2048))],
        ]
        self.assertEqual(self.experts(connections, "-o", "lekt.methods_max:65536"), [["It is the last packet"], [], []])

    def test_what_peers_have_sent_cannot_control_a_terminal(self):
        shown = self.info(whole()[:1] + [Segment(SERVER, reject(b"E999 \x1b[2J\xff\r\n"))])
        self.assertEqual(shown[-1], "Reject: E999 \\x1b[2J\ufffd\\x0d\\x0a")

    def test_no_bytes_make_the_dissector_fail(self):
        seed = int(os.environ.get("LEKT_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        print(f"random bytes: LEKT_TEST_SEED={seed}")
        chance = random.Random(seed)
        connections = [self.random_connection(chance, 20000 + number) for number in range(600)]
        path = self.capture(connections)
        self.assertEqual(self.tshark(path, "-2", "-Y", "_ws.lua || _ws.malformed", "-V"), "",
                         f"LEKT_TEST_SEED={seed} repeats it")

    @staticmethod
    def random_connection(chance: random.Random, number: int) -> Connection:
        """Anything; packets with anything behind their header; or a conversation of which some bytes are changed."""
        segments = []
        for sender, data in CONVERSATION if number % 3 == 0 else chance.choices([(CLIENT, b""), (SERVER, b"")], k=8):
            if number % 3 == 0:
                changed = bytearray(data)
                for _ in range(chance.randrange(3)):
                    changed[chance.randrange(len(changed))] = chance.choice([0, 1, 4, 65, 82, 255, chance.randrange(256)])
                data = bytes(changed)
            else:
                start = header(chance.choice("HATRX")) if number % 3 == 1 else b""
                data = start + chance.choice([b"", bytes(4), b"\0\0\0\1"]) + chance.randbytes(chance.randrange(1, 60))
            places = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, chance.randrange(3))))
            segments += [Segment(sender, part) for part in cut(data, *places)]
        return Connection(segments, number, has_beginning=chance.random() < 0.7)

    # ---- The documents ----

    def test_every_field_and_every_mark_is_documented(self):
        names = set(re.findall(r'ProtoField\.\w+\("([\w.]+)"', DISSECTOR.read_text()))
        names |= {f"lekt.{name}" for name in re.findall(r'may_be_wrong\("(\w+)"', DISSECTOR.read_text())}
        self.assertGreater(len(names), 30)
        document = SAMPLE.with_name("wireshark.md").read_text()
        self.assertEqual([name for name in sorted(names) if f"`{name}`" not in document], [])

    def test_the_sample_says_what_wireshark_shows(self):
        text = SAMPLE.read_text()
        command = re.search(r"^#     (text2pcap .*)$", text, re.MULTILINE)[1].split()
        path = SAMPLE.with_suffix(".pcap")
        made = WORK / path.name
        subprocess.run(command[:-2] + ["-q", str(SAMPLE), str(made)], check=True, capture_output=True)
        self.assertEqual(path.read_bytes(), made.read_bytes(), "the capture is made of the text")
        columns = ["frame.number", "_ws.col.Source", "_ws.col.Destination", "_ws.col.Protocol", "_ws.col.Info"]
        shown = []
        for row in self.rows(path, columns):
            number, source, destination, protocol, words = (value[0] for value in row.values())
            shown.append(f"# {number} {source} > {destination} {protocol}" + (f" {words}" if protocol == "LEKT" else ""))
        self.assertEqual(re.findall(r"^# \d+ .*$", text, re.MULTILINE), shown)


if __name__ == "__main__":
    missing = [program for program in ("tshark", "text2pcap") if shutil.which(program) is None]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (Debian: apt install tshark)")
        sys.exit(SKIPPED)
    WORK.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])

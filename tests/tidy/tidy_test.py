#!/usr/bin/env python3
"""Plants one violation of each rule into a small project and sees that tidy.py finds it, and nothing else."""

import shutil
import tempfile
import unittest
from pathlib import Path

import tidy

HEADER = "// What it is.\n#pragma once\n"


class Tidy(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.write("common/good.h", HEADER + "\n#include <string>\n")
        self.write("server/net/good.cc", '#include "common/good.h"\n#include "server/core/other.h"\n#include <asm>\n')
        self.write("README.md", "# A title: two words\n\n[good](common/good.h) [up](#a-title-two-words)\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def found(self):
        return [str(violation) for violation in tidy.check_rules(self.root)]

    def expect(self, path, text, *violations):
        self.write(path, text)
        self.assertEqual([f"{path}:{violation}" for violation in violations], self.found())

    def test_a_clean_project_has_no_violations(self):
        self.assertEqual([], self.found())

    def test_common_includes_only_itself(self):
        self.expect("common/a.cc", '#include "server/core/x.h"\n', "1: common/ may include common, not server/core/x.h")

    def test_storage_does_not_include_server(self):
        self.expect(
            "storage/a.cc", '\n#include "server/core/x.h"\n', "2: storage/ may include common, storage, not server/core/x.h"
        )

    def test_what_decides_does_not_include_what_moves_bytes(self):
        self.expect(
            "server/core/a.cc",
            '#include "server/net/x.h"\n#include "server/operators/x.h"\n',
            "1: server/core/ may include common, server/core, storage, not server/net/x.h",
            "2: server/core/ may include common, server/core, storage, not server/operators/x.h",
        )

    def test_what_decides_has_no_threads_locks_and_clocks(self):
        self.expect(
            "server/core/a.cc",
            '#include "common/mutex.h"\n#include <mutex>\n#include <chrono>\n'
            "auto now = std::chrono::steady_clock::now();\n",
            "1: server/core/ has no threads and locks, so no common/mutex.h",
            "2: server/core/ has no threads and locks, so no <mutex>",
            "4: server/core/ is told the time, so no steady_clock::now",
        )

    def test_devices_are_as_pure_and_know_only_common(self):
        self.expect(
            "devices/a.cc",
            '#include <thread>\n#include <chrono>\n#include "server/core/x.h"\n'
            "auto now = std::chrono::system_clock::now();\n",
            "1: devices/ has no threads and locks, so no <thread>",
            "3: devices/ may include common, devices, not server/core/x.h",
            "4: devices/ is told the time, so no system_clock::now",
        )

    def test_devices_have_no_sockets(self):
        self.write("devices/a.cc", "#include <sys/socket.h>\n#include <asio.hpp>\n#include <arpa/inet.h>\n")
        self.assertEqual(3, len(self.found()))

    def test_every_file_of_the_server_is_in_a_room(self):
        self.expect("server/a.cc", "#include <string>\n", "1: server/a.cc is no room that tidy.py knows")

    def test_the_command_does_not_include_the_daemon(self):
        self.expect(
            "lektctl/a.cc",
            '#include "lektd/x.h"\n',
            "1: lektctl/ may include common, control, lektctl, server/core, server/operators, storage, not lektd/x.h",
        )

    def test_client_does_not_include_server_or_storage(self):
        self.expect(
            "client/a.cc",
            '#include "server/core/x.h"\n#include "storage/x.h"\n',
            "1: client/ may include client, common, tls, not server/core/x.h",
            "2: client/ may include client, common, tls, not storage/x.h",
        )

    def test_tests_include_everything(self):
        self.expect("tests/a.cc", '#include "server/core/x.h"\n#include "client/x.h"\n#include <asio.hpp>\n')

    def test_asio_stays_where_the_sockets_are(self):
        self.write("server/net/connection.cc", "#include <asio/buffer.hpp>\n")
        self.write("client/client.cc", "#include <asio.hpp>\n")
        self.write("server/core/session.cc", "#include <asio/buffer.hpp>\n")
        self.write("client/client.h", HEADER + "#include <asio.hpp>\n")
        places = [violation.split(" may not")[0] for violation in self.found()]
        self.assertEqual(["client/client.h:3: asio.hpp", "server/core/session.cc:1: asio/buffer.hpp"], places)

    def test_protocol_buffers_stay_in_storage(self):
        self.write("storage/record.cc", '#include "records.pb.h"\n#include <google/protobuf/arena.h>\n')
        self.write("server/net/a.cc", '#include "records.pb.h"\n#include <google/protobuf/arena.h>\n')
        places = [violation.split(" may not")[0] for violation in self.found()]
        self.assertEqual(["server/net/a.cc:1: records.pb.h", "server/net/a.cc:2: google/protobuf/arena.h"], places)

    def test_a_library_nobody_has_allowed_is_found(self):
        self.expect(
            "server/net/a.cc",
            "#include <boost/asio.hpp>\n",
            "1: boost/asio.hpp is not the standard library and not in tidy.py's list",
        )

    def test_common_has_no_sockets(self):
        self.write("common/a.cc", "#include <sys/socket.h>\n")
        self.assertEqual(1, len(self.found()))

    def test_a_file_over_400_lines_is_two_files(self):
        self.expect("server/net/long.cc", "int x;\n" * 400)
        self.expect("server/net/long.cc", "int x;\n" * 401, "401: 401 lines; a file over 400 is two files")

    def test_a_document_may_be_longer(self):
        self.expect("docs/long.md", "text\n" * 1000)

    def test_a_header_has_a_comment_and_a_guard(self):
        self.expect(
            "common/bare.h",
            "int x;\n",
            "1: a header opens with a comment that says what it is",
            "1: a header has #pragma once",
        )

    def test_white_space_is_clean(self):
        self.expect(
            "docs/a.md",
            "a\tb\nc \nd",
            "1: tab",
            "2: white space at the end of the line",
            "3: the last line does not end with a line feed",
        )

    def test_banned_words_are_found_in_every_text(self):
        shout = "TO" + "DO"
        later = "For" + " now"
        self.expect(
            "deploy/run",
            f"# {shout}: more\n# {later} it works\n",
            f'1: banned word "{shout}"',
            f'2: banned words "{later}"',
        )

    def test_a_pattern_of_six_letters_is_no_banned_word(self):
        self.expect("deploy/run", "mktemp /tmp/lekt-" + "X" * 6 + "\n")

    def test_links_lead_somewhere(self):
        self.expect(
            "docs/a.md",
            "[x](../common/good.h) [x](../README.md#a-title-two-words) [x](https://example.org/)\n"
            "[x](gone.md) [x](../README.md#gone)\n[x](#gone)\n```\n[x](gone.md)\n```\n",
            "2: link to gone.md, but there is no gone.md",
            "2: link to ../README.md#gone, but there is no such heading",
            "3: link to #gone, but there is no such heading",
        )

    def test_tests_that_a_guarantee_names_exist(self):
        self.write("tests/a_test.cc", "TEST_F(KillTest,\n       loses_nothing) {}\n")
        self.expect(
            "docs/guarantees.md",
            "Nothing is lost: `KillTest.loses_nothing`,\n`KillTest.loses_all`. See `wal.log`.\n",
            "2: there is no test KillTest.loses_all",
        )

    def test_a_class_is_defined_once(self):
        text = HEADER + "namespace lekt {\nclass Other;\nclass Link final : public Base {\n};\n}\n"
        self.write("server/net/link.h", text)
        self.write("storage/link.h", text.replace("lekt {", "lekt::storage {"))
        self.assertEqual([], self.found())
        self.write("client/link.h", text)
        self.assertEqual(["server/net/link.h:5: lekt::Link is defined in client/link.h too"], self.found())

    def test_builds_are_not_looked_at(self):
        self.expect("build/a.h", "\t")

    def test_files_with_binary_content_are_not_looked_at(self):
        (self.root / "picture").write_bytes(b"\0 \t\n")
        self.assertEqual([], self.found())

    def test_formatting_is_checked(self):
        program = shutil.which("clang-format-14") or shutil.which("clang-format")
        if program is None:
            self.skipTest("clang-format is not installed")
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("server/net/a.cc", "int x;\nint   y;\n")
        places = [str(violation) for violation in tidy.check_format(self.root, program)]
        self.assertEqual(1, len([place for place in places if place.startswith("server/net/a.cc:2: ")]), places)
        self.assertFalse([place for place in places if place.startswith("server/net/a.cc:1: ")])


if __name__ == "__main__":
    unittest.main()

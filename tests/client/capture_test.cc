// Captures: files of either kind, what TCP does to the order of bytes, and files that are damaged or hostile.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "client/command/capture_file.h"
#include "client/command/tcp_streams.h"
#include "tests/client/program.h"
#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

using test::hex;
using test::Program;
using test::read_text;

const std::filesystem::path docs = test::source_file("docs");

constexpr std::uint8_t syn = 0x02;
constexpr std::uint8_t ack = 0x10;

/// A segment of TCP in a packet of IPv4, between 10.0.0.9:1000 and 10.0.0.1:7890.
Bytes packet(bool from_client, std::uint32_t sequence, ByteView payload, std::uint8_t flags = ack,
             std::size_t bytes_max = 1000) {
  Bytes made;
  ByteWriter writer(made);
  writer.bytes(hex("45 00"));
  writer.u32(static_cast<std::uint32_t>(40 + payload.size()) << 16);  // and the identification
  writer.bytes(hex("40 00 40 06 00 00"));
  writer.bytes(from_client ? hex("0a 00 00 09 0a 00 00 01") : hex("0a 00 00 01 0a 00 00 09"));
  writer.bytes(from_client ? hex("03 e8 1e d2") : hex("1e d2 03 e8"));
  writer.u32(sequence);
  writer.u32(0);
  writer.u8(0x50);
  writer.u8(flags);
  writer.bytes(hex("ff ff 00 00 00 00"));
  writer.bytes(payload);
  return made.substr(0, bytes_max);
}

Frames raw(std::vector<Bytes> packets) { return {link_type::raw, std::move(packets), false}; }

/// The only connection of some packets.
TcpConnection only(std::vector<Bytes> packets) {
  const TcpStreams streams = tcp_streams(raw(std::move(packets)));
  EXPECT_EQ(streams.connections.size(), 1U);
  return streams.connections.at(0);
}

Bytes number(std::uint32_t value, bool big_endian) {
  Bytes made;
  ByteWriter(made).u32(big_endian ? value : __builtin_bswap32(value));
  return made;
}

Bytes pcap(const std::vector<Bytes>& frames, std::uint32_t type, bool big_endian, bool nanoseconds) {
  const auto u32 = [&](std::uint32_t value) { return number(value, big_endian); };
  Bytes file = u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4) +
               (big_endian ? hex("0002 0004") : hex("0200 0400")) + u32(0) + u32(0) + u32(65535) + u32(type);
  for (const Bytes& frame : frames) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    file += u32(1) + u32(2) + u32(size) + u32(size) + frame;
  }
  return file;
}

TEST(PcapFile, is_read_in_both_orders_of_bytes_and_both_units_of_time) {
  for (const bool big_endian : {false, true})
    for (const bool nanoseconds : {false, true}) {
      const auto frames = read_pcap(pcap({"one", "", "three"}, 1, big_endian, nanoseconds));
      ASSERT_TRUE(frames);
      EXPECT_EQ(frames->link_type, link_type::ethernet);
      EXPECT_EQ(frames->frames, (std::vector<Bytes>{"one", "", "three"}));
      EXPECT_FALSE(frames->cut_off);
    }
}

TEST(PcapFile, that_is_cut_off_says_so_at_every_byte) {
  const Bytes whole = pcap({"one", "three"}, 1, false, false);
  const std::size_t header = 24;
  for (std::size_t size = header; size < whole.size(); ++size) {
    const auto frames = read_pcap(whole.substr(0, size));
    ASSERT_TRUE(frames);
    const bool between_frames = size == header || size == header + 16 + 3;
    EXPECT_EQ(frames->cut_off, !between_frames) << size;
  }
  for (std::size_t size = 4; size < header; ++size)
    EXPECT_THROW(read_pcap(whole.substr(0, size)), CaptureError);
  EXPECT_FALSE(read_pcap(whole.substr(0, 3)));
}

TEST(PcapFile, of_another_kind_is_named) {
  const auto trouble_with = [](const Bytes& input) -> std::string {
    try {
      read_pcap(input);
    } catch (const CaptureError& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_EQ(trouble_with(hex("0a0d0d0a 1c000000 4d3c2b1a")),
            "it is a pcapng file; make a pcap file of it: editcap -F pcap FILE NEW_FILE");
  EXPECT_EQ(trouble_with(hex("1f8b0800 00000000")), "it is compressed; uncompress it first (gunzip)");
  EXPECT_EQ(trouble_with(hex("a1b2c3d4 00030000 00000000 00000000 00000000 00000001")),
            "it is a pcap file of version 3; 2 can be read");
  EXPECT_EQ(trouble_with("LEKT"), "");
}

TEST(Dump, has_a_frame_at_each_offset_of_0) {
  const auto frames =
      read_dump("# a comment\n\n2026-11-21T10:47:21Z\n0000  45 00  E.\n0002 01\r\n#\n0000  46\n");
  ASSERT_TRUE(frames);
  EXPECT_EQ(frames->link_type, link_type::raw);
  EXPECT_EQ(frames->frames, (std::vector<Bytes>{hex("45 00 01"), hex("46")}));
}

TEST(Dump, is_told_from_the_bytes_of_a_conversation) {
  for (const char* digits : {"4c454b54 48000000\n00:00:00:01 00000001", "4c454b54\n0000 48", "", "0000",
                             "00000000 00000001", "LEKT"})
    EXPECT_FALSE(read_dump(digits)) << digits;
}

TEST(Dump, with_an_offset_that_does_not_fit_is_refused_with_its_line) {
  try {
    read_dump("0000  45 00\n0003  01\n");
    FAIL();
  } catch (const CaptureError& error) {
    EXPECT_STREQ(error.what(), "line 2 has another offset than the 2 bytes of its frame before it");
  }
}

TEST(TcpStreams, are_read_from_every_link_type) {
  const Bytes ip = packet(true, 100, "LEKT");
  const std::vector<std::pair<std::uint32_t, Bytes>> types = {
      {link_type::raw, ""},
      {link_type::raw_bsd, ""},
      {link_type::ipv4, ""},
      {link_type::null, hex("02 00 00 00")},
      {link_type::loop, hex("00 00 00 02")},
      {link_type::ethernet, hex("000102030405 060708090a0b 0800")},
      {link_type::ethernet, hex("000102030405 060708090a0b 8100 0001 0800")},
      {link_type::linux_sll, hex("0000 0001 0006 000102030405 0000 0800")},
      {link_type::linux_sll2, hex("0800 0000 00000001 0001 00 06 0001020304050000")}};
  for (const auto& [type, before] : types) {
    const TcpStreams streams = tcp_streams({type, {before + ip + Bytes(6, '\0')}, false});
    ASSERT_EQ(streams.connections.size(), 1U) << type;
    EXPECT_EQ(streams.connections[0].first.bytes, "LEKT") << type;  // without the padding of Ethernet
    EXPECT_EQ(streams.connections[0].first.from, "10.0.0.9:1000");
    EXPECT_EQ(streams.connections[0].second.from, "10.0.0.1:7890");
  }
  EXPECT_THROW(tcp_streams({147, {ip}, false}), CaptureError);
}

TEST(TcpStreams, are_read_from_ipv6) {
  const Bytes tcp = packet(true, 100, "LEKT").substr(20);
  Bytes ip = hex("60000000 0018 06 40") + Bytes(15, '\0') + "\1" + Bytes(15, '\0') + "\2" + tcp;
  const TcpStreams streams = tcp_streams(raw({ip}));
  ASSERT_EQ(streams.connections.size(), 1U);
  EXPECT_EQ(streams.connections[0].first.from, "[::1]:1000");
  EXPECT_EQ(streams.connections[0].first.bytes, "LEKT");
}

TEST(TcpStreams, are_in_order_whatever_the_order_of_the_segments) {
  for (const std::uint32_t start : {100U, 0xfffffffcU, 0x7ffffffcU}) {
    const Bytes begin = packet(true, start - 1, "", syn);
    const TcpConnection connection =
        only({begin, packet(true, start + 6, "GH"), packet(true, start + 2, "CD"),
              packet(true, start + 2, "CD"), packet(true, start, "AB"), packet(true, start + 3, "DEF"),
              packet(true, start, "ABCDEFGH"), packet(true, start + 7, "x"), packet(true, start + 8, "I")});
    EXPECT_EQ(connection.first.bytes, "ABCDEFGHI") << start;
    EXPECT_TRUE(connection.first.from_start);
    EXPECT_TRUE(connection.client_known);
    EXPECT_EQ(connection.first.gap, 0U);
  }
}

TEST(TcpStreams, end_at_what_is_missing_and_say_how_much) {
  const TcpConnection connection = only({packet(true, 99, "", syn), packet(true, 100, "AB"),
                                         packet(true, 105, "FGH"), packet(true, 107, "HI")});
  EXPECT_EQ(connection.first.bytes, "AB");
  EXPECT_EQ(connection.first.gap, 3U);
  EXPECT_EQ(connection.first.behind_gap, 4U);
}

TEST(TcpStreams, end_where_frames_were_not_captured_whole) {
  const TcpConnection connection =
      only({packet(true, 99, "", syn), packet(true, 100, "ABCDEFGH", ack, 44), packet(true, 108, "IJ")});
  EXPECT_EQ(connection.first.bytes, "ABCD");
  EXPECT_EQ(connection.first.gap, 4U);
}

TEST(TcpStreams, of_the_same_ports_are_told_apart) {
  const TcpStreams streams =
      tcp_streams(raw({packet(true, 99, "", syn), packet(true, 99, "", syn), packet(true, 100, "A"),
                       packet(true, 5000, "", syn), packet(false, 70, "", syn | ack), packet(true, 5001, "B"),
                       packet(false, 71, "C")}));
  ASSERT_EQ(streams.connections.size(), 2U);
  EXPECT_EQ(streams.connections[0].first.bytes, "A");
  EXPECT_EQ(streams.connections[1].first.bytes, "B");
  EXPECT_EQ(streams.connections[1].second.bytes, "C");
}

TEST(TcpStreams, know_the_client_by_the_answer_to_it_too) {
  const TcpConnection connection = only({packet(false, 70, "", syn | ack), packet(false, 71, "C")});
  EXPECT_EQ(connection.first.from, "10.0.0.9:1000");
  EXPECT_TRUE(connection.client_known);
  EXPECT_EQ(connection.second.bytes, "C");
}

TEST(TcpStreams, skip_what_is_no_tcp) {
  Bytes udp = packet(true, 1, "A");
  udp[9] = 17;
  Bytes fragment = packet(true, 1, "A");
  fragment[6] = 0x20;
  const TcpStreams streams = tcp_streams(raw({udp, fragment, "", "E", packet(true, 1, "A").substr(0, 39)}));
  EXPECT_TRUE(streams.connections.empty());
  EXPECT_EQ(streams.frames_skipped, 5U);
}

TEST(TcpStreams, of_damaged_files_have_no_more_bytes_than_these) {
  const Bytes sample = read_text(docs / "sample-conversation.pcap");
  test::Random random;
  for (int round = 0; round < (test::sanitized ? 1'000 : 3'000); ++round) {
    Bytes file = sample.substr(0, random.chance(20) ? random.below(sample.size()) : sample.npos);
    for (std::uint64_t changes = 1 + random.below(20); changes > 0 && !file.empty(); --changes)
      file[random.below(file.size())] = static_cast<char>(random.below(256));
    try {
      const auto frames = read_pcap(file);
      if (!frames) continue;
      std::size_t bytes = 0;
      for (const TcpConnection& connection : tcp_streams(*frames).connections)
        bytes += connection.first.bytes.size() + connection.first.behind_gap +
                 connection.second.bytes.size() + connection.second.behind_gap;
      ASSERT_LE(bytes, file.size());
    } catch (const CaptureError&) {
    }
  }
}

TEST(ProgramDecodeCapture, prints_the_sample_as_pcap_and_as_hexadecimal_alike) {
  const std::vector<std::string> flags = {"decode", "--catalogue", "2:chat:sized"};
  auto with = [&](std::string file) {
    auto arguments = flags;
    arguments.push_back(std::move(file));
    return arguments;
  };
  Program pcap_file(with(docs / "sample-conversation.pcap"));
  EXPECT_EQ(pcap_file.wait(), 0) << pcap_file.error();
  Program dump(with("-"), read_text(docs / "sample-conversation.hex"));
  EXPECT_EQ(dump.wait(), 0) << dump.error();
  EXPECT_EQ(pcap_file.out(), dump.out());
  EXPECT_TRUE(
      pcap_file.out().starts_with("Conversation 1\n\n10.0.0.9:41727 to 10.0.0.1:7890\n"
                                  "packet 1, client to server\n  0000  4c 45 4b 54"));
  EXPECT_NE(dump.out().find("\n10.0.0.1:7890 to 10.0.0.11:58245\npacket 1, server to client\n"),
            std::string::npos);
  EXPECT_NE(dump.out().find("chat:68656c6c6f"), std::string::npos);
}

TEST(ProgramDecodeCapture, says_what_is_missing_and_ends_with_1) {
  const Bytes heartbeat = hex("4c454b54 48000000 0000000000000000");
  const Bytes file = pcap({packet(true, 100, "1234" + heartbeat), packet(true, 200, heartbeat)},
                          link_type::raw, true, false);
  Program program({"decode"}, file.substr(0, file.size() - 1));
  EXPECT_EQ(program.wait(), 1);
  EXPECT_NE(program.out().find("The capture begins in the middle; 4 bytes before a packet are left out.\n"),
            std::string::npos);
  EXPECT_NE(
      program.out().find("80 bytes are missing here in the capture; 15 bytes behind them are left out.\n"),
      std::string::npos)
      << program.out();
  EXPECT_TRUE(program.out().ends_with("\nThe file ends in the middle of a frame.\n"));
}

TEST(ProgramDecodeCapture, without_lekt_ends_with_2_and_says_why) {
  const Bytes file = pcap({packet(true, 1, "GET / HTTP/1.1"), packet(false, 1, hex("16 03 01"))},
                          link_type::raw, false, false);
  Program program({"decode", "-"}, file);
  EXPECT_EQ(program.wait(), 2);
  EXPECT_EQ(
      program.error(),
      "lekt: E705 cannot read standard input: none of the 1 TCP connections in it begins with a packet of "
      "LEKT; 1 speak TLS, which cannot be read\nlekt: see `lekt decode --help`\n");
}

TEST(ProgramDecodeCapture, without_tcp_ends_with_2_and_says_so) {
  Program program({"decode"}, pcap({"", "E"}, link_type::raw, false, false));
  EXPECT_EQ(program.wait(), 2);
  EXPECT_TRUE(program.error().starts_with(
      "lekt: E705 cannot read standard input: no TCP connection was captured in it\n"))
      << program.error();
}

}  // namespace
}  // namespace lekt::command

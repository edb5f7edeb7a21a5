// Whatever a client sends, the server refuses it in words that can be read to the end, and nobody else
// notices.
//
// The table is tests/support/bad_input.h; tests/core walks it with a session alone.
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/text.h"
#include "tests/integration/daemon.h"
#include "tests/integration/raw_client.h"
#include "tests/support/bad_input.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

/// What a client that does not listen keeps sending. It fills the buffers of both sockets, so the server must
/// read it, or its kernel would destroy the reject.
const Bytes flood(768 * 1024, 'x');
const Bytes trickle(256, 'x');

class BadInputTest : public DaemonTest {
 protected:
  BadInputTest() { start(catalogue_flags()); }

  /// Goes the way, then sends the input with `more` behind it.
  RawClient meet(const Input& input, const std::string& from, const Bytes& more) {
    RawClient client(daemon().port(), from);
    client.send(input.way->bytes);
    if (!input.way->bytes.empty()) client.expect<AcceptPacket>();
    for (const std::uint32_t index : input.way->requests)
      EXPECT_EQ(client.expect<RequestPacket>().index, index);
    (void)client.try_send(input.bytes + input.rest + more);
    return client;
  }

  /// Whether in the end `neighbour` sees nobody but itself.
  static bool is_alone(RawClient& neighbour) {
    return eventually([&] { return neighbour.beat(), neighbour.peers().size() == 1; }, patience());
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool is_printable(const std::string& line) {
  return std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

TEST_F(BadInputTest, every_wrong_field_is_refused_readably_and_touches_nobody) {
  RawClient neighbour = joined(daemon().port(), "127.0.0.9");
  std::set<std::string> codes;
  std::size_t number = 0;
  for (const Input& input : wrong_inputs()) {
    SCOPED_TRACE(input.name);
    const bool first = codes.insert(input.refusal.substr(0, 4)).second;
    RawClient client = meet(input, address_number(number++), first ? flood : trickle);
    for (std::size_t answer = 0; answer < input.answers.size(); ++answer) client.read_answer();
    // E102 quotes as many bytes as have arrived.
    const std::size_t certain = input.refusal.starts_with("E102") ? 17 : input.refusal.npos;
    EXPECT_EQ(client.expect_reject().substr(0, certain), input.refusal.substr(0, certain));
  }
  EXPECT_EQ(codes,
            (std::set<std::string>{"E101", "E102", "E103", "E104", "E105", "E201", "E202", "E203", "E204"}));
  EXPECT_TRUE(is_alone(neighbour));
}

// Here the refusal waits in the server's kernel behind an answer that is not read yet. If the server closed
// now, with unread input, both would be lost.
TEST_F(BadInputTest, a_refusal_behind_a_long_answer_can_be_read_as_well) {
  std::vector<RawClient> others;
  for (std::size_t number = 0; number < 16; ++number)
    others.push_back(joined(daemon().port(), address_number(number), chat(Bytes(4096, 'x'))));
  RawClient client(daemon().port(), "127.0.0.2", {.receive_buffer = 4096});
  client.join(tcp(7890));
  client.ask(0);
  ASSERT_TRUE(client.receives_within(patience()));
  client.send("nonsense" + trickle);
  ASSERT_TRUE(daemon().logs("event=reject address=127.0.0.2"));
  client.send(trickle);
  EXPECT_EQ(client.read_answer().added.size(), others.size() + 1);
  EXPECT_TRUE(client.expect_reject().starts_with("E102 "));
}

TEST_F(BadInputTest, the_values_beside_the_wrong_ones_are_accepted) {
  RawClient neighbour = joined(daemon().port(), "127.0.0.9");
  std::size_t number = 0;
  for (const Input& input : right_inputs()) {
    SCOPED_TRACE(input.name);
    const std::string from = address_number(number++);
    RawClient client = meet(input, from, {});
    if (input.way->bytes.empty()) client.expect<AcceptPacket>();
    if (input.way->requests != std::vector<std::uint32_t>{1, 0})
      while (client.expect<RequestPacket>().index != 0) {
      }
    for (std::size_t answer = 0; answer < input.answers.size(); ++answer) client.read_answer();
    const Answer all = client.beat(0);
    EXPECT_EQ(std::ranges::count(all.added, ip(from)), 1);
  }
  EXPECT_TRUE(is_alone(neighbour));
}

TEST_F(BadInputTest, no_timestamp_costs_a_client_a_part_of_the_list) {
  RawClient neighbour = joined(daemon().port(), "127.0.0.9");
  RawClient client = joined(daemon().port(), "127.0.0.2");
  const std::int64_t closing = client.beat(0).closing();
  const auto complete = client.peers();
  EXPECT_EQ(complete.size(), 2u);
  for (const std::int64_t timestamp :
       {INT64_MIN, INT64_MIN + 1, INT64_C(-1), INT64_C(0), INT64_C(1), closing - 1, closing, closing + 1,
        closing + 86400, INT64_C(0x7fffffff), INT64_C(0x80000000), INT64_C(0x100000000), INT64_MAX - 1,
        INT64_MAX}) {
    client.beat(timestamp);
    EXPECT_EQ(client.peers(), complete) << timestamp;
    RawClient fresh = joined(daemon().port(), "127.0.0.2");
    if (timestamp > 1 && timestamp <= closing) continue;  // it says that it holds what it was never told
    fresh.beat(timestamp);
    EXPECT_EQ(fresh.peers(), complete) << timestamp << " as the first";
  }
}

TEST_F(BadInputTest, a_conversation_may_end_at_every_byte_without_a_reject_or_a_trace) {
  RawClient neighbour = joined(daemon().port(), "127.0.0.9");
  const Bytes setup = setup_bytes(tcp(7890));
  for (std::size_t size = 0; size < setup.size(); ++size)
    RawClient(daemon().port(), address_number(size)).send(setup.substr(0, size));
  const Bytes heartbeat = heartbeat_bytes(0);
  for (std::size_t size = 0; size < heartbeat.size(); ++size)
    joined(daemon().port(), "127.0.0.2", tcp(static_cast<std::uint16_t>(1 + size)))
        .send(heartbeat.substr(0, size));
  EXPECT_TRUE(daemon().logs("event=leave address=127.0.0.2", heartbeat.size()));
  EXPECT_TRUE(is_alone(neighbour));
  EXPECT_EQ(count(daemon().log(), "event=join "), 1 + heartbeat.size());
  EXPECT_EQ(count(daemon().log(), "event=reject "), 0u);
}

namespace {

/// What would clear a terminal, forge a line, end a field, or hide what follows.
const std::vector<Bytes> hostile_texts = {
    "\x1b[2J\x1b[H\x1b]0;owned\x07",
    "\r\n2026-01-01T00:00:00.000Z info event=join address=10.0.0.1\n",
    "\" event=join address=10.0.0.1 x=\"",
    Bytes("\0\0\0nul", 6),
    "\x7f\x08\x08\x08\x9b"
    "31m",
    "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf",  // '/' in UTF-8 of more bytes than it needs
    "\xed\xa0\x80\xff\xfe\xf8",              // no UTF-8 at all
    "\xe2\x80\xae\xe2\x80\xa8\xc2\x85",      // written from right to left; a line's end in Unicode
    "%s%n%x {} {:>9999999}\\x1b\\n"};

/// Time, level, event, and fields whose values are one word or stand in quotes.
const std::regex line_of_text(R"re([-0-9T:.]+Z [a-z]+ event=[a-z_]+( [a-z_]+=("([^"\\]|\\.)*"|[^ "]+))*)re");

class HostileTextTest : public BadInputTest {
 protected:
  /// Each text as information of a method, and as bytes that begin no packet, in every phase.
  void send_all(const std::string& from) {
    for (const Bytes& text : hostile_texts) {
      clients_.push_back(joined(daemon().port(), from, chat(text)));
      RawClient stranger(daemon().port(), "127.0.0.3");
      stranger.send(text);
      EXPECT_TRUE(is_printable(stranger.expect_reject()));
      RawClient setup(daemon().port(), "127.0.0.3");
      setup.begin_setup(tcp(1));
      setup.send(text);
      EXPECT_TRUE(is_printable(setup.expect_reject()));
      RawClient member = joined(daemon().port(), "127.0.0.3");
      member.send(text);
      EXPECT_TRUE(is_printable(member.expect_reject()));
    }
  }

  Outcome lekt(const std::string& subcommand, const Flags& flags) {
    Flags all = {subcommand, "--server", "127.0.0.1:" + std::to_string(daemon().port()), "--catalogue",
                 "2:chat:sized"};
    all.insert(all.end(), flags.begin(), flags.end());
    return run(program_file("lekt"), all);
  }

  std::vector<RawClient> clients_;
};

}  // namespace

TEST_F(HostileTextTest, is_relayed_as_it_is) {
  send_all("127.0.0.2");
  RawClient other = joined(daemon().port(), "127.0.0.9");
  other.beat(0);
  const Offer& offer = other.view().peers().at(ip("127.0.0.2"));
  for (const Bytes& text : hostile_texts)
    EXPECT_EQ(std::ranges::count(offer.methods, chat(text).front()), 1) << to_hex(text);
}

TEST_F(HostileTextTest, makes_no_line_and_no_control_byte_in_the_log) {
  for (const char* format : {"text", "json"}) {
    clients_.clear();
    Flags flags = catalogue_flags();
    flags.insert(flags.end(), {"--log-format", format, "--log-level", "debug"});
    start(flags);
    send_all("127.0.0.2");
    clients_.clear();
    ASSERT_TRUE(daemon().logs("leave", 2 * hostile_texts.size()));  // the rejected members, and these
    ASSERT_EQ(daemon().stop(SIGTERM), 0);
    const bool json = std::string(format) == "json";
    for (const std::string& line : lines_of(daemon().log())) {
      EXPECT_TRUE(is_printable(line)) << line;
      EXPECT_TRUE(json ? nlohmann::json::accept(line) : std::regex_match(line, line_of_text)) << line;
    }
    EXPECT_EQ(count(daemon().log(), json ? "\"event\":\"reject\"" : " event=reject "),
              3 * hostile_texts.size());
  }
}

TEST_F(HostileTextTest, is_printed_by_lekt_as_hexadecimal) {
  send_all("127.0.0.2");
  const std::vector<std::pair<std::string, Flags>> commands = {
      {"peers", {}},
      {"peers", {"--format", "json"}},
      {"join", {"--count", "1"}},
      {"join", {"--count", "1", "--format", "json"}}};
  for (const auto& [subcommand, flags] : commands) {
    const Outcome outcome = lekt(subcommand, flags);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    for (const std::string& line : lines_of(outcome.output + outcome.errors))
      EXPECT_TRUE(is_printable(line)) << line;
    EXPECT_EQ(count(outcome.output, to_hex(hostile_texts.front())), 1u) << outcome.output;
  }
}

}  // namespace lekt::test

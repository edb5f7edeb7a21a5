#include "client/client_state.h"

#include <gtest/gtest.h>

#include "common/errors.h"
#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::test {
namespace {

ClientState example() {
  ClientState state{
      {"coordinator:7890", parse_address("10.0.0.1").value(), LogIdentity{0xab}}, 1'700'000'003, {}};
  state.peers[parse_address("10.0.0.7").value()] = {tcp(7890), {}};
  state.peers[parse_address("10.0.0.8").value()] = {{}, {}};
  state.peers[parse_address("10.0.0.9").value()] = {{{1, tcp_information(1)}, {1, tcp_information(2)}},
                                                    hex("00000009 0000000a")};
  return state;
}

const std::string example_lines =
    "lekt-state 1\nserver coordinator:7890\naddress 10.0.0.1\nidentity ab000000000000000000000000000000\n"
    "timestamp 1700000003\npeers 3\n10.0.0.7 0000000100001ed2\n10.0.0.8 -\n"
    "10.0.0.9 00000001000000010000000100000002000000090000000a\n";

/// What is wrong with the text; empty if nothing is.
std::string problem_of(const std::string& text) {
  try {
    parse_client_state(text, MethodCatalogue());
    return "";
  } catch (const CodedError& error) {
    return error.what();
  }
}

/// The text with a sum that is right for it.
std::string summed(const std::string& lines) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char byte : lines) sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  char text[40];
  std::snprintf(text, sizeof text, "sum %016llx\n", static_cast<unsigned long long>(sum));
  return lines + text;
}

TEST(ClientState, has_one_line_for_each_thing) { EXPECT_EQ(to_text(example()), summed(example_lines)); }

TEST(ClientState, is_read_as_it_was_written) {
  EXPECT_EQ(parse_client_state(to_text(example()), MethodCatalogue()), example());
  ClientState without = example();
  without.log.identity.reset();
  without.peers.clear();
  EXPECT_EQ(parse_client_state(to_text(without), MethodCatalogue()), without);
  EXPECT_EQ(parse_client_state(to_text(ClientState()), MethodCatalogue()), ClientState());
}

TEST(ClientState, is_read_with_the_methods_that_the_program_knows_now) {
  MethodCatalogue catalogue;
  ASSERT_FALSE(catalogue.add("9:nine:fixed:4"));
  const Offer offer =
      parse_client_state(to_text(example()), catalogue).peers.at(parse_address("10.0.0.9").value());
  EXPECT_EQ(catalogue.describe(offer.methods), "tcp:1 tcp:2 nine:0000000a");
  EXPECT_EQ(offer.unknown, "");
}

TEST(ClientState, that_is_cut_off_anywhere_is_refused) {
  const std::string text = to_text(example());
  for (std::size_t size = 0; size < text.size(); ++size)
    ASSERT_TRUE(problem_of(text.substr(0, size)).starts_with("E715 ")) << size;
}

TEST(ClientState, that_has_another_byte_anywhere_is_refused) {
  const std::string text = to_text(example());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = changed[at] == '1' ? '2' : '1';
    ASSERT_TRUE(problem_of(changed).starts_with("E715 ")) << at;
  }
}

TEST(ClientState, of_another_program_or_a_later_format_is_told_apart) {
  EXPECT_EQ(problem_of("# a file\n"), "E715 it does not begin as the state of a client does");
  EXPECT_EQ(problem_of("lekt-state 2\nsomething else\n"),
            "E715 it has the format 2, and this program knows 1");
  EXPECT_EQ(problem_of("lekt-state 1\nserver"), "E715 it is cut off");
}

TEST(ClientState, whose_sum_is_right_is_read_as_strictly) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string lines = example_lines;
    return problem_of(summed(lines.replace(lines.find(from), from.size(), to)));
  };
  EXPECT_EQ(with("tim", "tim"), "");
  EXPECT_EQ(with("address 10.0.0.1", "address 10.0.0"), "E715 line 3 is not what this program writes there");
  EXPECT_EQ(with("identity ab", "identity a"), "E715 line 4 is not what this program writes there");
  EXPECT_EQ(with("peers 3", "peers 2"), "E715 it has more lines than it says");
  EXPECT_EQ(with("peers 3", "peers 4"), "E715 line 10 is not what this program writes there");
  EXPECT_EQ(with("10.0.0.8 -", "10.0.0.7 -"), "E715 line 8 is not what this program writes there");
  EXPECT_EQ(with("10.0.0.8 -", "0.0.0.0 -"), "E715 line 8 is not what this program writes there");
  EXPECT_EQ(with("00001ed2", "00000000"),
            "E715 10.0.0.7: port 0 of method 1 (tcp) is not a port; 1 to 65535 would be right");
}

}  // namespace
}  // namespace lekt::test

// The datagrams of device sessions against the bytes of the document, cut at every byte, and with every byte changed to
// every other value. What is wrong with single fields is in device_faults_test.cc.
#include "common/device_packets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/annotate_datagram.h"
#include "common/device_items.h"
#include "common/text.h"
#include "tests/common/device_examples.h"
#include "tests/common/documented.h"
#include "tests/support/datagrams.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using test::datagram_example;
using test::datagram_examples;
using test::DatagramExample;
using test::DatagramRoundTrip;
using test::device_protocol_document;
using test::example_registration;

DatagramRoundTrip round_trip(const DatagramExample& example, ByteView datagram) {
  return test::round_trip_datagram_guarded(example.direction, datagram);
}

/// Right and written back as it was, or refused with a reason of one line.
void expect_sound_datagram(const DatagramExample& example, const Bytes& datagram) {
  for (const Direction direction : {Direction::to_server, Direction::to_client})
    EXPECT_TRUE(test::keeps_the_law(datagram, test::round_trip_datagram_guarded(direction, datagram)))
        << example.name << " " << to_hex(datagram);
}

/// Where the example may end as well: before each item and each rule, and anywhere in a text.
bool may_end_at(const DatagramExample& example, std::size_t size) {
  const auto is_one_of = [&](std::initializer_list<std::size_t> sizes) {
    return std::ranges::find(sizes, size) != sizes.end();
  };
  if (example.name == "screen") return is_one_of({24, 27, 31, 48, 52, 56, 65, 75});
  if (example.name == "input") return is_one_of({28, 31, 34});
  if (example.name == "set_device_config") return is_one_of({44, 52, 60, 68});
  if (example.name.starts_with("device_config")) return size >= 40;
  return example.name.starts_with("failure") && size >= 24;
}

class EveryDatagram : public testing::TestWithParam<DatagramExample> {};

TEST_P(EveryDatagram, is_written_as_its_golden_bytes) {
  EXPECT_EQ(to_hex(GetParam().built), to_hex(GetParam().bytes));
}

TEST_P(EveryDatagram, has_its_golden_bytes_in_the_document) {
  const std::string documented = test::documented_example(device_protocol_document, GetParam().name);
  EXPECT_EQ(to_hex(test::bytes_of_annotation(documented)), to_hex(GetParam().bytes));
}

TEST_P(EveryDatagram, is_annotated_in_the_document_as_the_program_does_it) {
  const DatagramAnnotation annotation = annotate_datagram(GetParam().bytes, GetParam().direction);
  EXPECT_TRUE(annotation.complete);
  EXPECT_EQ(annotation.text, test::documented_example(device_protocol_document, GetParam().name));
}

TEST_P(EveryDatagram, is_read_and_written_again) {
  const DatagramRoundTrip result = round_trip(GetParam(), GetParam().bytes);
  EXPECT_TRUE(result.has_head);
  EXPECT_EQ(result.fault, "");
  EXPECT_EQ(to_hex(result.encoded.value_or("")), to_hex(GetParam().bytes));
}

TEST_P(EveryDatagram, is_never_fragmented) { EXPECT_LE(GetParam().bytes.size(), limits::datagram_bytes_max); }

TEST_P(EveryDatagram, is_none_when_it_is_cut_off) {
  for (std::size_t size = 0; size < GetParam().bytes.size(); ++size) {
    const DatagramRoundTrip result = round_trip(GetParam(), ByteView(GetParam().bytes).substr(0, size));
    EXPECT_EQ(result.encoded.has_value(), may_end_at(GetParam(), size)) << size << " bytes";
    EXPECT_FALSE(result.has_head && size < limits::datagram_head_bytes) << size << " bytes";
  }
}

TEST_P(EveryDatagram, has_no_byte_too_many) {
  const bool takes_any_text = GetParam().name.starts_with("failure");
  EXPECT_EQ(round_trip(GetParam(), GetParam().bytes + "\xff").encoded.has_value(), takes_any_text);
}

TEST_P(EveryDatagram, with_every_other_value_of_every_byte_is_read_faithfully_or_refused) {
  Bytes bytes = GetParam().bytes;
  for (char& byte : bytes) {
    const char original = byte;
    for (int value = 0; value < 256; ++value) {
      byte = static_cast<char>(value);
      expect_sound_datagram(GetParam(), bytes);
    }
    byte = original;
  }
}

TEST_P(EveryDatagram, changed_at_random_is_read_faithfully_or_refused) {
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes = GetParam().bytes;
    for (std::uint64_t changes = random.below(4); changes > 0; --changes)
      random.pick(bytes) = static_cast<char>(random.below(random.chance(50) ? 8 : 256));
    if (random.chance(30)) bytes.resize(random.below(bytes.size() + 1));
    if (random.chance(30)) bytes += random.bytes(random.below(1200));
    expect_sound_datagram(GetParam(), bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Device, EveryDatagram, testing::ValuesIn(datagram_examples()),
                         [](const auto& instance) { return instance.param.name; });

TEST(DeviceExamples, of_the_document_are_all_checked) {
  std::vector<std::string> checked;
  for (const DatagramExample& example : datagram_examples()) checked.push_back(example.name);
  std::ranges::sort(checked);
  EXPECT_EQ(test::documented_example_names(device_protocol_document), checked);
}

TEST(DeviceExamples, have_every_type_of_each_direction) {
  std::string to_server, to_device;
  for (const DatagramExample& example : datagram_examples())
    (example.direction == Direction::to_server ? to_server : to_device) += example.bytes.at(4);
  for (const char letter : std::string_view("CGDMNB"))
    EXPECT_NE(to_server.find(letter), std::string::npos) << letter;
  for (const char letter : std::string_view("PYQSEMF"))
    EXPECT_NE(to_device.find(letter), std::string::npos) << letter;
}

TEST(DevicePackets, no_answer_to_a_stranger_is_larger_than_what_it_answers) {
  const auto size = [](std::string_view name) { return datagram_example(name).bytes.size(); };
  EXPECT_LE(size("connection_accept"), size("connection_request"));
  EXPECT_LE(size("failure_of_a_request"), size("connection_request"));
  EXPECT_LE(size("registration_accept"), size("registration_request"));
  EXPECT_LE(size("failure_of_a_stray"), size("acknowledgment"));
}

TEST(DevicePackets, the_head_carries_what_it_says) {
  Bytes bytes = datagram_example("input").bytes;
  bytes[5] = 1;
  bytes[6] = 2;
  bytes[7] = 3;
  const auto head = read_head_to_server(bytes);
  ASSERT_TRUE(head);
  EXPECT_EQ(*head, (DatagramHead{DatagramType::message, {1, 2, 3}, example_registration, 2, 4}));
}

TEST(DevicePackets, bodies_carry_what_they_say) {
  const auto read_to_server = [](std::string_view name) {
    const Bytes& bytes = datagram_example(name).bytes;
    return std::get<BodyToServer>(read_body_to_server(read_head_to_server(bytes).value(), bytes));
  };
  const auto read_to_device = [](std::string_view name) {
    const Bytes& bytes = datagram_example(name).bytes;
    return std::get<BodyToDevice>(read_body_to_device(read_head_to_device(bytes).value(), bytes));
  };
  EXPECT_EQ(std::get<ConnectionAccept>(read_to_device("connection_accept")).port, 5007);
  EXPECT_EQ(std::get<ConnectionAccept>(read_to_device("connection_accept")).token,
            std::get<RegistrationRequest>(read_to_server("registration_request")).token);
  EXPECT_EQ(std::get<DeviceConfig>(read_to_server("device_config")).ticket, no_ticket);
  EXPECT_EQ(std::get<DeviceConfig>(read_to_server("device_config_resume")).ticket,
            std::get<SetDeviceConfig>(read_to_device("set_device_config")).ticket);
  EXPECT_EQ(std::get<SetTime>(read_to_device("set_time")), (SetTime{1264408183, 248, 0}));
  EXPECT_EQ(std::get<InputMessage>(read_to_server("input")).input, 1u);
  EXPECT_TRUE(std::get<ScreenMessage>(read_to_device("are_you_there")).items.empty());
  EXPECT_EQ(std::get<DeviceFailure>(read_to_device("failure_that_ends")).text,
            "eSP0008 could not get the device config");
}

TEST(DevicePackets, a_message_means_something_else_in_each_direction) {
  const Bytes screen = datagram_example("screen").bytes;
  const Bytes input = datagram_example("input").bytes;
  EXPECT_FALSE(test::round_trip_datagram(Direction::to_server, screen).encoded);
  EXPECT_FALSE(test::round_trip_datagram(Direction::to_client, input).encoded);
}

TEST(DevicePackets, a_body_of_the_other_direction_is_a_fault) {
  const Bytes bye = datagram_example("bye").bytes;
  EXPECT_EQ(std::get<std::string>(read_body_to_device(read_head_to_server(bye).value(), bye)),
            "this side takes no datagram of such a type");
}

TEST(DevicePackets, the_type_in_the_head_is_that_of_the_body) {
  DatagramHead head{DatagramType::bye, version_spoken, 7, 0, 0};
  EXPECT_EQ(encode_datagram(head, Acknowledgment{}).at(4), 'N');
}

TEST(DevicePackets, what_is_acknowledged_can_be_said_anew) {
  Bytes bytes = datagram_example("screen").bytes;
  const DatagramHead before = read_head_to_device(bytes).value();
  set_acknowledged(bytes, 0x01020304);
  DatagramHead expected = before;
  expected.acknowledged = 0x01020304;
  EXPECT_EQ(read_head_to_device(bytes), expected);
  set_acknowledged(bytes, before.acknowledged);
  EXPECT_EQ(bytes, datagram_example("screen").bytes) << "nothing else has changed";
}

TEST(DevicePackets, a_failure_is_cut_at_a_character) {
  const Rejection rejection{ErrorCode::host_unreachable, "caf\u00e9 \u20ac"};  // c a f é(2) space €(3)
  const std::size_t kept[] = {0, 1, 2, 3, 3, 5, 6, 6, 6, 9, 9};
  for (std::size_t room = 0; room < std::size(kept); ++room) {
    const Bytes bytes = encode_failure(example_registration, rejection, limits::datagram_head_bytes + room);
    const DatagramHead head = read_head_to_device(bytes).value();
    EXPECT_EQ(head.number, 909u);
    const auto body = std::get<BodyToDevice>(read_body_to_device(head, bytes));
    EXPECT_EQ(std::get<DeviceFailure>(body).text, rejection.message.substr(0, kept[room])) << room;
  }
}

TEST(DevicePackets, a_failure_of_any_length_fits_a_datagram) {
  const Rejection rejection{ErrorCode::host_unreachable, std::string(5000, 'x')};
  EXPECT_EQ(encode_failure(example_registration, rejection).size(), limits::datagram_bytes_max);
}

TEST(DevicePackets, the_largest_messages_fit_a_datagram) {
  DatagramHead head{{}, version_spoken, 1, 1, 0};
  const Bytes screen(limits::screen_items_bytes_max, BellItem::kind);
  EXPECT_EQ(encode_datagram(head, ScreenMessage{screen}).size(), limits::datagram_bytes_max);
  Bytes input;
  while (input.size() + 3 <= limits::input_items_bytes_max) append_item(input, KeyItem{});
  EXPECT_LE(encode_datagram(head, InputMessage{1, input}).size(), limits::datagram_bytes_max);
  const Bytes string(limits::device_string_bytes_max, 'x');
  const Bytes longest = encode_datagram(head, DeviceConfig{no_ticket, string});
  EXPECT_TRUE(test::round_trip_datagram(Direction::to_server, longest).encoded);
}

TEST(DevicePackets, rules_are_visited_in_their_order_and_need_not_be_known) {
  Bytes rules;
  append_rule(rules, DeviceRule::keyboard_timeout, 300);
  append_rule(rules, static_cast<DeviceRule>(4711), 0xffffffff);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
  for_each_rule(rules, [&](DeviceRule rule, std::uint32_t value) {
    seen.emplace_back(static_cast<std::uint32_t>(rule), value);
  });
  EXPECT_EQ(seen, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 300}, {4711, 0xffffffff}}));
}

TEST(DevicePackets, rules_have_names) {
  for (std::uint32_t rule = 1; rule <= 7; ++rule)
    EXPECT_NE(rule_name(static_cast<DeviceRule>(rule)), "") << rule;
  EXPECT_EQ(rule_name(DeviceRule::keep_alive), "keep-alive, s");
  EXPECT_EQ(rule_name(static_cast<DeviceRule>(0)), "");
  EXPECT_EQ(rule_name(static_cast<DeviceRule>(8)), "");
}

}  // namespace
}  // namespace lekt

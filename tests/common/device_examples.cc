#include "tests/common/device_examples.h"

#include <algorithm>
#include <stdexcept>

#include "common/device_items.h"
#include "tests/support/support.h"

namespace lekt::test {

namespace {

constexpr std::string_view example_string =
    "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~0015708E863F~640~6006~1~20100118100852~S~WindowsCE   "
    "   ~2~01~0~";

template <std::size_t size>
std::array<char, size> array_of(std::string_view digits) {
  const Bytes bytes = hex(digits);
  std::array<char, size> array;
  std::ranges::copy(bytes, array.begin());
  return array;
}

const Token example_token = array_of<16>("4b5d5676 74c4b0df dfcd4b77 5135261f");
const Ticket example_ticket = array_of<16>("a0a1a2a3 a4a5a6a7 a8a9aaab acadaeaf");

Bytes example_rules() {
  Bytes rules;
  append_rule(rules, DeviceRule::keyboard_timeout, 300);
  append_rule(rules, DeviceRule::backlight_timeout, 60);
  append_rule(rules, DeviceRule::encryption, 0);
  append_rule(rules, DeviceRule::sessions, 1);
  return rules;
}

/// The selection of a host on a screen of 16 rows and 26 columns.
Bytes example_screen() {
  Bytes items;
  append_item(items, SizeItem{16, 26});
  append_item(items, StyleItem{style::reverse, 0, 0});
  append_item(items, TextItem{0, 0, "Select a host"});
  append_item(items, BlanksItem{0, 13, 13});
  append_item(items, StyleItem{});
  append_item(items, TextItem{2, 0, "1 wms"});
  append_item(items, TextItem{3, 0, "2 mail"});
  append_item(items, CursorItem{5, 0, true});
  return items;
}

/// "1", enter, and ctrl-c.
Bytes example_input() {
  Bytes items;
  append_item(items, TypedItem{"1"});
  append_item(items, KeyItem{Key::enter, 0});
  append_item(items, ChordItem{modifiers::control, U'c'});
  return items;
}

/// A datagram with this number and acknowledgment.
template <class Body>
Bytes datagram(std::uint32_t number, std::uint32_t acknowledged, const Body& body) {
  return encode_datagram({{}, version_spoken, example_registration, number, acknowledged}, body);
}

Bytes failure_of(ErrorCode code, std::string text, std::size_t bytes_max = limits::datagram_bytes_max) {
  return encode_failure(example_registration, {code, std::move(text)}, bytes_max);
}

std::vector<DatagramExample> make_datagram_examples() {
  using enum Direction;
  return {
      {"connection_request", to_server,
       hex("4c454b54 43000000 "
           "01234567 89abcdef 00000000 00000000 "
           "00000000 00000000 00000000 00000000 "
           "00000000 00000000 00000000 00000000 00000000 00000000"),
       datagram(0, 0, ConnectionRequest{})},
      {"connection_accept", to_client,
       hex("4c454b54 50000000 "
           "01234567 89abcdef 00000000 00000000 "
           "138f0000 4b5d5676 74c4b0df dfcd4b77 5135261f"),
       datagram(0, 0, ConnectionAccept{5007, example_token})},
      {"registration_request", to_server,
       hex("4c454b54 47000000 "
           "01234567 89abcdef 00000000 00000000 "
           "4b5d5676 74c4b0df dfcd4b77 5135261f "
           "00000000 00000000 00000000 00000000 00000000 00000000"),
       datagram(0, 0, RegistrationRequest{example_token})},
      {"registration_accept", to_client,
       hex("4c454b54 59000000 "
           "01234567 89abcdef 00000000 00000000"),
       datagram(0, 0, RegistrationAccept{})},
      {"get_device_config", to_client,
       hex("4c454b54 51000000 "
           "01234567 89abcdef 00000001 00000000"),
       datagram(1, 0, GetDeviceConfig{})},
      {"device_config", to_server,
       hex("4c454b54 44000000 "
           "01234567 89abcdef 00000001 00000001 "
           "00000000 00000000 00000000 00000000 "
           "41427e30 30317e31 397e3030 307e5044 54393039 305f4535 7e31367e "
           "32367e30 397e3031 7e303130 377e3030 30307e30 30307e30 30313537 "
           "30384538 3633467e 3634307e 36303036 7e317e32 30313030 31313831 "
           "30303835 327e537e 57696e64 6f777343 45202020 2020207e 327e3031 7e307e"),
       datagram(1, 1, DeviceConfig{no_ticket, example_string})},
      {"set_device_config", to_client,
       hex("4c454b54 53000000 "
           "01234567 89abcdef 00000002 00000001 "
           "a0a1a2a3 a4a5a6a7 a8a9aaab acadaeaf "
           "00000000 "
           "00000001 0000012c 00000002 0000003c "
           "00000003 00000000 00000004 00000001"),
       datagram(2, 1, SetDeviceConfig{example_ticket, 0, example_rules()})},
      {"set_time", to_client,
       hex("4c454b54 45000000 "
           "01234567 89abcdef 00000003 00000001 "
           "00000000 4b5d5677 000000f8 00000000"),
       datagram(3, 1, SetTime{1264408183, 248, 0})},
      {"screen", to_client,
       hex("4c454b54 4d000000 "
           "01234567 89abcdef 00000004 00000001 "
           "01101a "
           "02080000 "
           "0300000d 53656c65 63742061 20686f73 74 "
           "04000d0d "
           "02000000 "
           "03020005 3120776d 73 "
           "03030006 32206d61 696c "
           "05050001"),
       datagram(4, 1, ScreenMessage{example_screen()})},
      {"acknowledgment", to_server,
       hex("4c454b54 4e000000 "
           "01234567 89abcdef 00000000 00000004"),
       datagram(0, 4, Acknowledgment{})},
      {"input", to_server,
       hex("4c454b54 4d000000 "
           "01234567 89abcdef 00000002 00000004 "
           "00000001 "
           "010131 "
           "020100 "
           "03040000 0063"),
       datagram(2, 4, InputMessage{1, example_input()})},
      {"are_you_there", to_client,
       hex("4c454b54 4d000000 "
           "01234567 89abcdef 00000005 00000002"),
       datagram(5, 2, ScreenMessage{})},
      {"device_config_resume", to_server,
       hex("4c454b54 44000000 "
           "01234567 89abcdef 00000001 00000001 "
           "a0a1a2a3 a4a5a6a7 a8a9aaab acadaeaf "
           "41427e30 30317e31 397e3030 307e5044 54393039 305f4535 7e31367e "
           "32367e30 397e3031 7e303130 377e3030 30307e30 30307e30 30313537 "
           "30384538 3633467e 3634307e 36303036 7e317e32 30313030 31313831 "
           "30303835 327e537e 57696e64 6f777343 45202020 2020207e 327e3031 7e307e"),
       datagram(1, 1, DeviceConfig{example_ticket, example_string})},
      {"bye", to_server,
       hex("4c454b54 42000000 "
           "01234567 89abcdef 00000000 00000000"),
       datagram(0, 0, Bye{})},
      {"failure_that_ends", to_client,
       hex("4c454b54 46000000 "
           "01234567 89abcdef 0000038c 00000000 "
           "65535030 30303820 636f756c 64206e6f 74206765 74207468 65206465 76696365 20636f6e 666967"),
       failure_of(ErrorCode::device_config_missing, "eSP0008 could not get the device config")},
      {"failure_of_a_request", to_client,
       hex("4c454b54 46000000 "
           "01234567 89abcdef 00000387 00000000 "
           "6e6f2070 6f727420 69732066 7265653b 20747279 20616761 696e206c 61746572"),
       failure_of(ErrorCode::ports_exhausted, "no port is free; try again later",
                  limits::device_request_bytes)},
      {"failure_of_a_stray", to_client,
       hex("4c454b54 46000000 "
           "01234567 89abcdef 00000389 00000000"),
       failure_of(ErrorCode::registration_unknown, "register again", limits::datagram_head_bytes)},
  };
}

}  // namespace

const std::vector<DatagramExample>& datagram_examples() {
  static const std::vector<DatagramExample> examples = make_datagram_examples();
  return examples;
}

const DatagramExample& datagram_example(std::string_view name) {
  const auto found = std::ranges::find(datagram_examples(), name, &DatagramExample::name);
  if (found == datagram_examples().end())
    throw std::runtime_error("there is no datagram example " + std::string(name));
  return *found;
}

}  // namespace lekt::test

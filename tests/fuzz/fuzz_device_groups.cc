#include <algorithm>
#include <variant>
#include <vector>

#include "common/device_string.h"
#include "common/printable.h"
#include "devices/group_syntax.h"
#include "tests/fuzz/fuzzers.h"

namespace lekt::fuzz {

namespace {

template <class Setting>
using Parse = std::variant<Setting, std::string> (*)(std::string_view text);

void expect_group_fault(const std::string& fault) {
  require(fault.starts_with("device ") || fault.starts_with("two device ") || fault.starts_with("there are "),
          "a fault says what it is about");
  require(fault.size() <= 1000 && is_plain_text(fault), "a fault is one line that cannot control a terminal");
}

/// What is taken is written as something that is read as the same, and written the same again.
template <class Setting>
void take_line(Parse<Setting> parse, std::string_view line, std::vector<Setting>& taken) {
  auto parsed = parse(line);
  if (const auto* fault = std::get_if<std::string>(&parsed)) return expect_group_fault(*fault);
  const Setting& setting = std::get<Setting>(parsed);
  const std::string written = to_string(setting);
  const auto again = parse(written);
  require(std::holds_alternative<Setting>(again) && std::get<Setting>(again) == setting,
          "what is written is read as the same");
  taken.push_back(setting);
}

void expect_match(const DeviceGroups& groups, Address address, std::string_view type) {
  const auto chosen = groups.match(address, type);
  require(chosen != nullptr, "everybody has a group");
  require(chosen->group.from.contains(address) && fits_type(chosen->group.type, type), "a group fits");
  const Bytes rules = encode_rules(chosen->group, true);
  require(rules.size() >= 16 && rules.size() <= 56 && rules.size() % 8 == 0, "two to seven rules");
  for (const auto& offer : groups.all()) {
    const DeviceGroup& group = offer->group;
    if (group.from != chosen->group.from && group.from.contains(address) && fits_type(group.type, type))
      require(group.from.size() > chosen->group.from.size(), "no other group that fits is closer");
  }
}

}  // namespace

void fuzz_device_groups(ByteView input) {
  std::vector<DeviceGroup> groups;
  std::vector<DeviceHost> hosts;
  std::string_view last;
  while (!input.empty()) {
    last = input.substr(0, input.find('\n'));
    take_line<DeviceGroup>(parse_device_group, last, groups);
    take_line<DeviceHost>(parse_device_host, last, hosts);
    input.remove_prefix(std::min(last.size() + 1, input.size()));
  }
  const auto made = DeviceGroups::make(groups, hosts);
  if (const auto* fault = std::get_if<std::string>(&made)) return expect_group_fault(*fault);
  const auto& all = std::get<DeviceGroups>(made);
  for (const DeviceGroup& group : groups) {
    expect_match(all, group.from.first(), last);
    expect_match(all, group.from.last(), group.type);
  }
  expect_match(all, Address(), last);
}

}  // namespace lekt::fuzz

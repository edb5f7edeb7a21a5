#include "devices/groups.h"

#include <algorithm>
#include <utility>

#include "common/device_packets.h"
#include "common/device_string.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt {

namespace {

DeviceGroup default_group() {
  DeviceGroup group;
  group.name = default_group_name;
  return group;
}

/// How many characters of a pattern are no wildcards.
std::size_t exact_characters(std::string_view pattern) {
  return static_cast<std::size_t>(
      std::ranges::count_if(pattern, [](char c) { return c != '*' && c != '?'; }));
}

/// Whether the first block is a part of the second, and not all of it. Of two blocks that have the same address, one is
/// in the other, so this compares their prefixes whatever the family of the address is.
bool is_inside(const Block& part, const Block& whole) {
  return part != whole && whole.contains(part.first()) && whole.contains(part.last());
}

bool is_closer(const DeviceGroup& group, const DeviceGroup& other) {
  if (group.from != other.from) return is_inside(group.from, other.from);
  return exact_characters(group.type) > exact_characters(other.type);
}

/// A name that more than one of them has; nothing if there is none.
template <class Named>
std::optional<std::string> repeated_name(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& named : all) names.push_back(named.name);
  std::ranges::sort(names);
  const auto repeated = std::ranges::adjacent_find(names);
  return repeated == names.end() ? std::nullopt : std::optional(*repeated);
}

std::vector<std::string> names_of(const std::vector<DeviceHost>& hosts) {
  std::vector<std::string> names;
  for (const DeviceHost& host : hosts) names.push_back(host.name);
  return names;
}

std::string no_such_host(const DeviceGroup& group, const std::string& name,
                         const std::vector<DeviceHost>& hosts) {
  const std::string meant = closest(name, names_of(hosts));
  return "device group '" + printable(group.name) + "': hosts has '" + printable(name) +
         "', but there is no such device host; " +
         (meant.empty() ? "--device-host says which there are" : "did you mean " + meant + "?");
}

/// The hosts that a group offers, or what is wrong with their names.
std::variant<std::vector<DeviceHost>, std::string> hosts_of(const DeviceGroup& group,
                                                            const std::vector<DeviceHost>& hosts) {
  if (group.hosts.empty()) return hosts;
  std::vector<DeviceHost> offered;
  for (const std::string& name : group.hosts) {
    const auto found = std::ranges::find(hosts, name, &DeviceHost::name);
    if (found == hosts.end()) return no_such_host(group, name, hosts);
    offered.push_back(*found);
  }
  return offered;
}

/// What is wrong with groups and hosts together, though each is right by itself; nothing if they fit.
std::optional<std::string> fault_of(const std::vector<DeviceGroup>& groups,
                                    const std::vector<DeviceHost>& hosts) {
  if (groups.size() > limits::device_groups_max)
    return "there are " + std::to_string(groups.size()) + " device groups; at most " +
           std::to_string(limits::device_groups_max) + " are allowed";
  if (hosts.size() > limits::device_hosts_max)
    return "there are " + std::to_string(hosts.size()) + " device hosts; at most " +
           std::to_string(limits::device_hosts_max) + " are allowed";
  if (const auto name = repeated_name(groups))
    return "two device groups are named '" + printable(*name) + "'; each needs a name of its own";
  if (const auto name = repeated_name(hosts))
    return "two device hosts are named '" + printable(*name) + "'; each needs a name of its own";
  return std::nullopt;
}

void add_rule(ByteWriter& writer, DeviceRule rule, std::uint32_t value) {
  writer.u32(static_cast<std::uint32_t>(rule));
  writer.u32(value);
}

void add_rule(ByteWriter& writer, DeviceRule rule, const std::optional<std::chrono::seconds>& value) {
  if (value) add_rule(writer, rule, static_cast<std::uint32_t>(value->count()));
}

void add_rule(ByteWriter& writer, DeviceRule rule, const std::optional<bool>& value) {
  if (value) add_rule(writer, rule, *value ? 1u : 0u);
}

}  // namespace

std::string full_name(const DeviceHost& host) {
  return host.name + " (" + host.host + ":" + std::to_string(host.port) + ")";
}

Bytes encode_rules(const DeviceGroup& group, bool encrypted) {
  Bytes rules;
  ByteWriter writer(rules);
  add_rule(writer, DeviceRule::keyboard_timeout, group.keyboard_timeout);
  add_rule(writer, DeviceRule::backlight_timeout, group.backlight_timeout);
  add_rule(writer, DeviceRule::encryption, encrypted ? 1u : 0u);
  add_rule(writer, DeviceRule::sessions, group.sessions);
  add_rule(writer, DeviceRule::headless, group.headless);
  add_rule(writer, DeviceRule::voice, group.voice);
  add_rule(writer, DeviceRule::keep_alive, group.keep_alive);
  return rules;
}

DeviceGroups::DeviceGroups()
    : DeviceGroups(std::vector{std::make_shared<const Offer>(Offer{default_group(), {}})}) {}

DeviceGroups::DeviceGroups(std::vector<std::shared_ptr<const Offer>> offers) : offers_(std::move(offers)) {
  const auto is_default = [](const auto& offer) { return offer->group.name == default_group_name; };
  default_ = *std::ranges::find_if(offers_, is_default);
}

std::variant<DeviceGroups, std::string> DeviceGroups::make(const std::vector<DeviceGroup>& groups,
                                                           const std::vector<DeviceHost>& hosts) {
  if (const auto fault = fault_of(groups, hosts)) return *fault;
  std::vector<DeviceGroup> all = groups;
  if (std::ranges::find(all, default_group_name, &DeviceGroup::name) == all.end())
    all.push_back(default_group());
  std::vector<std::shared_ptr<const Offer>> offers;
  for (const DeviceGroup& group : all) {
    auto offered = hosts_of(group, hosts);
    if (const auto* fault = std::get_if<std::string>(&offered)) return *fault;
    offers.push_back(
        std::make_shared<const Offer>(Offer{group, std::get<std::vector<DeviceHost>>(std::move(offered))}));
  }
  return DeviceGroups(std::move(offers));
}

std::shared_ptr<const DeviceGroups::Offer> DeviceGroups::match(Address address, std::string_view type) const {
  std::shared_ptr<const Offer> best;
  for (const auto& offer : offers_) {
    const DeviceGroup& group = offer->group;
    if (!group.from.contains(address) || !fits_type(group.type, type)) continue;
    if (best == nullptr || is_closer(group, best->group)) best = offer;
  }
  return best == nullptr ? default_ : best;
}

}  // namespace lekt

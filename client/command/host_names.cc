#include "client/command/host_names.h"

#include <algorithm>
#include <set>

#include "common/text.h"

namespace lekt::command {

namespace {

constexpr std::string_view domain = ".lekt";
constexpr std::size_t label_bytes_max = 63;
constexpr std::size_t host_name_bytes_max = 253;

bool is_label(std::string_view label) {
  const auto allowed = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
  };
  return !label.empty() && label.size() <= label_bytes_max && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, allowed);
}

}  // namespace

std::optional<std::string> host_name(std::string_view name) {
  const std::string host = lower_case(name).append(domain);
  if (host.size() > host_name_bytes_max) return std::nullopt;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return std::nullopt;
    if (dot == rest.npos) return host;
    rest.remove_prefix(dot + 1);
  }
}

HostNames::HostNames(const Peers& peers) {
  std::map<std::string, std::set<Address>> owners;
  for (const auto& [address, offer] : peers)
    for (const std::string& name : names_in(offer.methods))
      if (auto host = host_name(name)) owners[*std::move(host)].insert(address);
  for (const auto& [host, addresses] : owners)
    if (addresses.size() == 1) names_[*addresses.begin()].push_back(host);
}

std::string HostNames::of(Address address) const {
  std::string text;
  const auto found = names_.find(address);
  if (found == names_.end()) return text;
  for (const std::string& host : found->second) text += ' ' + host;
  return text;
}

}  // namespace lekt::command

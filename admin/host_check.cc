#include "admin/host_check.h"

#include <algorithm>
#include <cctype>

#include "common/address.h"

namespace lekt::admin {

namespace {

bool is_port(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// An IPv6 address in brackets cannot be a name, whatever its digits are.
bool is_bracketed_address(std::string_view host) {
  const auto closing = host.find(']');
  if (!host.starts_with('[') || closing == host.npos) return false;
  const std::string_view rest = host.substr(closing + 1);
  return rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)));
}

}  // namespace

bool is_own_host(std::string_view host, std::span<const std::string> names) {
  if (host.empty() || is_bracketed_address(host)) return true;
  const auto colon = host.rfind(':');
  if (colon != host.npos && !is_port(host.substr(colon + 1))) return false;
  std::string name(host.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "localhost" || parse_address(name) || std::ranges::find(names, name) != names.end();
}

}  // namespace lekt::admin

#include "client/server_name.h"

#include <algorithm>

#include "common/errors.h"
#include "common/parse_number.h"
#include "common/text.h"

namespace lekt {

namespace {

constexpr std::size_t host_bytes_max = 253;  // what DNS allows

bool is_host(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !text.empty() && text.size() <= host_bytes_max && std::ranges::all_of(text, allowed);
}

[[noreturn]] void refuse(std::string_view text, const std::string& reason) {
  throw CodedError(ErrorCode::usage_wrong, "server \"" + escape(text) + "\": " + reason);
}

}  // namespace

ServerName parse_server_name(std::string_view text) {
  if (text.starts_with('[') || std::ranges::count(text, ':') > 1)
    refuse(
        text,
        "IPv6 is not possible, since the protocol names clients by IPv4 addresses; give HOST or HOST:PORT");
  const std::size_t colon = text.find(':');
  ServerName server;
  server.host = text.substr(0, colon);
  if (!is_host(server.host))
    refuse(text, "HOST or HOST:PORT is expected, for example 10.0.0.1 or coordinator:7890");
  if (colon == text.npos) return server;
  server.port = parse_number<std::uint16_t>(text.substr(colon + 1)).value_or(0);
  if (server.port == 0) refuse(text, "the port must be a number from 1 to 65535");
  return server;
}

std::string to_string(const ServerName& server) { return server.host + ":" + std::to_string(server.port); }

}  // namespace lekt

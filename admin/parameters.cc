#include "admin/parameters.h"

#include <charconv>

#include "common/text.h"
#include "control/time.h"

namespace lekt::admin {

std::optional<std::string> Parameters::text(const std::string& name) {
  known_.insert(name);
  const auto found = request_.parameters.find(name);
  return found == request_.parameters.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> Parameters::number(const std::string& name, std::uint64_t least,
                                                std::uint64_t most) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  std::uint64_t parsed = 0;
  const char* last = given->data() + given->size();
  const auto [end, error] = std::from_chars(given->data(), last, parsed);
  if (error == std::errc() && end == last && parsed >= least && parsed <= most) return parsed;
  refuse(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<Ipv4Address> Parameters::address(const std::string& name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = parse_ipv4(*given);
  if (!parsed) refuse(name, "an IPv4 address such as 10.0.0.7");
  return parsed;
}

std::optional<Cidr> Parameters::block(const std::string& name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = parse_cidr(*given);
  if (!parsed) refuse(name, "an IPv4 address or a block without bits behind its prefix, such as 10.0.0.0/8");
  return parsed;
}

std::optional<std::int64_t> Parameters::time(const std::string& name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = control::parse_iso(*given);
  if (!parsed) refuse(name, "a time such as 2026-01-02T11:00:00Z");
  return parsed;
}

void Parameters::refuse(const std::string& name, const std::string& allowed) {
  if (!wrong_)
    wrong_ = "parameter " + name + " is " + quote_if_needed(text(name).value_or("")) + ", and has to be " +
             allowed;
}

std::optional<std::string> Parameters::wrong() const {
  if (wrong_) return wrong_;
  for (const auto& [name, value] : request_.parameters)
    if (!known_.contains(name)) return "there is no parameter " + quote_if_needed(name) + " here";
  return std::nullopt;
}

}  // namespace lekt::admin

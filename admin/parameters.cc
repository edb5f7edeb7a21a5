#include "admin/parameters.h"

#include "common/calendar.h"
#include "common/parse_number.h"
#include "common/text.h"

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
  const auto parsed = parse_number<std::uint64_t>(*given);
  if (parsed && *parsed >= least && *parsed <= most) return parsed;
  refuse(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<Address> Parameters::address(const std::string& name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = parse_address(*given);
  if (!parsed) refuse(name, "an IPv4 address such as 10.0.0.7");
  return parsed;
}

std::optional<Block> Parameters::block(const std::string& name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = parse_block(*given);
  if (!parsed) refuse(name, expected_block(*given));
  return parsed;
}

std::optional<std::int64_t> Parameters::time(const std::string& name) {
  const auto given = text(name);
  if (!given) return std::nullopt;
  const auto parsed = parse_iso(*given);
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

#include "server/operators/json.h"

#include <algorithm>

#include "common/calendar.h"
#include "common/parse_number.h"
#include "common/printable.h"

namespace lekt {

std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json to_json(Address address) { return to_string(address); }
Json to_json(const Block& block) { return to_short_string(block); }
Json to_json(ErrorCode code) { return code_text(code); }
Json to_json(UpdateKind kind) { return kind == UpdateKind::added ? "added" : "removed"; }

void JsonWriter::time(const char* name, std::int64_t second) { json_[name] = to_iso(second); }

void JsonWriter::time(const char* name, const std::optional<std::int64_t>& second) {
  json_[name] = second ? Json(to_iso(*second)) : Json(nullptr);
}

void JsonWriter::time_or_never(const char* name, std::int64_t second) {
  time(name, second == 0 ? std::nullopt : std::optional(second));
}

void JsonWriter::peer(const char* name, Address address, const std::string& words) {
  json_[name] = words.empty() ? to_string(address) : words;
}

void JsonWriter::codes(const char* name, const char*, const char*,
                       const std::vector<std::pair<ErrorCode, std::uint64_t>>& codes) {
  Json& object = json_[name] = Json::object();
  for (const auto& [code, count] : codes) object[code_text(code)] = count;
}

void JsonWriter::histogram(const char* name, const char*, const Histogram::Copy& durations) {
  field(name, DurationSummary{durations.count(), durations.mean_seconds()});
}

JsonReader::JsonReader(const Json& object) : object_(object) {
  if (!object.is_object()) throw WrongJson("there must be an object, with a value for each key");
}

void JsonReader::fail(const char* name, const std::string& why) {
  throw WrongJson("\"" + std::string(name) + "\" " + why);
}

const Json& JsonReader::expected(const char* name) {
  const auto found = object_.find(name);
  if (found == object_.end()) fail(name, "is missing");
  taken_.emplace_back(name);
  return *found;
}

const Json* JsonReader::find(const char* name) {
  if (!object_.contains(name)) return nullptr;
  const Json& json = expected(name);
  return json.is_null() ? nullptr : &json;
}

const Json& JsonReader::present(const char* name) {
  const Json* json = find(name);
  if (json == nullptr) fail(name, "is missing");
  return *json;
}

void JsonReader::time(const char* name, std::int64_t& second) {
  std::string text;
  field(name, text);
  const auto parsed = parse_iso(text);
  if (!parsed) fail(name, "must be a time such as 2026-01-02T11:00:00Z; it is \"" + printable(text) + "\"");
  second = *parsed;
}

void JsonReader::time(const char* name, std::optional<std::int64_t>& second) {
  second.reset();
  if (!expected(name).is_null()) time(name, second.emplace());
}

void JsonReader::time_or_never(const char* name, std::int64_t& second) {
  std::optional<std::int64_t> read;
  time(name, read);
  second = read.value_or(0);
}

void JsonReader::peer(const char* name, Address& address, std::string& words) {
  field(name, words);
  address = parse_address(words).value_or(Address{});
}

void JsonReader::codes(const char* name, const char*, const char*,
                       std::vector<std::pair<ErrorCode, std::uint64_t>>& codes) {
  codes.clear();
  const Json& object = present(name);
  if (!object.is_object()) fail(name, "must be an object");
  for (const auto& [key, count] : object.items()) {
    auto& code = codes.emplace_back();
    read(name, key, code.first);
    read(name, count, code.second);
  }
}

void JsonReader::histogram(const char* name, const char*, Histogram::Copy& durations) {
  DurationSummary summary;
  field(name, summary);
  durations = {};
  durations.counts.back() = summary.count;
  durations.sum_seconds = summary.mean_seconds * static_cast<double>(summary.count);
}

void JsonReader::expect_none_left() const {
  for (const auto& [key, value] : object_.items())
    if (std::ranges::find(taken_, key) == taken_.end())
      throw WrongJson("\"" + printable(key) + "\" is not known to this command");
}

void JsonReader::read(const char* name, const Json& json, bool& value) {
  if (!json.is_boolean()) fail(name, "must be true or false");
  value = json.get<bool>();
}

void JsonReader::read(const char* name, const Json& json, double& value) {
  if (!json.is_number()) fail(name, "must be a number");
  value = json.get<double>();
}

void JsonReader::read(const char* name, const Json& json, std::string& value) {
  if (!json.is_string()) fail(name, "must be a string");
  value = json.get<std::string>();
}

void JsonReader::read(const char* name, const Json& json, Address& address) {
  std::string text;
  read(name, json, text);
  const auto parsed = parse_address(text);
  if (!parsed) fail(name, "must be an IPv4 address, such as 10.0.0.7; it is \"" + printable(text) + "\"");
  address = *parsed;
}

void JsonReader::read(const char* name, const Json& json, Block& block) {
  std::string text;
  read(name, json, text);
  const auto parsed = parse_block(text);
  if (!parsed) fail(name, "\"" + printable(text) + "\" is not " + expected_block(text));
  block = *parsed;
}

/// Reads a code, also one that only another version knows.
void JsonReader::read(const char* name, const Json& json, ErrorCode& code) {
  std::string text;
  read(name, json, text);
  std::uint16_t number = 0;
  if (text.starts_with('E'))
    number = parse_number<std::uint16_t>(std::string_view(text).substr(1)).value_or(0);
  if (number == 0) fail(name, "must be a code such as E404; it is \"" + printable(text) + "\"");
  code = static_cast<ErrorCode>(number);
}

void JsonReader::read(const char* name, const Json& json, StorageState& state) {
  std::string text;
  read(name, json, text);
  const auto known = {StorageState::usable, StorageState::busy, StorageState::failed};
  const auto* const found = std::ranges::find(known, text, [](StorageState one) { return to_string(one); });
  if (found == known.end()) fail(name, "must be the state of the storage; it is \"" + printable(text) + "\"");
  state = *found;
}

}  // namespace lekt

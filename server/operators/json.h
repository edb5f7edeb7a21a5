// What operators see, as JSON: one form for the control socket, the page's API and `lektctl --json`
// (docs/lektctl.md).
//
// Keys are snake_case and keep their order. Times are ISO 8601 in UTC, null when there is none; durations are
// seconds as numbers (`_seconds`), sizes bytes (`_bytes`); codes are "E404", addresses dotted. Text that a
// peer or an operator chose is a JSON string like any other: whoever shows it escapes it for his medium.
//
// A struct says its keys once, in the list `fields(self, io)`, as packets do (common/packets.h). The writer and the
// reader here walk that list. What a list may call:
//
//   io.field(name, value)            always there; null for an optional without a value
//   io.field(name, value, range)     a number from range.first to range.last
//   io.optional(name, value, ...)    may be left out, and then has its default
//   io.time(name, second)            a time; null for an optional without a value
//   io.time_or_never(name, second)   a time; null for 0
//   io.peer(name, address, words)    an address in words, which may be of IPv6
//   what Totals, Counts and those of devices call   (totals.h, device_totals.h)
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/block.h"
#include "common/errors.h"
#include "common/packets.h"
#include "server/core/storage_state.h"
#include "server/operators/histogram.h"
#include "server/operators/labelled.h"

namespace lekt {

using Json = nlohmann::ordered_json;

/// One line without a line feed; bytes that are not UTF-8 become U+FFFD.
std::string to_line(const Json& json);

/// Which numbers a field may have.
template <class Value>
struct Range {
  Value first;
  Value last;
};

/// What is said of a duration without its buckets.
struct DurationSummary {
  std::uint64_t count = 0;
  double mean_seconds = 0;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("count", self.count);
    io.field("mean_seconds", self.mean_seconds);
  }
};

class JsonWriter;

template <class Message>
concept HasFields = requires(const Message& message, JsonWriter& writer) {
  Message::fields(message, writer);
};

// ---- Writing ----

inline Json to_json(bool value) { return value; }
inline Json to_json(double value) { return value; }
inline Json to_json(const std::string& value) { return value; }
inline Json to_json(const Json& value) { return value; }
inline Json to_json(std::chrono::seconds value) { return value.count(); }
Json to_json(Address address);
Json to_json(const Block& block);
Json to_json(ErrorCode code);
Json to_json(UpdateKind kind);
template <std::integral Whole>
Json to_json(Whole value) {
  return value;
}
/// An enumerator by its word.
template <class Word>
requires std::is_enum_v<Word> Json to_json(Word word) { return to_string(word); }
template <HasFields Message>
Json to_json(const Message& message);
template <class Element>
Json to_json(const std::vector<Element>& elements);

class JsonWriter {
 public:
  template <class Value>
  void field(const char* name, const Value& value) {
    json_[name] = to_json(value);
  }
  template <class Value>
  void field(const char* name, const std::optional<Value>& value) {
    json_[name] = value ? to_json(*value) : Json(nullptr);
  }
  template <class Value, class Bound>
  void field(const char* name, const Value& value, const Range<Bound>&) {
    field(name, value);
  }
  template <class Value, class... Bounds>
  void optional(const char* name, const Value& value, const Bounds&...) {
    field(name, value);
  }
  template <class Value, class... Bounds>
  void optional(const char* name, const std::optional<Value>& value, const Bounds&...) {
    if (value) field(name, *value);
  }
  void time(const char* name, std::int64_t second);
  void time(const char* name, const std::optional<std::int64_t>& second);
  void time_or_never(const char* name, std::int64_t second);
  void peer(const char* name, Address address, const std::string& words);

  void time(const char* name, const char*, const char*, std::int64_t second) { time(name, second); }
  void number(const char* name, double value) { field(name, value); }
  template <class Value>
  void gauge(const char* name, const char*, const char*, Value value) {
    field(name, value);
  }
  void gauge(const char* name, const Labelled&, std::size_t value) { field(name, value); }
  template <class Names>
  void counter(const char* name, const Names&, std::uint64_t value) {
    field(name, value);
  }
  void time_or_never(const char* name, const char*, const char*, std::int64_t second) {
    time_or_never(name, second);
  }
  void storage(const char* name, const char*, const char*, StorageState state) { field(name, state); }
  void codes(const char* name, const char*, const char*,
             const std::vector<std::pair<ErrorCode, std::uint64_t>>& codes);
  /// Nothing: Status has them, with their messages.
  void warnings(const char*, const char*, const std::vector<ErrorCode>&) {}
  void histogram(const char* name, const char*, const Histogram::Copy& durations);

  Json take() { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

template <HasFields Message>
Json to_json(const Message& message) {
  JsonWriter writer;
  Message::fields(message, writer);
  return writer.take();
}

/// An array of them.
template <class Element>
Json to_json(const std::vector<Element>& elements) {
  Json array = Json::array();
  for (const Element& element : elements) array.push_back(to_json(element));
  return array;
}

// ---- Reading ----

/// A key is missing or not known, or what it has is of a wrong kind. The words name the key.
class WrongJson : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads the list of a message from an object, which outlives it. What is wrong it throws as WrongJson. Null is as good
/// as missing.
class JsonReader {
 public:
  explicit JsonReader(const Json& object);

  template <class Value, class... Bounds>
  void field(const char* name, Value& value, const Bounds&... range) {
    read(name, present(name), value, range...);
  }
  template <class Value>
  void field(const char* name, std::optional<Value>& value) {
    value.reset();
    if (const Json& json = expected(name); !json.is_null()) read(name, json, value.emplace());
  }
  template <class Value, class... Bounds>
  void optional(const char* name, Value& value, const Bounds&... range) {
    if (const Json* json = find(name)) read(name, *json, value, range...);
  }
  template <class Value, class... Bounds>
  void optional(const char* name, std::optional<Value>& value, const Bounds&... range) {
    if (const Json* json = find(name)) read(name, *json, value.emplace(), range...);
  }
  void time(const char* name, std::int64_t& second);
  void time(const char* name, std::optional<std::int64_t>& second);
  void time_or_never(const char* name, std::int64_t& second);
  void peer(const char* name, Address& address, std::string& words);

  void time(const char* name, const char*, const char*, std::int64_t& second) { time(name, second); }
  void number(const char* name, double& value) { field(name, value); }
  template <class Value>
  void gauge(const char* name, const char*, const char*, Value& value) {
    field(name, value);
  }
  void gauge(const char* name, const Labelled&, std::size_t& value) { field(name, value); }
  template <class Names>
  void counter(const char* name, const Names&, std::uint64_t& value) {
    field(name, value);
  }
  void time_or_never(const char* name, const char*, const char*, std::int64_t& second) {
    time_or_never(name, second);
  }
  void storage(const char* name, const char*, const char*, StorageState& state) { field(name, state); }
  void codes(const char* name, const char*, const char*,
             std::vector<std::pair<ErrorCode, std::uint64_t>>& codes);
  void warnings(const char*, const char*, const std::vector<ErrorCode>&) {}
  /// All of them are in the last bucket: the buckets are not told.
  void histogram(const char* name, const char*, Histogram::Copy& durations);

  /// For requests: a slip in the name of an optional key must not be passed over.
  void expect_none_left() const;

 private:
  [[noreturn]] static void fail(const char* name, const std::string& why);
  /// Null when it is missing or null.
  const Json* find(const char* name);
  const Json& present(const char* name);
  /// It may be null.
  const Json& expected(const char* name);

  static void read(const char*, const Json& json, Json& value) { value = json; }
  static void read(const char* name, const Json& json, bool& value);
  static void read(const char* name, const Json& json, double& value);
  static void read(const char* name, const Json& json, std::string& value);
  static void read(const char* name, const Json& json, Address& address);
  static void read(const char* name, const Json& json, Block& block);
  static void read(const char* name, const Json& json, ErrorCode& code);
  static void read(const char* name, const Json& json, StorageState& state);

  template <std::integral Whole>
  static void read(const char* name, const Json& json, Whole& value,
                   Range<Whole> range = {std::numeric_limits<Whole>::min(),
                                         std::numeric_limits<Whole>::max()}) {
    const auto take = [&](auto number) {
      if (std::cmp_less(number, range.first) || std::cmp_greater(number, range.last)) return false;
      value = static_cast<Whole>(number);
      return true;
    };
    const bool fits = json.is_number_unsigned() ? take(json.get<std::uint64_t>())
                                                : json.is_number_integer() && take(json.get<std::int64_t>());
    if (!fits)
      fail(name, "must be a whole number from " + std::to_string(range.first) + " to " +
                     std::to_string(range.last));
  }
  static void read(const char* name, const Json& json, std::chrono::seconds& value,
                   Range<std::chrono::seconds> range) {
    std::int64_t count = 0;
    read(name, json, count, Range<std::int64_t>{range.first.count(), range.last.count()});
    value = std::chrono::seconds(count);
  }
  template <HasFields Message>
  static void read(const char*, const Json& json, Message& message) {
    JsonReader reader(json);
    Message::fields(message, reader);
  }
  template <class Element>
  static void read(const char* name, const Json& json, std::vector<Element>& elements) {
    if (!json.is_array()) fail(name, "must be a list");
    elements.clear();
    for (const Json& element : json) read(name, element, elements.emplace_back());
  }

  template <class Message>
  friend Message from_json(const Json& json);

  const Json& object_;
  std::vector<std::string_view> taken_;
};

/// A message, or a list of them. Keys that are not known are passed over: new ones may be added. Throws WrongJson.
template <class Message>
Message from_json(const Json& json) {
  Message message;
  JsonReader::read("answer", json, message);
  return message;
}

}  // namespace lekt

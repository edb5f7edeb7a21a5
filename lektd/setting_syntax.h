// How the values of settings are written. A syntax knows nothing of the settings that have it, nor of where a
// text comes from.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/block.h"
#include "common/catalogue.h"
#include "common/duration.h"
#include "common/features.h"
#include "devices/groups.h"
#include "lektd/port_range.h"
#include "server/net/listen_address.h"

namespace lekt::syntax {

using Values = std::vector<std::string>;

/// What a value is in a settings' file: a string, an integer, or a list of strings.
enum class Form : std::uint8_t { text, number, list };

template <class Value>
struct Syntax {
  Form form;
  std::string placeholder;
  /// Reads a text into a value that is the default so far, or into a list that has the elements before it.
  /// Throws WrongSetting with the text and what is allowed.
  std::function<void(Value&, const std::string&)> take;
  std::function<Values(const Value&)> show;  ///< texts that take() understands
  char separator = ',';                      ///< between the values of a list that are in one text
};

[[noreturn]] void refuse(const std::string& value, const std::string& allowed);

Syntax<std::uint32_t> number(std::uint32_t least, std::uint32_t most);
Syntax<std::filesystem::path> file_path();
Syntax<std::filesystem::path> database_path();  ///< not what SQLite would keep in memory
Syntax<std::filesystem::path> socket_path();    ///< or "none", which is an empty one
Syntax<std::optional<ListenAddress>> address();
Syntax<std::vector<ListenAddress>> addresses(bool tls);
Syntax<std::vector<ListenAddress>> ipv4_addresses();
Syntax<PortRange> ports();
Syntax<std::vector<Block>> blocks();
Syntax<std::vector<std::string>> hosts();  ///< in lower case, as browsers send them
Syntax<MethodCatalogue> added_methods();   ///< besides the built-in ones
Syntax<std::filesystem::path> directory_path();
Syntax<std::vector<DeviceHost>> device_hosts();
Syntax<std::vector<DeviceGroup>> device_groups();  ///< with '~' between them, since they have commas
Syntax<bool> off_or_on();
Syntax<Features> features();

/// Reads a duration of at most ten years; the default is the example in the message about a wrong one.
std::chrono::milliseconds read_duration(const std::string& text, std::chrono::milliseconds least,
                                        std::chrono::milliseconds example);

template <class Value = std::chrono::milliseconds>
Syntax<Value> duration(std::chrono::milliseconds least) {
  const auto take = [least](Value& value, const std::string& text) {
    value = std::chrono::duration_cast<Value>(read_duration(text, least, value));
  };
  return {Form::text, "DURATION", take, [](const Value& value) { return Values{format_duration(value)}; }};
}

/// One of a few words. `allowed` has them in words.
template <class Value>
Syntax<Value> choice(const std::string& placeholder, const std::string& allowed,
                     const std::vector<std::pair<std::string, Value>>& words) {
  const auto take = [=](Value& value, const std::string& text) {
    for (const auto& [word, meaning] : words)
      if (word == text) return void(value = meaning);
    refuse(text, allowed);
  };
  return {Form::text, placeholder, take, [=](const Value& value) {
            Values shown;
            for (const auto& [word, meaning] : words)
              if (meaning == value) shown = {word};
            return shown;
          }};
}

}  // namespace lekt::syntax

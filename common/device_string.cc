#include "common/device_string.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/device_packets.h"
#include "common/parse_number.h"
#include "common/text.h"

namespace lekt {

namespace {

static_assert(device_field::uid + 1 == limits::device_string_fields_min);

// What device_method_content() writes at most: names and separators, the longest size, and each value at its limit.
static_assert(std::string_view("uid=,type=,screen=100x200,version=,group=").size() +
                  limits::device_uid_bytes_max + limits::device_type_bytes_max +
                  limits::device_version_bytes_max + limits::device_group_bytes_max <=
              limits::device_method_bytes_max);
static_assert(limits::screen_rows_max == 100 && limits::screen_columns_max == 200);

struct StringFields {
  std::array<std::string_view, device_field::known> known;  ///< empty where the string is shorter
  std::size_t count = 0;                                    ///< fields in all, unknown ones included
};

StringFields split_fields(std::string_view string) {
  StringFields fields;
  for (std::size_t end = string.find('~'); end != string.npos; end = string.find('~')) {
    if (fields.count < device_field::known) fields.known.at(fields.count) = string.substr(0, end);
    ++fields.count;
    string.remove_prefix(end + 1);
  }
  return fields;
}

std::string_view without_blanks_around(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string_view without_leading_zeros(std::string_view text) {
  if (text.empty()) return text;
  return text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
}

std::string read_version(const StringFields& fields) {
  std::string version;
  for (std::size_t part = 0; part < 3; ++part) {
    if (part > 0) version += '.';
    version += without_leading_zeros(fields.known.at(device_field::version + part));
  }
  version.resize(std::min(version.size(), limits::device_version_bytes_max));
  return version;
}

std::optional<std::uint8_t> read_extent(std::string_view text, std::uint8_t most) {
  const auto number = parse_number<std::uint8_t>(text);
  return number && *number >= 1 && *number <= most ? number : std::nullopt;
}

void read_size(const StringFields& fields, DeviceString& device) {
  const auto rows = read_extent(fields.known[device_field::rows], limits::screen_rows_max);
  const auto columns = read_extent(fields.known[device_field::columns], limits::screen_columns_max);
  device.has_size = rows && columns;
  if (!device.has_size) return;
  device.rows = *rows;
  device.columns = *columns;
}

/// The value with '_' for every byte that could end it or mean something to a reader of the method in words.
/// Only letters, digits and the bytes of `others` stay as they are.
std::string with_underscores(std::string_view bytes, std::string_view others) {
  std::string text(bytes);
  std::ranges::replace_if(
      text,
      [others](char c) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        return !is_letter && !is_digit && others.find(c) == others.npos;
      },
      '_');
  return text;
}

std::string method_value(std::string_view value, std::size_t bytes_max) {
  return with_underscores(value.substr(0, bytes_max), "._+@/-");
}

}  // namespace

bool DeviceString::names_anybody() const { return uid.find_first_not_of("0 :.-") != uid.npos; }

std::variant<DeviceString, std::string> read_device_string(std::string_view string) {
  const StringFields fields = split_fields(string);
  if (fields.count < limits::device_string_fields_min)
    return "the device string has " + std::to_string(fields.count) + " fields that end with '~'; at least " +
           std::to_string(limits::device_string_fields_min) + " are needed, the last of them being the uid";
  const std::string_view uid = fields.known[device_field::uid];
  if (uid.size() > limits::device_uid_bytes_max)
    return "the uid '" + escape(uid.substr(0, limits::device_uid_bytes_max)) + "...' has " +
           std::to_string(uid.size()) + " bytes; at most " + std::to_string(limits::device_uid_bytes_max) +
           " are allowed";
  DeviceString device;
  device.type = fields.known[device_field::type].substr(0, limits::device_type_bytes_max);
  read_size(fields, device);
  device.version = read_version(fields);
  device.uid = uid;
  device.system =
      without_blanks_around(fields.known[device_field::system]).substr(0, limits::device_system_bytes_max);
  return device;
}

Bytes device_method_content(const DeviceString& device, std::string_view group) {
  return "uid=" + method_value(device.uid, limits::device_uid_bytes_max) +
         ",type=" + method_value(device.type, limits::device_type_bytes_max) +
         ",screen=" + std::to_string(device.rows) + "x" + std::to_string(device.columns) +
         ",version=" + method_value(device.version, limits::device_version_bytes_max) +
         ",group=" + method_value(group, limits::device_group_bytes_max);
}

std::string device_method_text(ByteView content) { return with_underscores(content, "._+@/-,="); }

/// Goes back only to the last '*', which is enough: what stands before it matches already, as early as possible.
bool fits_type(std::string_view pattern, std::string_view type) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::size_t at = 0;
  std::size_t place = 0;
  std::size_t after_star = pattern.npos;
  std::size_t tried = 0;
  while (place < type.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      after_star = ++at;
      tried = place;
    } else if (at < pattern.size() && (pattern[at] == '?' || lower(pattern[at]) == lower(type[place]))) {
      ++at;
      ++place;
    } else if (after_star != pattern.npos) {
      at = after_star;
      place = ++tried;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == pattern.npos;
}

}  // namespace lekt

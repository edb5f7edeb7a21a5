#include "client/command/device_program/own_string.h"

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "common/device_packets.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

[[noreturn]] void refuse_string(const std::string& what, const std::string& value,
                                const std::string& reason) {
  throw CodedError(ErrorCode::usage_wrong, what + " \"" + escape(value) + "\": " + reason);
}

/// Refuses a value that would end its field.
void check_value(const std::string& what, const std::string& value) {
  const auto allowed = [](char c) { return c >= 0x20 && c <= 0x7e && c != '~'; };
  if (!std::ranges::all_of(value, allowed))
    refuse_string(what, value, "printable ASCII without '~' is allowed");
}

/// The string with this value in the field, which it has to have.
std::string with_field(std::string string, std::size_t field, const std::string& value) {
  std::size_t begin = 0;
  for (; field > 0; --field) begin = string.find('~', begin) + 1;
  return string.replace(begin, string.find('~', begin) - begin, value);
}

}  // namespace

std::string make_own_string(const std::string& uid, const std::string& type, const std::string& version) {
  check_value("--uid", uid);
  check_value("--type", type);
  if (uid.empty() || uid.size() > limits::device_uid_bytes_max)
    refuse_string("--uid", uid,
                  "a uid has 1 to " + std::to_string(limits::device_uid_bytes_max) + " characters");
  if (type.size() > limits::device_type_bytes_max)
    refuse_string("--type", type,
                  "a type has at most " + std::to_string(limits::device_type_bytes_max) + " characters");
  std::string numbers = version;
  std::ranges::replace(numbers, '.', '~');
  utsname system{};
  ::uname(&system);
  return "LEKT~~~~" + type + "~24~80~" + numbers + "~~~" + uid + "~~~~~~" + system.sysname + "~";
}

void check_own_string(const std::string& string) {
  if (string.size() > limits::device_string_bytes_max)
    refuse_string("--string", string.substr(0, 40) + "...",
                  "it has more than " + std::to_string(limits::device_string_bytes_max) + " bytes");
  if (!std::ranges::all_of(string, [](char c) { return c >= 0x20 && c <= 0x7e; }))
    refuse_string("--string", string, "printable ASCII is allowed");
  const auto read = read_device_string(string);
  if (const auto* wrong = std::get_if<std::string>(&read)) refuse_string("--string", string, *wrong);
}

DeviceString read_own_string(const std::string& string) {
  check_own_string(string);
  return std::get<DeviceString>(read_device_string(string));
}

std::string with_size(const std::string& string, std::size_t rows, std::size_t columns) {
  return with_field(with_field(string, device_field::rows, std::to_string(rows)), device_field::columns,
                    std::to_string(columns));
}

std::string with_uid(const std::string& string, const std::string& uid) {
  std::string changed = with_field(string, device_field::uid, uid);
  check_own_string(changed);
  return changed;
}

std::string own_uid() {
  utsname system{};
  ::uname(&system);
  const passwd* user = ::getpwuid(::geteuid());
  const std::string machine = system.nodename;
  return (user != nullptr ? std::string(user->pw_name) : std::to_string(::geteuid())) + "@" +
         machine.substr(0, machine.find('.'));
}

}  // namespace lekt::command

#include "lektd/setting_syntax.h"

#include <asio/ip/address.hpp>
#include <cctype>

#include "common/parse_number.h"
#include "devices/group_syntax.h"
#include "server/operators/settings_file.h"

namespace lekt::syntax {

using namespace std::chrono_literals;

namespace {

ListenAddress read_address(const std::string& value, bool tls) {
  const std::string allowed = "ADDRESS:PORT with a port from 0 to 65535, such as 0.0.0.0:7890 or [::]:7890";
  const auto colon = value.rfind(':');
  if (colon == value.npos) refuse(value, allowed);
  std::string address = value.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  else if (address.find(':') != address.npos)
    refuse(value, "an IPv6 address in brackets, such as [::]:7890");
  const auto port = parse_number<std::uint16_t>(std::string_view(value).substr(colon + 1));
  asio::error_code bad_address;
  (void)asio::ip::make_address(address, bad_address);
  if (bad_address || !port) refuse(value, allowed);
  return {address, *port, tls};
}

ListenAddress read_ipv4_address(const std::string& value) {
  ListenAddress address = read_address(value, false);
  if (address.address.find(':') != address.address.npos)
    refuse(value, "an IPv4 address, such as 0.0.0.0:3006; devices speak no IPv6");
  return address;
}

PortRange read_ports(const std::string& value) {
  const std::string allowed =
      "FIRST-LAST, two ports from 1 to 65535 with the lower one first, such as 5000-6000";
  const std::size_t dash = value.find('-');
  if (dash == value.npos) refuse(value, allowed);
  const auto first = parse_number<std::uint16_t>(std::string_view(value).substr(0, dash));
  const auto last = parse_number<std::uint16_t>(std::string_view(value).substr(dash + 1));
  if (!first || !last || *first == 0 || *first > *last) refuse(value, allowed);
  return {*first, *last};
}

std::filesystem::path read_path(const std::string& value) {
  if (value.empty()) refuse(value, "the path of a file");
  return value;
}

std::filesystem::path read_directory(const std::string& value) {
  if (value.empty()) refuse(value, "the path of a directory");
  return value;
}

/// What was read, or its fault, which is a whole sentence.
template <class Value>
Value value_or_refuse(std::variant<Value, std::string> read) {
  if (const auto* fault = std::get_if<std::string>(&read)) throw WrongSetting(*fault);
  return std::get<Value>(std::move(read));
}

std::filesystem::path read_database(const std::string& value) {
  if (value == ":memory:" || value.starts_with("file:") || value.empty())
    refuse(value, "the path of a file; what clients were told has to survive a restart");
  return value;
}

std::filesystem::path read_socket(const std::string& value) {
  if (value.empty()) refuse(value, "the path of a socket, or none");
  return value == "none" ? "" : value;
}

/// Reads a host name: letters, digits, '-', '.' and '_'.
std::string read_host(const std::string& value) {
  std::string name = value;
  if (name.empty()) refuse(value, "a host name without a port, such as coordinator.example");
  for (char& c : name) {
    // A proxy may name its own part of the configuration as the host, which often has an underscore.
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '_')
      refuse(value, "a host name without a port, such as coordinator.example");
    c = static_cast<char>(std::tolower(c));
  }
  return name;
}

Block read_block(const std::string& value) {
  const auto cidr = parse_block(value);
  if (!cidr) refuse(value, expected_block(value));
  return *cidr;
}

Values show_path(const std::filesystem::path& path) {
  return path.empty() ? Values{} : Values{path.string()};
}

/// The syntax of a value that does not depend on the one before.
template <class Value, class Read, class Show>
Syntax<Value> one(const char* placeholder, Read read, Show show) {
  return {Form::text, placeholder, [=](Value& value, const std::string& text) { value = read(text); }, show};
}

/// Any number of values.
template <class Value, class Read, class Write>
Syntax<std::vector<Value>> many(const char* placeholder, Read read, Write write) {
  const auto take = [=](std::vector<Value>& values, const std::string& text) {
    values.push_back(read(text));
  };
  return {Form::list, placeholder, take, [=](const std::vector<Value>& values) {
            Values texts;
            for (const Value& value : values) texts.push_back(write(value));
            return texts;
          }};
}

}  // namespace

void refuse(const std::string& value, const std::string& allowed) {
  throw WrongSetting(quote_value(value) + " is not allowed: " + allowed);
}

std::chrono::milliseconds read_duration(const std::string& text, std::chrono::milliseconds least,
                                        std::chrono::milliseconds example) {
  const std::chrono::milliseconds most = 3650 * 24h;
  const auto parsed = parse_duration(text);
  if (!parsed || *parsed < least || *parsed > most)
    refuse(text, "a duration from " + format_duration(least) + " to " + format_duration(most) + ", such as " +
                     format_duration(example));
  return *parsed;
}

Syntax<std::uint32_t> number(std::uint32_t least, std::uint32_t most) {
  const auto take = [=](std::uint32_t& value, const std::string& text) {
    const auto parsed = parse_number<std::uint32_t>(text);
    if (!parsed || *parsed < least || *parsed > most)
      refuse(text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    value = *parsed;
  };
  return {Form::number, "N", take, [](std::uint32_t value) { return Values{std::to_string(value)}; }};
}

Syntax<std::filesystem::path> file_path() { return one<std::filesystem::path>("FILE", read_path, show_path); }

Syntax<std::filesystem::path> database_path() {
  return one<std::filesystem::path>("PATH", read_database, show_path);
}

Syntax<std::filesystem::path> socket_path() {
  return one<std::filesystem::path>("PATH", read_socket, [](const std::filesystem::path& path) {
    return Values{path.empty() ? "none" : path.string()};
  });
}

Syntax<std::optional<ListenAddress>> address() {
  return one<std::optional<ListenAddress>>(
      "ADDRESS:PORT", [](const std::string& text) { return read_address(text, false); },
      [](const auto& value) { return value ? Values{value->text()} : Values{}; });
}

Syntax<std::vector<ListenAddress>> addresses(bool tls) {
  return many<ListenAddress>(
      "ADDRESS:PORT", [tls](const std::string& text) { return read_address(text, tls); },
      [](const ListenAddress& value) { return value.text(); });
}

Syntax<std::vector<Block>> blocks() {
  return many<Block>("CIDR", read_block, [](const Block& value) { return to_string(value); });
}

Syntax<std::vector<std::string>> hosts() {
  return many<std::string>("NAME", read_host, [](const std::string& name) { return name; });
}

Syntax<std::vector<ListenAddress>> ipv4_addresses() {
  return many<ListenAddress>("ADDRESS:PORT", read_ipv4_address,
                             [](const ListenAddress& value) { return value.text(); });
}

Syntax<PortRange> ports() {
  return one<PortRange>("FIRST-LAST", read_ports,
                        [](const PortRange& value) { return Values{to_string(value)}; });
}

Syntax<std::filesystem::path> directory_path() {
  return one<std::filesystem::path>("DIRECTORY", read_directory, show_path);
}

Syntax<std::vector<DeviceHost>> device_hosts() {
  return many<DeviceHost>(
      "NAME=HOST:PORT[;term=TYPE]",
      [](const std::string& text) { return value_or_refuse(parse_device_host(text)); },
      [](const DeviceHost& host) { return to_string(host); });
}

Syntax<std::vector<DeviceGroup>> device_groups() {
  auto syntax = many<DeviceGroup>(
      "NAME[;KEY=VALUE...]",
      [](const std::string& text) { return value_or_refuse(parse_device_group(text)); },
      [](const DeviceGroup& group) { return to_string(group); });
  syntax.separator = '~';
  return syntax;
}

Syntax<bool> off_or_on() { return choice<bool>("off|on", "off or on", {{"off", false}, {"on", true}}); }

Syntax<MethodCatalogue> added_methods() {
  const auto take = [](MethodCatalogue& catalogue, const std::string& text) {
    if (const auto wrong = catalogue.add(text)) refuse(text, *wrong);
  };
  return {
      Form::list, "INDEX:NAME:FORM", take, [](const MethodCatalogue& catalogue) {
        Values texts;
        for (const Method& method : catalogue.methods()) {
          if (!is_built_in(method.index))
            texts.push_back(std::to_string(method.index) + ":" + method.name + ":" + to_string(method.form));
        }
        return texts;
      }};
}

Syntax<Features> features() {
  const auto take = [](Features& value, const std::string& text) {
    const std::optional<Features> read = parse_features(text);
    if (!read) refuse(text, "all, none, or a list of these: " + to_string(Features::all()));
    value = *read;
  };
  return {Form::text, "LIST", take,
          [](const Features& value) { return Values{value == Features::all() ? "all" : to_string(value)}; }};
}

}  // namespace lekt::syntax

#include "devices/group_syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/device_string.h"
#include "common/duration.h"
#include "common/parse_number.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr std::size_t name_bytes_max = limits::device_group_bytes_max;
constexpr std::size_t host_bytes_max = 253;  // of a name in the DNS (RFC 1035)
constexpr std::size_t term_bytes_max = 40;   // RFC 1091
constexpr std::size_t shown_columns_max = 60;
constexpr seconds span_max = 365 * 24h;

/// What would be right in place of a value that is not allowed.
using Allowed = std::optional<std::string>;

std::string shown(std::string_view value) { return "'" + cut(printable(value), shown_columns_max) + "'"; }

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Whether the text is 1 to `bytes_max` letters, digits and characters of `others`.
bool is_word(std::string_view text, std::size_t bytes_max, std::string_view others) {
  return !text.empty() && text.size() <= bytes_max && std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || others.find(c) != others.npos;
  });
}

bool is_name(std::string_view text) { return is_word(text, name_bytes_max, "._-"); }
constexpr std::string_view allowed_name = "1 to 32 letters, digits, '.', '_' and '-'";

/// Takes what stands before the next separator from the front of `text`, and the separator.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// ---- Values of a group ----

struct Span {
  seconds least;
  bool may_be_none;  ///< whether there may be no value, for which 0 stands
  std::string_view example;
};
constexpr Span idle_span = {1s, false, "12h"};
constexpr Span timeout_span = {1s, true, "5m"};
constexpr Span keep_alive_span = {15s, true, "1m"};

Allowed take_span(seconds& to, std::string_view value, const Span& span) {
  const auto duration = parse_duration(value);
  const bool is_none = value == "0" || (duration && *duration == 0s);
  if (is_none && span.may_be_none) {
    to = 0s;
    return std::nullopt;
  }
  if (duration && *duration >= span.least && *duration <= span_max && *duration % 1s == 0s) {
    to = std::chrono::duration_cast<seconds>(*duration);
    return std::nullopt;
  }
  return (span.may_be_none ? "0 for none, or whole seconds from " : "whole seconds from ") +
         format_duration(span.least) + " to " + format_duration(span_max) + ", such as " +
         std::string(span.example);
}

Allowed take_span(std::optional<seconds>& to, std::string_view value, const Span& span) {
  seconds taken{};
  auto allowed = take_span(taken, value, span);
  if (!allowed) to = taken;
  return allowed;
}

std::string show_span(seconds span) { return span == 0s ? "0" : format_duration(span); }
std::string show_span(const std::optional<seconds>& span) { return show_span(span.value_or(0s)); }

template <auto member, const Span& span>
Allowed take_time(DeviceGroup& group, std::string_view value) {
  return take_span(group.*member, value, span);
}

template <auto member>
std::string show_time(const DeviceGroup& group) {
  return group.*member == DeviceGroup().*member ? "" : show_span(group.*member);
}

template <auto member>
Allowed take_switch(DeviceGroup& group, std::string_view value) {
  if (value != "on" && value != "off") return "on or off";
  group.*member = value == "on";
  return std::nullopt;
}

template <auto member>
std::string show_switch(const DeviceGroup& group) {
  const std::optional<bool>& value = group.*member;
  return !value ? "" : *value ? "on" : "off";
}

Allowed take_from(DeviceGroup& group, std::string_view value) {
  const auto block = parse_block(value);
  if (!block) return expected_block(value);
  group.from = *block;
  return std::nullopt;
}

std::string show_from(const DeviceGroup& group) {
  return group.from == Block::everyone() ? "" : to_short_string(group.from);
}

Allowed take_type(DeviceGroup& group, std::string_view value) {
  const bool printable_type = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '}'; });
  if (value.empty() || value.size() > limits::device_type_bytes_max || !printable_type)
    return "a pattern of 1 to 64 printable characters of ASCII without '~', in which * is any characters "
           "and ? is one, such as PDT90*";
  group.type = value;
  return std::nullopt;
}

std::string show_type(const DeviceGroup& group) { return group.type == "*" ? "" : group.type; }

Allowed take_hosts(DeviceGroup& group, std::string_view value) {
  const std::string allowed = "names of different device hosts with ',' between them, such as wms,mail";
  std::vector<std::string> names;
  const auto commas = static_cast<std::size_t>(std::ranges::count(value, ','));
  if (commas >= limits::device_hosts_max) return allowed;
  for (std::size_t left = commas + 1; left > 0; --left) {
    const std::string_view name = take_part(value, ',');
    if (!is_name(name) || std::ranges::find(names, name) != names.end()) return allowed;
    names.emplace_back(name);
  }
  group.hosts = std::move(names);
  return std::nullopt;
}

std::string show_hosts(const DeviceGroup& group) {
  std::string text;
  for (const std::string& name : group.hosts) text += (text.empty() ? "" : ",") + name;
  return text;
}

Allowed take_encryption(DeviceGroup& group, std::string_view value) {
  if (value != "required")
    return "required; without the key a group asks for no more than --device-encryption does";
  group.encryption_required = true;
  return std::nullopt;
}

std::string show_encryption(const DeviceGroup& group) { return group.encryption_required ? "required" : ""; }

Allowed take_sessions(DeviceGroup& group, std::string_view value) {
  const auto number = parse_number<std::uint32_t>(value);
  if (!number || *number < 1 || *number > limits::device_sessions_ceiling)
    return "a whole number from 1 to " + std::to_string(limits::device_sessions_ceiling);
  group.sessions = *number;
  return std::nullopt;
}

std::string show_sessions(const DeviceGroup& group) {
  return group.sessions == 1 ? "" : std::to_string(group.sessions);
}

Allowed take_resume(DeviceGroup& group, std::string_view value) {
  if (value != "ticket" && value != "uid") return "ticket or uid";
  group.resume = value == "uid" ? DeviceGroup::Resume::uid : DeviceGroup::Resume::ticket;
  return std::nullopt;
}

std::string show_resume(const DeviceGroup& group) {
  return group.resume == DeviceGroup::Resume::uid ? "uid" : "";
}

// ---- Keys of a group ----

struct GroupKey {
  std::string_view name;
  /// Gives the group a value, or says what would be right.
  Allowed (*take)(DeviceGroup& group, std::string_view value);
  /// A value that take() understands; empty when it is what holds without the key.
  std::string (*show)(const DeviceGroup& group);
};

using G = DeviceGroup;
constexpr std::array group_keys = {
    GroupKey{"from", take_from, show_from},
    GroupKey{"type", take_type, show_type},
    GroupKey{"hosts", take_hosts, show_hosts},
    GroupKey{"idle", take_time<&G::idle, idle_span>, show_time<&G::idle>},
    GroupKey{"keyboard-timeout", take_time<&G::keyboard_timeout, timeout_span>,
             show_time<&G::keyboard_timeout>},
    GroupKey{"backlight-timeout", take_time<&G::backlight_timeout, timeout_span>,
             show_time<&G::backlight_timeout>},
    GroupKey{"encryption", take_encryption, show_encryption},
    GroupKey{"sessions", take_sessions, show_sessions},
    GroupKey{"headless", take_switch<&G::headless>, show_switch<&G::headless>},
    GroupKey{"voice", take_switch<&G::voice>, show_switch<&G::voice>},
    GroupKey{"keep-alive", take_time<&G::keep_alive, keep_alive_span>, show_time<&G::keep_alive>},
    GroupKey{"resume", take_resume, show_resume},
};

std::string unknown_key(std::string_view key) {
  std::vector<std::string> names;
  std::string list;
  for (const GroupKey& known : group_keys) {
    names.emplace_back(known.name);
    list += (list.empty() ? "" : ", ") + names.back();
  }
  const std::string meant = closest(key, names);
  return "there is no key " + shown(key) + "; " +
         (meant.empty() ? "a group may have " + list : "did you mean " + meant + "?");
}

/// Gives the group what one "key=value" says, or says what is wrong with it. `seen`: the keys before it.
std::optional<std::string> take_setting(DeviceGroup& group, std::string_view text,
                                        std::array<bool, group_keys.size()>& seen) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const auto key = std::ranges::find(group_keys, name, &GroupKey::name);
  if (key == group_keys.end()) return unknown_key(name);
  if (equals == text.npos) return "the key " + std::string(name) + " has no value; KEY=VALUE is needed";
  const std::string_view value = text.substr(equals + 1);
  bool& is_seen = seen.at(static_cast<std::size_t>(key - group_keys.begin()));
  if (is_seen) return "the key " + std::string(name) + " is there twice, with " + shown(value) + " at last";
  is_seen = true;
  if (const Allowed allowed = key->take(group, value))
    return std::string(name) + " cannot be " + shown(value) + ": " + *allowed;
  return std::nullopt;
}

// ---- Hosts ----

/// Four numbers with dots are an address; what has letters is a name, which is looked up when somebody connects.
bool is_host(std::string_view text) {
  const bool is_numeric = text.find_first_not_of("0123456789.") == text.npos;
  return is_numeric ? parse_address(text).has_value() : is_word(text, host_bytes_max, ".-_");
}

bool is_xterm(std::string_view term) {
  constexpr std::string_view xterm = "xterm";
  return std::ranges::equal(term.substr(0, xterm.size()), xterm,
                            [](char left, char right) { return (left | 0x20) == right; });
}

/// What is wrong with the words after HOST:PORT.
std::optional<std::string> take_option(DeviceHost& host, std::string_view text) {
  constexpr std::string_view key = "term=";
  if (!text.starts_with(key)) return "there is no option " + shown(text) + "; term=TYPE may follow";
  const std::string_view term = text.substr(key.size());
  if (is_xterm(term))
    return "term cannot be " + shown(term) +
           ": programs that take the terminal for an xterm ask it what it cannot answer, and the screen "
           "stays "
           "empty; vt220, or screen-256color for colours";
  if (!is_word(term, term_bytes_max, "._+-"))
    return "term cannot be " + shown(term) +
           ": 1 to 40 letters, digits, '.', '_', '+' and '-', such as vt220 or screen-256color";
  host.term = term;
  return std::nullopt;
}

std::optional<std::string> take_place(DeviceHost& host, std::string_view place) {
  const std::string_view name = place.substr(0, place.rfind(':'));
  const std::string_view digits = place.substr(std::min(name.size() + 1, place.size()));
  const std::uint16_t port = parse_number<std::uint16_t>(digits).value_or(0);
  if (!is_host(name) || port == 0)
    return "it cannot be at " + shown(place) +
           ": HOST:PORT with a name or an IPv4 address and a port from 1 to 65535, such as 10.1.0.5:23";
  host.host = name;
  host.port = port;
  return std::nullopt;
}

}  // namespace

std::variant<DeviceHost, std::string> parse_device_host(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string begin = "device host " + shown(name) + ": ";
  if (equals == text.npos) return begin + "NAME=HOST:PORT is needed, such as wms=10.1.0.5:23";
  if (!is_name(name)) return begin + "its name has to be " + std::string(allowed_name);
  text.remove_prefix(equals + 1);
  DeviceHost host;
  host.name = name;
  const bool has_option = text.find(';') != text.npos;
  if (const auto fault = take_place(host, take_part(text, ';'))) return begin + *fault;
  if (!has_option) return host;
  if (const auto fault = take_option(host, text)) return begin + *fault;
  return host;
}

std::variant<DeviceGroup, std::string> parse_device_group(std::string_view text) {
  const auto settings = std::ranges::count(text, ';');
  const std::string_view name = take_part(text, ';');
  const std::string begin = "device group " + shown(name) + ": ";
  if (!is_name(name)) return begin + "its name, before the first ';', has to be " + std::string(allowed_name);
  DeviceGroup group;
  group.name = name;
  std::array<bool, group_keys.size()> seen{};
  for (auto left = settings; left > 0; --left)
    if (const auto fault = take_setting(group, take_part(text, ';'), seen)) return begin + *fault;
  const bool takes_all = group.from == Block::everyone() && group.type == "*";
  if (name == default_group_name && !takes_all)
    return begin +
           "it takes everybody whom no other group takes, so it has neither from nor type; name the "
           "group of these devices differently";
  return group;
}

std::string to_string(const DeviceHost& host) {
  return host.name + "=" + host.host + ":" + std::to_string(host.port) +
         (host.term == DeviceHost().term ? "" : ";term=" + host.term);
}

std::string to_string(const DeviceGroup& group) {
  std::string text = group.name;
  for (const GroupKey& key : group_keys)
    if (const std::string value = key.show(group); !value.empty())
      text += ";" + std::string(key.name) + "=" + value;
  return text;
}

}  // namespace lekt

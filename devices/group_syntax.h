// How settings write device hosts and device groups.
//
//     NAME=HOST:PORT[;term=TYPE]         wms=10.1.0.5:23
//                                        mail=mail.example:23;term=screen-256color
//     NAME[;KEY=VALUE]...                default;hosts=wms
//                                        trucks;from=10.10.225.0/24;type=PDT90*;hosts=wms,mail;idle=12h
//
// Keys of a group: from, type, hosts, idle, keyboard-timeout, backlight-timeout, encryption, sessions, headless, voice,
// keep-alive, resume. What each may be is in one list (group_syntax.cc), which reading and writing walk.
//
// Nothing here throws. A fault is one line that names the group or host, the key, the value, and what would be right.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "devices/groups.h"

namespace lekt {

std::variant<DeviceHost, std::string> parse_device_host(std::string_view text);
std::variant<DeviceGroup, std::string> parse_device_group(std::string_view text);

/// The host or group as settings write it; a key is left out where its value is what holds without it.
std::string to_string(const DeviceHost& host);
std::string to_string(const DeviceGroup& group);

}  // namespace lekt

// The string by which `lekt device` says what it is: packet 6 of docs/device-protocol.md.
//
// Every string is checked by the same reader that the server uses, so a server accepts it. Each function throws
// CodedError E705, which says what is wrong.
#pragma once

#include <cstddef>
#include <string>

#include "common/device_string.h"

namespace lekt::command {

/// The string of this program: `version` is its version, for example "1.2.3"; 24 rows and 80 columns.
std::string make_own_string(const std::string& uid, const std::string& type, const std::string& version);

/// Checks that a string which the user gives can be used.
void check_own_string(const std::string& string);

/// What the string says of the device.
DeviceString read_own_string(const std::string& string);

std::string with_size(const std::string& string, std::size_t rows, std::size_t columns);
std::string with_uid(const std::string& string, const std::string& uid);

/// A uid for a user who gives none: the names of the user and of the machine.
std::string own_uid();

}  // namespace lekt::command

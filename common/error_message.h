// The message of a CodedError without its code, for a message that begins with another code: a message has
// only one.
#pragma once

#include <string>

#include "common/errors.h"

namespace lekt {

inline std::string message_of(const CodedError& error) {
  return std::string(error.what()).substr(code_text(error.code()).size() + 1);
}

}  // namespace lekt

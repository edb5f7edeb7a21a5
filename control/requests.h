// The requests of the control socket: one JSON object a line in, one out.
//
//     {"command":"kick","address":"10.0.0.7"}  ->  {"ok":true,"result":{"sessions":1,"was_waiting":false}}
//                                                  {"ok":false,"code":"E803","message":"..."}
//
// Knows no sockets. Whatever the line holds, there is an answer and nothing is thrown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/cidr.h"
#include "server/operations.h"

namespace lekt::control {

/// What a line of the log says of a request that was understood.
struct Request {
  std::string command;  ///< empty when the line was not understood
  std::string subject;  ///< address or block; may be empty
  bool steers = false;  ///< changes something
};

/// The most that "rejects" may be asked for.
inline constexpr std::size_t rejects_max = 1000;

struct Answer {
  Request request;
  bool done = false;
  std::string line;  ///< without a line feed
};

/// Takes as long as the operation does: seconds at worst.
Answer answer_request(std::string_view line, Operations& operations);

/// What is wrong with the reason of a ban, or nothing: it is one line of at most 200 bytes.
std::optional<std::string> problem_of_reason(std::string_view reason);

/// What is said when a ban is to be lifted that is not there.
std::string missing_ban(const Cidr& block);

/// The answer to a line that is not even looked at.
std::string refusal(const std::string& message);

}  // namespace lekt::control

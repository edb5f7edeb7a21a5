// What the server does with the requests of the control socket (messages.h): one JSON object a line in, one out.
//
// Knows no sockets. Whatever the line holds, there is an answer and nothing is thrown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/block.h"
#include "control/messages.h"
#include "server/operators/operations.h"

namespace lekt::control {

/// What the log says of a request that was understood.
struct Request {
  std::string command;   ///< empty when the line was not understood
  std::string subject;   ///< address, block or device; may be empty
  bool steers = false;   ///< whether it changes something
  bool reveals = false;  ///< whether it shows what is private to a user
};

struct Answer {
  Request request;
  bool done = false;
  std::string line;  ///< without a line feed
};

/// A line that was read and checked. Only run() asks the server for anything.
class ReadRequest {
 public:
  ReadRequest(std::string_view line, Operations& operations);

  Lane lane() const { return lane_; }
  /// Carries the request out. Takes as long as the operation: seconds at worst, minutes for a compaction. Called once.
  Answer run();

 private:
  void read(std::string_view line, Operations& operations);

  Lane lane_ = Lane::look;
  Answer answer_;                 ///< why the line was refused, until run()
  std::function<Json()> action_;  ///< empty for a line that was refused
};

/// What is wrong with the reason given for a ban, or nothing. A reason is one line of at most 200 bytes.
std::optional<std::string> problem_of_reason(std::string_view reason);

/// The message when there is no device with this uid, or at this address.
std::string missing_device(const std::string& uid_or_address);

/// The message when a ban is to be lifted that does not exist.
std::string missing_ban(const Block& block);

/// The answer to a line that is refused without being looked at.
std::string refusal(const std::string& message);

}  // namespace lekt::control

// A request and its answer as those see them who answer: without sockets, without the HTTP library.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/errors.h"

namespace lekt::admin {

struct Request {
  std::string path;                               ///< decoded, without the parameters
  std::map<std::string, std::string> parameters;  ///< decoded; of one that is given twice, the first
  std::string last_event_id;                      ///< empty unless a listener comes back
};

/// What a listener of events gets next, maybe nothing yet; nothing at all ends the answer. Waits about a
/// second at most, so that a listener who has gone is soon found out.
using EventSource = std::function<std::optional<std::string>()>;

struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  EventSource events;               ///< if set, the answer is what it gives, as long as it gives
  std::string content_policy = {};  ///< of a page, what its Content-Security-Policy allows
};

/// The JSON of every error: {"code":"E803","message":"..."}.
Answer error_answer(int status, ErrorCode code, const std::string& message);

/// Called on many threads at once. What it throws is answered with 503.
using Answerer = std::function<Answer(const Request&)>;

}  // namespace lekt::admin

// A request and its answer as the answerer sees them: without sockets, without the HTTP library.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/errors.h"

namespace lekt::admin {

struct Request {
  std::string path;                               ///< decoded, without the parameters
  std::map<std::string, std::string> parameters;  ///< decoded; the first value of one that is given twice
  std::string last_event_id;                      ///< empty unless a listener of events comes back
};

/// Yields what a listener of events gets next, which may be an empty text; nothing ends the answer. Waits a second or so
/// at most, so that a listener that has gone is noticed soon.
using EventSource = std::function<std::optional<std::string>()>;

struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  EventSource events;               ///< if set, the answer is what this yields until it ends
  std::string content_policy = {};  ///< a page's Content-Security-Policy
};

/// The JSON of every error: {"code":"E803","message":"..."}.
Answer error_answer(int status, ErrorCode code, const std::string& message);

/// Answers requests. Called on many threads at once; what it throws is answered with 503.
using Answerer = std::function<Answer(const Request&)>;

}  // namespace lekt::admin

#include "client/command/connection_event.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace lekt::command {

std::string ConnectionEvent::code() const {
  const std::string word = reason.substr(0, reason.find(' '));
  const bool is_code = word.size() == 4 && word[0] == 'E' &&
                       std::all_of(word.begin() + 1, word.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_code ? word : "";
}

std::string_view name_of(ConnectionEvent::Kind kind) {
  switch (kind) {
    case ConnectionEvent::Kind::joined:
      return "joined";
    case ConnectionEvent::Kind::complete:
      return "complete";
    case ConnectionEvent::Kind::lost:
      return "lost";
    default:
      return "refused";
  }
}

ConnectionEvent event_of(const Disconnection& end, const std::string& server) {
  ConnectionEvent event{end.rejected ? ConnectionEvent::Kind::refused : ConnectionEvent::Kind::lost, server};
  event.reason = end.reason;
  if (!end.permanent) event.retry_in = end.retry_in;
  return event;
}

std::string json_of(const ConnectionEvent& event) {
  nlohmann::ordered_json json{{"event", name_of(event.kind)}};
  switch (event.kind) {
    case ConnectionEvent::Kind::joined:
      json["server"] = event.server;
      json["address"] = nullptr;
      if (event.address) json["address"] = to_string(*event.address);
      break;
    case ConnectionEvent::Kind::complete:
      json["peers"] = event.peers;
      break;
    default:
      json["server"] = event.server;
      json["code"] = nullptr;
      if (const std::string code = event.code(); !code.empty()) json["code"] = code;
      json["reason"] = event.reason;
      json["retry_in_ms"] = nullptr;
      if (event.retry_in) json["retry_in_ms"] = event.retry_in->count();
  }
  // A reason is printable already; text that is not UTF-8 must not throw.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

std::vector<std::string> variables_of(const ConnectionEvent& event) {
  std::vector<std::string> variables = {"LEKT_EVENT=" + std::string(name_of(event.kind)),
                                        "LEKT_SERVER=" + event.server,
                                        "LEKT_ADDRESS=" + (event.address ? to_string(*event.address) : "")};
  if (event.kind == ConnectionEvent::Kind::complete)
    variables.push_back("LEKT_PEERS=" + std::to_string(event.peers));
  if (event.reason.empty()) return variables;
  variables.push_back("LEKT_CODE=" + event.code());
  variables.push_back("LEKT_REASON=" + event.reason);
  variables.push_back("LEKT_RETRY_IN_MS=" + (event.retry_in ? std::to_string(event.retry_in->count()) : ""));
  return variables;
}

}  // namespace lekt::command

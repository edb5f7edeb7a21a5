// What operators see, as JSON: one form for the control socket, the page's API and `lektctl --json`
// (docs/lektctl.md).
//
// Keys are snake_case and keep their order. Times are ISO 8601 in UTC, null when there is none; durations are
// seconds as numbers (`_seconds`), sizes bytes (`_bytes`); codes are "E404", addresses dotted. Text that a
// peer or an operator chose is a JSON string like any other: whoever shows it escapes it for his medium.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/cidr.h"
#include "server/change_feed.h"
#include "server/operations.h"
#include "server/status.h"
#include "storage/reader.h"

namespace lekt::control {

using Json = nlohmann::ordered_json;

/// One line without a line feed; bytes that are not UTF-8 become U+FFFD.
std::string to_line(const Json& json);

/// A block as operators write it: "10.0.0.7" for one address, "10.0.0.0/8" for more.
std::string block_text(const Cidr& block);

// ---- The running server ----

Json to_json(const Totals& totals);
Json to_json(const Rates& rates);
Json to_json(const Status& status);
Json to_json(const HandshakeStatus& handshake);
Json to_json(const SessionStatus& session);
Json to_json(const RejectStatus& reject);
Json to_json(const TraceStatus& trace);
Json to_json(const Operations::Kicked& kicked);
Json to_json(const Operations::Banned& banned);
Json to_json(const Operations::Compacted& compacted);
/// As a stored change, but of kind "added" also when only its methods have changed.
Json to_json(const ChangeFeed::Entry& entry);

// ---- The database ----

Json to_json(const storage::Warning& warning);
Json to_json(const storage::CodeCount& code);
Json to_json(const storage::StoredServer& server);
Json to_json(const storage::StoredClient& client);
Json to_json(const storage::StoredChange& change);
Json to_json(const storage::Ban& ban);

/// An array of them.
template <class Element>
Json to_json(const std::vector<Element>& elements) {
  Json array = Json::array();
  for (const Element& element : elements) array.push_back(to_json(element));
  return array;
}

}  // namespace lekt::control

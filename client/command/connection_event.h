// What happens to the membership, told to programs so that they can distinguish an empty list from no connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "common/address.h"

namespace lekt::command {

struct ConnectionEvent {
  enum class Kind : std::uint8_t {
    joined,    ///< the server has registered this program; its list follows
    complete,  ///< all changes since the last connection have been told: the list is the server's
    lost,      ///< the connection has ended, or cannot be made
    refused,   ///< the server does not accept this program
  };
  Kind kind = Kind::joined;
  std::string server = {};
  std::optional<Address> address = {};  ///< joined: where this program connects from, if known
  std::size_t peers = 0;                ///< complete: how many there are
  std::string reason = {};              ///< lost, refused: one line that begins with a code
  /// lost, refused: how soon the next attempt is; nothing: never
  std::optional<std::chrono::milliseconds> retry_in = {};

  /// The code of the reason, as "E301"; empty if it has none.
  std::string code() const;
};

std::string_view name_of(ConnectionEvent::Kind kind);

/// The event of a connection that ended.
ConnectionEvent event_of(const Disconnection& end, const std::string& server);

/// The event as JSON:
/// {"event":"joined","server":"10.0.0.1","address":"10.0.0.7"}
/// {"event":"complete","peers":3}
/// {"event":"lost","code":"E702","reason":"E702 the server ...","retry_in_ms":500}
/// {"event":"refused","code":"E104","reason":"E104 ...","retry_in_ms":null}
std::string json_of(const ConnectionEvent& event);

/// The event as variables, NAME=value: LEKT_EVENT, LEKT_SERVER, LEKT_ADDRESS, LEKT_PEERS, LEKT_CODE, LEKT_REASON,
/// LEKT_RETRY_IN_MS.
std::vector<std::string> variables_of(const ConnectionEvent& event);

}  // namespace lekt::command

// The database as operators see it: typed rows, read through a connection that cannot write.
//
// It works while a server runs, after a clean stop and after a crash, and never delays the server. Each call
// sees one state of the database; a call that takes long keeps the server's log from being used again
// meanwhile. Rows are not checked as the server checks them (storage/check.h does that). Where an older schema
// has no table, there are no rows.
//
// The structs list their `fields` with the names that operators know (server/operators/json.h).
//
// A reader keeps the file that it has opened: after a restore, open another one. One thread owns and uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/block.h"
#include "storage/database.h"

namespace lekt::storage {

/// The state of a client. connected: it has a session. waiting: it is present, but the server has stopped, or
/// the client has not come back since the server's start. removed: it was here, and is remembered until the
/// retention is over. After a crash, clients that were connected are still shown as connected.
enum class ClientStatus : std::uint8_t { connected, waiting, removed };
std::string_view to_string(ClientStatus status);
std::optional<ClientStatus> parse_client_status(std::string_view text);

struct StoredClient {
  Address address;
  ClientStatus status = ClientStatus::waiting;
  std::string methods;         ///< in words, at most 500 characters; of a removed client, the last known
  std::uint32_t sessions = 0;  ///< 0 unless it is connected
  std::int64_t since = 0;      ///< when it became present, in Unix seconds, as everywhere here
  std::int64_t heard = 0;      ///< last heartbeat or join, written every few seconds; 0: not known
  std::int64_t second = 0;     ///< when its newest change was
  std::uint64_t sequence = 0;  ///< number of its newest change
  std::string reason = {};     ///< why it was removed, as in StoredChange; empty while it is present

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("address", self.address);
    io.field("status", self.status);
    io.field("methods", self.methods);
    io.field("sessions", self.sessions);
    io.time("since", self.since);
    io.time_or_never("last_heard", self.heard);
    io.time("last_change", self.second);
    io.field("sequence", self.sequence);
    io.field("reason", self.reason);
  }
};

/// The client as the server knows it, with this number of sessions. That a client has come back after a restart,
/// and how many sessions it has, reaches the database a few seconds late. A removed client stays removed.
StoredClient as_connected(StoredClient client, std::size_t sessions);

/// The part of a present client that means something in another database, too.
struct PortableClient {
  Address address;
  std::int64_t since = 0;
  std::int64_t heard = 0;  ///< 0: not known
  Methods methods;
};

struct ClientQuery {
  enum class Order : std::uint8_t {
    address,
    since,  ///< the newest first
    heard,  ///< the one that has been silent for longest first
  };
  Block block = Block::everyone();
  std::string method = {};                  ///< its name, or "?9" if it has none; empty: any
  std::optional<ClientStatus> status = {};  ///< nothing: all that are present
  Order order = Order::address;
  std::optional<Address> after = {};  ///< only higher addresses, for page after page
  std::size_t count_max = std::numeric_limits<std::int64_t>::max();
};

/// The list of fields of a change, as operators see it: of a stored one, and of one that the server has just made.
template <class Self, class Io>
void change_fields(Self& self, Io& io) {
  io.field("sequence", self.sequence);
  io.time("time", self.second);
  io.field("kind", self.kind);
  io.field("address", self.address);
  io.field("methods", self.methods);
  io.field("reason", self.reason);
}

enum class ChangeKind : std::uint8_t { added, changed, removed };
std::string_view to_string(ChangeKind kind);

struct StoredChange {
  std::uint64_t sequence = 0;
  std::int64_t second = 0;
  ChangeKind kind = ChangeKind::added;
  Address address;
  std::string methods;  ///< in words; empty for a removal
  std::string reason;   ///< why it was removed: "closed", "lost", "not back", or a code; empty: not known

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    change_fields(self, io);
  }
};

/// Which changes to read. Only the newest 10,000 are kept.
struct ChangeQuery {
  std::uint64_t after = 0;                                        ///< only higher sequences
  std::int64_t since = std::numeric_limits<std::int64_t>::min();  ///< this second and later ones
  Block block = Block::everyone();
  std::size_t count_max = std::numeric_limits<std::int64_t>::max();  ///< the newest ones
};

struct StoredServer {
  std::string version;  ///< version of the program that runs, or ran last
  std::int64_t created = 0;
  std::int64_t started = 0;             ///< the last start
  std::optional<std::int64_t> stopped;  ///< the clean stop; nothing while it runs and after a crash
  std::int64_t run = 0;                 ///< how often it has started so far
  LogState log;
  std::string identity;       ///< of the change log, in hexadecimal; empty if it has none yet
  std::size_t clients = 0;    ///< clients that are present
  std::size_t connected = 0;  ///< those of them that have a session
  std::size_t removed = 0;    ///< removed clients that are still remembered
  int schema_version = 0;
  std::uint64_t database_bytes = 0;
  std::uint64_t wal_bytes = 0;  ///< size of the write-ahead log

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("version", self.version);
    io.time("created", self.created);
    io.time("started", self.started);
    io.time("stopped", self.stopped);
    io.field("starts", self.run);
    io.field("clients", self.clients);
    io.field("connected", self.connected);
    io.field("removed", self.removed);
    io.field("sequence", self.log.sequence);
    io.time("newest_second", self.log.second);
    io.time("history_begins", self.log.history_begins);
    io.field("identity", self.identity);
    io.field("schema_version", self.schema_version);
    io.field("database_bytes", self.database_bytes);
    io.field("wal_bytes", self.wal_bytes);
  }
};

/// A device, as the database has it.
struct StoredDevice {
  DeviceRow row;  ///< its sessions: all that it has begun since it was seen first
  std::int64_t first_seen = 0;
};

class Reader {
 public:
  /// Opens the database. Throws CodedError E503 (missing, or may not be read), E505 (not ours), E506 (damaged)
  /// and E507 (a newer program's). Everything below throws E503 and E506.
  explicit Reader(const std::filesystem::path& path);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  StoredServer server();
  void clients(const ClientQuery& query, const std::function<void(StoredClient&&)>& take);
  std::vector<StoredClient> clients(const ClientQuery& query);
  /// The client of this address, present or removed; nothing if the database does not know the address.
  std::optional<StoredClient> client(Address address);
  /// Calls `take` with all present clients, by address. If a row is wrong, CodedError E506 names it.
  void portable_clients(const std::function<void(PortableClient&&)>& take);
  std::vector<StoredChange> changes(const ChangeQuery& query);  ///< ascending
  std::vector<Ban> bans();                                      ///< the latest first
  std::vector<CodeCount> codes();                               ///< the latest first
  std::vector<Warning> warnings();                              ///< the latest first
  std::vector<StoredDevice> devices();                          ///< the one first that was seen last
  std::vector<DeviceSessionRow> device_sessions();              ///< by number; none if the server has stopped
  std::vector<DeviceAlertRow> device_alerts();                  ///< the newest first

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt::storage

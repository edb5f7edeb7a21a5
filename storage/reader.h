// The database as operators see it: typed rows, read through a connection that cannot write.
//
// Works while a server runs, after a clean stop and after a crash, and never delays the server. Each call
// sees one state of the database; a call that takes long keeps the server's log from being used again
// meanwhile. Rows are not checked as the server checks them (that is storage/check.h), and a schema older
// than this program's has no rows where it has no table.
//
// It keeps the file that it has opened: after a restore, open another. One thread owns and uses it.
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
#include "common/cidr.h"
#include "storage/database.h"

namespace lekt::storage {

/// connected: has a session. waiting: present, but the server has stopped, or the client has not come back
/// since its start. removed: it was here, and is remembered until the retention is over. After a crash those
/// who were connected still are shown so.
enum class ClientStatus : std::uint8_t { connected, waiting, removed };
std::string_view to_string(ClientStatus status);
std::optional<ClientStatus> parse_client_status(std::string_view text);

struct StoredClient {
  Ipv4Address address;
  ClientStatus status = ClientStatus::waiting;
  std::string methods;         ///< in words, at most 500 characters; of a removed client: the last known
  std::uint32_t sessions = 0;  ///< 0 unless it is connected
  std::int64_t since = 0;      ///< Unix seconds, as everywhere here; when it became present
  std::int64_t heard = 0;      ///< last heartbeat or join, written every few seconds; 0: not known
  std::int64_t second = 0;     ///< of its newest change
  std::uint64_t sequence = 0;  ///< of its newest change
};

/// What of a client that is present means something in another database, too.
struct PortableClient {
  Ipv4Address address;
  std::int64_t since = 0;
  std::int64_t heard = 0;  ///< 0: not known
  Methods methods;
};

struct ClientQuery {
  enum class Order : std::uint8_t {
    address,
    since,  ///< the newest first
    heard,  ///< who was silent for longest first
  };
  Cidr block{{0}, 0};
  std::string method = {};                  ///< by name, "?9" for one without; empty: any
  std::optional<ClientStatus> status = {};  ///< without: all that are present
  Order order = Order::address;
  std::optional<Ipv4Address> after = {};  ///< only higher addresses: to ask for page after page
  std::size_t count_max = std::numeric_limits<std::int64_t>::max();
};

enum class ChangeKind : std::uint8_t { added, changed, removed };
std::string_view to_string(ChangeKind kind);

struct StoredChange {
  std::uint64_t sequence = 0;
  std::int64_t second = 0;
  ChangeKind kind = ChangeKind::added;
  Ipv4Address address;
  std::string methods;  ///< in words; empty for a removal
};

/// Of the newest 10,000 changes; more are not kept.
struct ChangeQuery {
  std::uint64_t after = 0;                                        ///< sequence
  std::int64_t since = std::numeric_limits<std::int64_t>::min();  ///< this second and later ones
  Cidr block{{0}, 0};
  std::size_t count_max = std::numeric_limits<std::int64_t>::max();  ///< the newest ones
};

struct StoredServer {
  std::string version;  ///< of the program that runs, or ran last
  std::int64_t created = 0;
  std::int64_t started = 0;             ///< the last start
  std::optional<std::int64_t> stopped;  ///< the clean stop; nothing while it runs and after a crash
  std::int64_t run = 0;                 ///< starts so far
  LogState log;
  std::size_t clients = 0;    ///< present
  std::size_t connected = 0;  ///< of these
  std::size_t removed = 0;    ///< still remembered
  int schema_version = 0;
  std::uint64_t database_bytes = 0;
  std::uint64_t wal_bytes = 0;  ///< of the write-ahead log
};

class Reader {
 public:
  /// Throws CodedError E503 (missing, or may not be read), E505 (not ours), E506 (damaged), E507 (of a newer
  /// program); everything below throws E503 and E506.
  explicit Reader(const std::filesystem::path& path);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  StoredServer server();
  void clients(const ClientQuery& query, const std::function<void(StoredClient&&)>& take);
  std::vector<StoredClient> clients(const ClientQuery& query);
  /// Present or removed; nothing when the database does not know the address.
  std::optional<StoredClient> client(Ipv4Address address);
  /// All that are present, by address. Throws CodedError E506 as well, naming the row.
  void portable_clients(const std::function<void(PortableClient&&)>& take);
  std::vector<StoredChange> changes(const ChangeQuery& query);  ///< ascending
  std::vector<Ban> bans();                                      ///< the latest first
  std::vector<CodeCount> codes();                               ///< the latest first
  std::vector<Warning> warnings();                              ///< the latest first

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt::storage

#include "storage/reader.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include "storage/address_column.h"
#include "storage/database_files.h"
#include "storage/open_errors.h"
#include "storage/read_only.h"
#include "storage/record.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

// Columns of a StoredClient. A client that is present is connected when this run of the server has sessions.
constexpr std::string_view client_columns = R"sql(
  SELECT address,
         CASE WHEN present = 0 THEN 2
              WHEN sessions > 0 AND run = (SELECT run FROM server_record WHERE stopped IS NULL) THEN 0
              ELSE 1 END AS status,
         methods, sessions, since, heard, second, sequence, $reason
    FROM client_record
)sql";

// The bound of the page comes first, so that SQLite walks the index on the address from there.
constexpr std::string_view client_filter = R"sql(
   WHERE address BETWEEN ?1 AND ?2
     AND (?3 = '' OR instr(' ' || methods, ' ' || ?3 || ':') > 0)
     AND iif(?4 < 0, status <> 2, status = ?4)
)sql";

constexpr std::string_view change_sql = R"sql(
  SELECT * FROM (
    SELECT sequence, second, kind, address, methods, $reason FROM change_record
     WHERE sequence > ?1 AND second >= ?2 AND address BETWEEN ?3 AND ?4 ORDER BY sequence DESC LIMIT ?5)
   ORDER BY sequence
)sql";

constexpr std::string_view bans_wanted_sql =
    "SELECT address, prefix, second, reason, $until FROM ban_record ORDER BY second DESC, address, prefix";

/// A column that an older schema lacks: its name in queries, its name in the schema, and its stand-in where it is
/// missing.
struct YoungerColumn {
  std::string_view name;
  std::string_view column;
  std::string_view without;
  int since;  ///< the migration that added it
};
constexpr std::array<YoungerColumn, 3> younger_columns = {
    {{"$reason", "reason", "'' AS reason", version_of_reasons},
     {"$until", "until", "NULL AS until", version_of_reasons},
     {"$identity", "lower(hex(identity))", "''", version_of_identity}}};

constexpr std::string_view server_sql = R"sql(
  SELECT version, created, started, stopped, run, second, sequence, history_begins, forgotten_sequence,
         (SELECT count(*) FROM client_record WHERE present = 1),
         (SELECT count(*) FROM client_record AS client
           WHERE present = 1 AND sessions > 0 AND client.run = server_record.run AND stopped IS NULL),
         (SELECT count(*) FROM client_record WHERE present = 0),
         $identity
    FROM server_record
)sql";

constexpr const char* devices_sql = R"sql(
  SELECT uid, string, type, version, system, rows, columns, address, device_group, seen, sessions, first_seen
    FROM device_record ORDER BY seen DESC, uid
)sql";

constexpr const char* device_sessions_sql = R"sql(
  SELECT number, uid, address, port, client_port, device_group, state, dtls, began, heard
    FROM device_session_record WHERE (SELECT stopped FROM server_record) IS NULL ORDER BY number
)sql";

constexpr const char* device_alerts_sql =
    "SELECT second, code, address, uid, message FROM device_alert_record ORDER BY number DESC";

constexpr std::array<std::string_view, 3> status_names = {"connected", "waiting", "removed"};
constexpr std::array<std::string_view, 3> kind_names = {"added", "changed", "removed"};

Address address_in(const SQLite::Column& column) { return stored_address(column.getInt64()); }

std::uint64_t unsigned_in(const SQLite::Column& column) {
  return static_cast<std::uint64_t>(column.getInt64());
}

std::string_view order_of(ClientQuery::Order order) {
  switch (order) {
    case ClientQuery::Order::since:
      return " ORDER BY since DESC, address";
    case ClientQuery::Order::heard:
      return " ORDER BY heard, address";
    default:
      return " ORDER BY address";
  }
}

StoredClient read_client(SQLite::Statement& row) {
  StoredClient client;
  client.address = address_in(row.getColumn(0));
  client.status = static_cast<ClientStatus>(row.getColumn(1).getInt());
  client.methods = row.getColumn(2).getString();
  if (client.status == ClientStatus::connected) client.sessions = row.getColumn(3).getUInt();
  client.since = row.getColumn(4).getInt64();
  client.heard = row.getColumn(5).getInt64();
  client.second = row.getColumn(6).getInt64();
  client.sequence = unsigned_in(row.getColumn(7));
  client.reason = row.getColumn(8).getString();
  return client;
}

StoredChange read_stored_change(SQLite::Statement& row) {
  const std::string kind = row.getColumn(2).getString();
  return {.sequence = unsigned_in(row.getColumn(0)),
          .second = row.getColumn(1).getInt64(),
          .kind = kind == "added"     ? ChangeKind::added
                  : kind == "changed" ? ChangeKind::changed
                                      : ChangeKind::removed,
          .address = address_in(row.getColumn(3)),
          .methods = row.getColumn(4).getString(),
          .reason = row.getColumn(5).getString()};
}

StoredDevice read_stored_device(SQLite::Statement& row) {
  return {{.uid = row.getColumn(0).getString(),
           .text = row.getColumn(1).getString(),
           .type = row.getColumn(2).getString(),
           .version = row.getColumn(3).getString(),
           .system = row.getColumn(4).getString(),
           .rows = unsigned_in(row.getColumn(5)),
           .columns = unsigned_in(row.getColumn(6)),
           .address = address_in(row.getColumn(7)),
           .device_group = row.getColumn(8).getString(),
           .seen = row.getColumn(9).getInt64(),
           .sessions = unsigned_in(row.getColumn(10))},
          row.getColumn(11).getInt64()};
}

DeviceSessionRow read_device_session(SQLite::Statement& row) {
  return {.number = unsigned_in(row.getColumn(0)),
          .uid = row.getColumn(1).getString(),
          .address = address_in(row.getColumn(2)),
          .port = static_cast<std::uint16_t>(row.getColumn(3).getUInt()),
          .client_port = static_cast<std::uint16_t>(row.getColumn(4).getUInt()),
          .device_group = row.getColumn(5).getString(),
          .state = row.getColumn(6).getString(),
          .dtls = row.getColumn(7).getInt() != 0,
          .began = row.getColumn(8).getInt64(),
          .heard = row.getColumn(9).getInt64()};
}

}  // namespace

std::string_view to_string(ClientStatus status) { return status_names[static_cast<std::size_t>(status)]; }

std::optional<ClientStatus> parse_client_status(std::string_view text) {
  for (std::size_t index = 0; index < status_names.size(); ++index)
    if (status_names[index] == text) return static_cast<ClientStatus>(index);
  return std::nullopt;
}

StoredClient as_connected(StoredClient client, std::size_t sessions) {
  if (sessions == 0 || client.status == ClientStatus::removed) return client;
  client.status = ClientStatus::connected;
  client.sessions = static_cast<std::uint32_t>(sessions);
  return client;
}

std::string_view to_string(ChangeKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

class Reader::Implementation {
 public:
  explicit Implementation(const fs::path& path) : path_(path), database_(open_read_only(path)) {}

  /// Calls `take` with each row of the query, whose values `bind` binds.
  template <class Bind, class Take>
  void each(std::string_view sql, Bind bind, Take take) {
    with_open_errors(path_, [&] {
      // Only the first step begins to read, so nothing has been taken yet when it is tried again.
      std::optional<SQLite::Statement> row;
      bool found = retried([&] {
        row.emplace(database_, std::string(sql));
        bind(*row);
        return row->executeStep();
      });
      for (; found; found = row->executeStep()) take(*row);
    });
  }

  /// The text of a query with the younger columns as this database has them.
  std::string with_columns(std::string_view sql) {
    const int found = version();
    std::string text(sql);
    for (const auto& [name, column, without, since] : younger_columns)
      if (const std::size_t at = text.find(name); at != text.npos)
        text.replace(at, name.size(), found >= since ? column : without);
    return text;
  }

  template <class Take>
  void each(std::string_view sql, Take take) {
    each(
        sql, [](SQLite::Statement&) {}, take);
  }

  bool has(int version_of_table) { return version() >= version_of_table; }

  int version() {
    return with_open_errors(path_, [&] { return retried([&] { return schema_version(database_); }); });
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  SQLite::Database database_;
};

Reader::Reader(const fs::path& path) : implementation_(std::make_unique<Implementation>(path)) {}
Reader::~Reader() = default;

StoredServer Reader::server() {
  StoredServer server;
  bool found = false;
  implementation_->each(implementation_->with_columns(server_sql), [&](SQLite::Statement& row) {
    found = true;
    server.version = row.getColumn(0).getString();
    server.created = row.getColumn(1).getInt64();
    server.started = row.getColumn(2).getInt64();
    if (!row.getColumn(3).isNull()) server.stopped = row.getColumn(3).getInt64();
    server.run = row.getColumn(4).getInt64();
    server.log = {.second = row.getColumn(5).getInt64(),
                  .sequence = unsigned_in(row.getColumn(6)),
                  .history_begins = row.getColumn(7).getInt64(),
                  .forgotten_sequence = unsigned_in(row.getColumn(8))};
    server.clients = unsigned_in(row.getColumn(9));
    server.connected = unsigned_in(row.getColumn(10));
    server.removed = unsigned_in(row.getColumn(11));
    server.identity = row.getColumn(12).getString();
  });
  if (!found) throw_corrupt(implementation_->path(), "server_record is empty");
  server.schema_version = implementation_->version();
  server.database_bytes = size_of(implementation_->path());
  server.wal_bytes = size_of(log_of(implementation_->path()));
  return server;
}

void Reader::clients(const ClientQuery& query, const std::function<void(StoredClient&&)>& take) {
  const std::string sql = implementation_->with_columns(client_columns) + std::string(client_filter) +
                          std::string(order_of(query.order)) + " LIMIT ?5";
  const std::int64_t after = query.after ? stored_number(*query.after) + 1 : 0;
  implementation_->each(
      sql,
      [&](SQLite::Statement& row) {
        row.bind(1, std::max(stored_number(query.block.first()), after));
        row.bind(2, stored_number(query.block.last()));
        row.bind(3, query.method);
        row.bind(4, query.status ? static_cast<int>(*query.status) : -1);
        row.bind(5, static_cast<std::int64_t>(query.count_max));
      },
      [&](SQLite::Statement& row) { take(read_client(row)); });
}

std::vector<StoredClient> Reader::clients(const ClientQuery& query) {
  std::vector<StoredClient> found;
  clients(query, [&](StoredClient&& client) { found.push_back(std::move(client)); });
  return found;
}

std::optional<StoredClient> Reader::client(Address address) {
  std::optional<StoredClient> found;
  implementation_->each(
      implementation_->with_columns(client_columns) + " WHERE address = ?1",
      [&](SQLite::Statement& row) { row.bind(1, stored_number(address)); },
      [&](SQLite::Statement& row) { found = read_client(row); });
  return found;
}

void Reader::portable_clients(const std::function<void(PortableClient&&)>& take) {
  implementation_->each(
      "SELECT address, since, heard, record FROM client_record WHERE present = 1 ORDER BY address",
      [&](SQLite::Statement& row) {
        const Address address = address_in(row.getColumn(0));
        auto methods = decode_record(row.getColumn(3).getString());
        if (!methods) throw RowError("client_record, " + to_string(address) + ": its record cannot be read");
        take({address, row.getColumn(1).getInt64(), row.getColumn(2).getInt64(), std::move(*methods)});
      });
}

std::vector<StoredChange> Reader::changes(const ChangeQuery& query) {
  std::vector<StoredChange> found;
  implementation_->each(
      implementation_->with_columns(change_sql),
      [&](SQLite::Statement& row) {
        row.bind(1, static_cast<std::int64_t>(query.after));
        row.bind(2, query.since);
        row.bind(3, stored_number(query.block.first()));
        row.bind(4, stored_number(query.block.last()));
        row.bind(5, static_cast<std::int64_t>(query.count_max));
      },
      [&](SQLite::Statement& row) { found.push_back(read_stored_change(row)); });
  return found;
}

std::vector<Ban> Reader::bans() {
  std::vector<Ban> found;
  if (!implementation_->has(version_of_bans)) return found;
  implementation_->each(implementation_->with_columns(bans_wanted_sql), [&](SQLite::Statement& row) {
    Ban ban{read_block(row.getColumn(0), row.getColumn(1)), row.getColumn(2).getInt64(),
            row.getColumn(3).getString()};
    if (!row.getColumn(4).isNull()) ban.until = row.getColumn(4).getInt64();
    found.push_back(std::move(ban));
  });
  return found;
}

std::vector<CodeCount> Reader::codes() {
  std::vector<CodeCount> found;
  if (!implementation_->has(version_of_codes)) return found;
  implementation_->each("SELECT code, count, second FROM code_record ORDER BY second DESC, code",
                        [&](SQLite::Statement& row) {
                          found.push_back({static_cast<ErrorCode>(row.getColumn(0).getInt()),
                                           unsigned_in(row.getColumn(1)), row.getColumn(2).getInt64()});
                        });
  return found;
}

std::vector<Warning> Reader::warnings() {
  std::vector<Warning> found;
  if (!implementation_->has(version_of_codes)) return found;
  implementation_->each("SELECT code, second, message FROM warning_record ORDER BY second DESC, code",
                        [&](SQLite::Statement& row) {
                          found.push_back({static_cast<ErrorCode>(row.getColumn(0).getInt()),
                                           row.getColumn(1).getInt64(), row.getColumn(2).getString()});
                        });
  return found;
}

std::vector<StoredDevice> Reader::devices() {
  std::vector<StoredDevice> found;
  if (!implementation_->has(version_of_devices)) return found;
  implementation_->each(devices_sql,
                        [&](SQLite::Statement& row) { found.push_back(read_stored_device(row)); });
  return found;
}

std::vector<DeviceSessionRow> Reader::device_sessions() {
  std::vector<DeviceSessionRow> found;
  if (!implementation_->has(version_of_devices)) return found;
  implementation_->each(device_sessions_sql,
                        [&](SQLite::Statement& row) { found.push_back(read_device_session(row)); });
  return found;
}

std::vector<DeviceAlertRow> Reader::device_alerts() {
  std::vector<DeviceAlertRow> found;
  if (!implementation_->has(version_of_devices)) return found;
  implementation_->each(device_alerts_sql, [&](SQLite::Statement& row) {
    found.push_back({row.getColumn(0).getInt64(), static_cast<ErrorCode>(row.getColumn(1).getInt()),
                     address_in(row.getColumn(2)), row.getColumn(3).getString(),
                     row.getColumn(4).getString()});
  });
  return found;
}

}  // namespace lekt::storage

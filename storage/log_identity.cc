#include "storage/log_identity.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "storage/tables.h"

namespace lekt::storage {

LogIdentity random_identity() {
  LogIdentity identity;
  // So few bytes come whole or not at all.
  if (getrandom(identity.data(), identity.size(), 0) != static_cast<ssize_t>(identity.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  return identity;
}

void name_log(SQLite::Database& database, const std::function<LogIdentity()>& make) {
  if (!database.execAndGet("SELECT identity FROM server_record").isNull()) return;
  const LogIdentity identity = make();
  SQLite::Statement statement(database, "UPDATE server_record SET identity = ?1");
  statement.bind(1, identity.data(), static_cast<int>(identity.size()));
  statement.exec();
}

LogIdentity read_identity(SQLite::Database& database) {
  SQLite::Statement row(database, "SELECT identity FROM server_record");
  if (!row.executeStep()) throw RowError("server_record is empty");
  const SQLite::Column column = row.getColumn(0);
  LogIdentity identity;
  if (column.getBytes() != static_cast<int>(identity.size()))
    throw RowError("server_record: identity has " + std::to_string(column.getBytes()) + " bytes, not " +
                   std::to_string(identity.size()));
  std::copy_n(static_cast<const std::uint8_t*>(column.getBlob()), identity.size(), identity.begin());
  return identity;
}

}  // namespace lekt::storage

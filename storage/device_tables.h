// The rows about devices in the tables of schema.sql. Everything here throws SQLite::Exception; transactions are the
// caller's.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>

#include "storage/device_rows.h"
#include "storage/refused_rows.h"

namespace lekt::storage {

/// Deletes the sessions of all devices: none has outlived the server that it belonged to.
void clear_device_sessions(SQLite::Database& database);

/// Writes rows with statements that are prepared once. Rows that the database refuses are left out.
class DeviceTableWriter {
 public:
  /// The database outlives this object.
  explicit DeviceTableWriter(SQLite::Database& database);

  /// Writes all rows. Those that the database refuses are noted in `refused`. Throws TransactionEnded.
  void write(const DeviceRows& rows, RefusedRows& refused);
  /// Deletes devices without a session that were not seen since this second, and then as many others as it takes to
  /// make room for devices_written_max. Throws TransactionEnded.
  void forget(std::int64_t before, RefusedRows& refused);

 private:
  void write(const DeviceRow& device);
  void write(const DeviceSessionRow& session);
  void write(const DeviceAlertRow& alert);

  SQLite::Statement see_;
  SQLite::Statement forget_old_;
  SQLite::Statement forget_beyond_;
  SQLite::Statement set_session_;
  SQLite::Statement end_session_;
  SQLite::Statement alert_;
  SQLite::Statement prune_alerts_;
};

}  // namespace lekt::storage

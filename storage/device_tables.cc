#include "storage/device_tables.h"

#include "common/errors.h"
#include "common/text.h"
#include "storage/address_column.h"
#include "storage/statements.h"

namespace lekt::storage {

namespace {

constexpr const char* see_device_sql = R"sql(
  INSERT INTO device_record (uid, string, type, version, system, rows, columns, address, device_group, first_seen, seen,
                             sessions)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11)
  ON CONFLICT (uid) DO UPDATE SET
    string = excluded.string,
    type = excluded.type,
    version = excluded.version,
    system = excluded.system,
    rows = excluded.rows,
    columns = excluded.columns,
    address = excluded.address,
    device_group = excluded.device_group,
    seen = max(seen, excluded.seen),
    sessions = sessions + excluded.sessions
)sql";

constexpr const char* forget_old_devices_sql = R"sql(
  DELETE FROM device_record WHERE seen < ?1 AND uid NOT IN (SELECT uid FROM device_session_record)
)sql";

constexpr const char* forget_devices_beyond_sql = R"sql(
  DELETE FROM device_record WHERE rowid IN (
    SELECT rowid FROM device_record ORDER BY seen LIMIT max((SELECT count(*) FROM device_record) - ?1, 0))
)sql";

constexpr const char* set_device_session_sql = R"sql(
  INSERT OR REPLACE INTO device_session_record (number, uid, address, port, client_port, device_group, state, dtls,
                                                began, heard)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
)sql";

constexpr const char* end_device_session_sql = "DELETE FROM device_session_record WHERE number = ?1";

constexpr const char* alert_sql =
    "INSERT INTO device_alert_record (second, code, address, uid, message) VALUES (?1, ?2, ?3, ?4, ?5)";

constexpr const char* prune_alerts_sql =
    "DELETE FROM device_alert_record WHERE number <= (SELECT max(number) FROM device_alert_record) - ?1";

constexpr std::int64_t signed_of(std::size_t number) { return static_cast<std::int64_t>(number); }

}  // namespace

void clear_device_sessions(SQLite::Database& database) { database.exec("DELETE FROM device_session_record"); }

DeviceTableWriter::DeviceTableWriter(SQLite::Database& database)
    : see_(database, see_device_sql),
      forget_old_(database, forget_old_devices_sql),
      forget_beyond_(database, forget_devices_beyond_sql),
      set_session_(database, set_device_session_sql),
      end_session_(database, end_device_session_sql),
      alert_(database, alert_sql),
      prune_alerts_(database, prune_alerts_sql) {}

void DeviceTableWriter::write(const DeviceRows& rows, RefusedRows& refused) {
  for (const DeviceRow& device : rows.devices)
    refused.attempt(
        RowKind::device, [&] { write(device); }, [&] { return "the device " + escape(device.uid); });
  for (const DeviceSessionRow& session : rows.sessions)
    refused.attempt(
        RowKind::device_session, [&] { write(session); },
        [&] {
          return "session " + std::to_string(session.number) + " of the device " + escape(session.uid);
        });
  for (const std::uint64_t number : rows.ended_sessions)
    refused.attempt(
        RowKind::device_session, [&] { execute(end_session_, signed_of(number)); },
        [&] { return "the end of session " + std::to_string(number) + " of a device"; });
  for (const DeviceAlertRow& alert : rows.alerts)
    refused.attempt(
        RowKind::device_alert, [&] { write(alert); },
        [&] { return "the alert " + code_text(alert.code) + " of " + to_string(alert.address); });
  if (!rows.alerts.empty())
    refused.attempt(
        RowKind::device_alert, [&] { execute(prune_alerts_, signed_of(device_alerts_max)); },
        [] { return "alerts that are too old"; });
}

void DeviceTableWriter::forget(std::int64_t before, RefusedRows& refused) {
  refused.attempt(
      RowKind::device,
      [&] {
        execute(forget_old_, before);
        execute(forget_beyond_, signed_of(devices_max - devices_written_max));
      },
      [] { return "devices that are forgotten"; });
}

void DeviceTableWriter::write(const DeviceRow& device) {
  see_.bindNoCopy(1, device.uid);
  see_.bindNoCopy(2, device.text);
  see_.bindNoCopy(3, device.type);
  see_.bindNoCopy(4, device.version);
  see_.bindNoCopy(5, device.system);
  see_.bind(6, signed_of(device.rows));
  see_.bind(7, signed_of(device.columns));
  see_.bind(8, stored_number(device.address));
  see_.bindNoCopy(9, device.device_group);
  see_.bind(10, device.seen);
  see_.bind(11, signed_of(device.sessions));
  execute(see_);
}

void DeviceTableWriter::write(const DeviceSessionRow& session) {
  set_session_.bind(1, signed_of(session.number));
  set_session_.bindNoCopy(2, session.uid);
  set_session_.bind(3, stored_number(session.address));
  set_session_.bind(4, session.port);
  set_session_.bind(5, session.client_port);
  set_session_.bindNoCopy(6, session.device_group);
  set_session_.bindNoCopy(7, session.state);
  set_session_.bind(8, session.dtls ? 1 : 0);
  set_session_.bind(9, session.began);
  set_session_.bind(10, session.heard);
  execute(set_session_);
}

void DeviceTableWriter::write(const DeviceAlertRow& alert) {
  alert_.bind(1, alert.second);
  alert_.bind(2, static_cast<std::int64_t>(alert.code));
  alert_.bind(3, stored_number(alert.address));
  alert_.bindNoCopy(4, alert.uid);
  alert_.bindNoCopy(5, alert.message);
  execute(alert_);
}

}  // namespace lekt::storage

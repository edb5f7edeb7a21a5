#include "storage/check.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>

#include "common/block.h"
#include "common/catalogue.h"
#include "common/method_words.h"
#include "common/text.h"
#include "storage/address_column.h"
#include "storage/open_errors.h"
#include "storage/read_only.h"
#include "storage/record.h"
#include "storage/schema_check.h"
#include "storage/tables.h"

namespace lekt::storage {

namespace {

/// The index in the words of a method that has no name: 9 in "?9:0000000a".
std::optional<std::uint32_t> index_in(std::string_view name) {
  if (!name.starts_with('?')) return std::nullopt;
  return static_cast<std::uint32_t>(std::strtoul(std::string(name.substr(1)).c_str(), nullptr, 10));
}

/// Whether the word can stand for the method. The names and forms of methods that are not built in are the server's
/// settings, which are not known here; but their content is always a part of the record. Method 3007 was such a
/// method of earlier servers.
bool can_stand_for(std::string_view word, const MethodInformation& method) {
  static const MethodCatalogue built_in;
  const Method* known = built_in.find(method.index);
  if (known != nullptr && (known->index != name_index || has_method(word, known->name)))
    return word == built_in.describe(method);
  const std::size_t colon = word.find(':');
  if (colon == word.npos) return false;
  const std::string_view content = word.substr(colon + 1);
  const std::string information = to_hex(method.information);
  const auto index = index_in(word.substr(0, colon));
  if (index) return *index == method.index && content == information;
  const ByteView text = MethodCatalogue::content_of({MethodForm::Kind::text, 0}, method.information);
  return information.find(content) != information.npos || content == text_word(text);
}

/// Says what is wrong with the words for these methods; nothing if they fit. Long words may have been cut at the end.
std::optional<std::string> compare(std::string_view words, const Methods& methods) {
  // A character of UTF-8 that does not fit leaves at most three bytes free.
  const bool cut =
      words.size() <= words_max && words.size() + 3 >= words_max && words.ends_with(words_ellipsis);
  for (const MethodInformation& method : methods) {
    const std::size_t end = first_word(words).size();
    if (cut && end == words.size()) return std::nullopt;
    if (!can_stand_for(words.substr(0, end), method))
      return "column methods has \"" + escape(words.substr(0, end)) + "\", the record has method " +
             std::to_string(method.index) + " with " + to_hex(method.information);
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  if (!words.empty()) return "column methods has \"" + escape(words) + "\", the record has no more methods";
  return std::nullopt;
}

class Checker {
 public:
  explicit Checker(SQLite::Database& database) : database_(database) {}

  CheckResult run() {
    SQLite::Transaction one_state(database_);
    // The first read of the transaction chooses the state.
    retried([&] { return schema_version(database_); });
    check_integrity();
    for (std::string& finding : schema_findings(database_)) find(std::move(finding));
    check_server();
    check_clients();
    check_changes();
    check_changes_against_clients();
    const int version = schema_version(database_);
    if (version >= version_of_bans) check_bans();
    if (version >= version_of_reasons) check_reasons();
    if (version >= version_of_devices) check_devices();
    return std::move(result_);
  }

 private:
  void find(std::string finding) {
    std::ranges::replace(finding, '\n', ' ');
    if (result_.findings.size() < CheckResult::findings_max) result_.findings.push_back(std::move(finding));
  }

  void find(const char* table, std::int64_t sequence, const std::string& what) {
    find(std::string(table) + ", sequence " + std::to_string(sequence) + ": " + what);
  }

  void check_integrity() {
    SQLite::Statement row(database_,
                          "PRAGMA integrity_check(" + std::to_string(CheckResult::findings_max) + ")");
    while (row.executeStep()) {
      const std::string finding = row.getColumn(0).getString();
      if (finding != "ok") find("SQLite: " + finding);
    }
  }

  void check_server() {
    try {
      server_ = read_server(database_);
    } catch (const RowError& error) {
      find(error.what());
      // Without the server's row there are no limits that other rows could exceed.
      server_.state.second = std::numeric_limits<std::int64_t>::max();
      server_.state.sequence = std::numeric_limits<std::int64_t>::max();
      return;
    }
    if (server_.state.history_begins > server_.state.second)
      find("server_record: history_begins " + std::to_string(server_.state.history_begins) +
           " is later than second " + std::to_string(server_.state.second));
  }

  /// Checks the place of a row in the history; `newest` is the newest second of the rows before it.
  void check_place(const char* table, std::int64_t sequence, std::int64_t second, std::int64_t& newest) {
    const auto last = static_cast<std::int64_t>(server_.state.sequence);
    if (sequence < 1 || sequence > last)
      find(table, sequence, "the sequence is not within 1 to " + std::to_string(last));
    if (second < newest)
      find(table, sequence,
           "second " + std::to_string(second) + " is before that of an earlier change, " +
               std::to_string(newest));
    if (second > server_.state.second)
      find(table, sequence,
           "second " + std::to_string(second) + " is later than the newest, " +
               std::to_string(server_.state.second));
    newest = std::max(newest, second);
  }

  void check_clients() {
    SQLite::Statement row(database_,
                          "SELECT sequence, second, present, since, methods, record, sessions, run, address "
                          "FROM client_record ORDER BY sequence");
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    while (row.executeStep()) {
      ++result_.clients;
      const std::int64_t sequence = row.getColumn(0).getInt64();
      const std::int64_t second = row.getColumn(1).getInt64();
      check_place("client_record", sequence, second, newest);
      check_columns(row, sequence, second);
      check_record(row, sequence);
    }
  }

  void check_columns(SQLite::Statement& row, std::int64_t sequence, std::int64_t second) {
    const std::int64_t since = row.getColumn(3).getInt64();
    const std::int64_t run = row.getColumn(7).getInt64();
    const std::int64_t address = row.getColumn(8).getInt64();
    if (since > second)
      find("client_record", sequence, "since " + std::to_string(since) + " is later than its second");
    if (run < 0 || run > server_.run)
      find("client_record", sequence,
           "run " + std::to_string(run) + " is not within 0 to " + std::to_string(server_.run));
    if (address < 1 || address > std::numeric_limits<std::uint32_t>::max())
      find("client_record", sequence, "address " + std::to_string(address) + " is not an IPv4 address");
  }

  void check_record(SQLite::Statement& row, std::int64_t sequence) {
    const auto methods = decode_record(row.getColumn(5).getString());
    if (!methods) return find("client_record", sequence, "its record cannot be read");
    if (row.getColumn(2).getInt() == 0) {
      if (!methods->empty()) find("client_record", sequence, "a removed client has methods");
      if (row.getColumn(6).getInt64() != 0) find("client_record", sequence, "a removed client has sessions");
      return;
    }
    if (const auto wrong = compare(row.getColumn(4).getString(), *methods))
      find("client_record", sequence, *wrong);
  }

  void check_changes() {
    SQLite::Statement row(database_, "SELECT sequence, second FROM change_record ORDER BY sequence");
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    while (row.executeStep()) {
      ++result_.changes;
      check_place("change_record", row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), newest);
    }
  }

  /// Checks that the newest change of each address agrees with its row in client_record.
  void check_changes_against_clients() {
    SQLite::Statement row(database_, R"sql(
      SELECT change.sequence FROM change_record AS change JOIN client_record AS client USING (sequence)
       WHERE change.address <> client.address OR change.second <> client.second
          OR (change.kind <> 'removed') <> client.present
      UNION
      SELECT change.sequence FROM change_record AS change JOIN client_record AS client USING (address)
       WHERE change.sequence > client.sequence
    )sql");
    while (row.executeStep())
      find("change_record", row.getColumn(0).getInt64(),
           "it does not fit its address's row in client_record");
  }

  /// Checks that only removals have a reason.
  void check_reasons() {
    SQLite::Statement row(database_, R"sql(
      SELECT 'client_record', sequence FROM client_record WHERE present = 1 AND reason <> ''
      UNION ALL
      SELECT 'change_record', sequence FROM change_record WHERE kind <> 'removed' AND reason <> ''
    )sql");
    while (row.executeStep())
      find(row.getColumn(0).getText(), row.getColumn(1).getInt64(),
           "it is no removal, and has the reason of one");
  }

  void check_bans() {
    SQLite::Statement row(database_, "SELECT address, prefix FROM ban_record");
    while (row.executeStep()) {
      ++result_.bans;
      const Address address = stored_address(row.getColumn(0).getInt64());
      const std::string block = to_string(address) + "/" + row.getColumn(1).getString();
      if (!parse_block(block)) find("ban_record: " + block + " has bits behind its prefix");
    }
    if (result_.bans > bans_max)
      find("ban_record: there are " + std::to_string(result_.bans) +
           " bans; the most that a server takes is " + std::to_string(bans_max));
  }

  void check_devices() {
    SQLite::Statement row(database_,
                          "SELECT uid, first_seen, seen FROM device_record WHERE first_seen > seen");
    while (row.executeStep())
      find("device_record, uid " + escape(row.getColumn(0).getString()) + ": first_seen " +
           row.getColumn(1).getString() + " is later than seen " + row.getColumn(2).getString());
    check_count("device_record", devices_max);
    check_count("device_alert_record", device_alerts_max);
  }

  void check_count(const std::string& table, std::size_t rows_max) {
    const std::int64_t rows = database_.execAndGet("SELECT count(*) FROM " + table).getInt64();
    if (rows > static_cast<std::int64_t>(rows_max))
      find(table + ": there are " + std::to_string(rows) + " rows; the most that a server keeps is " +
           std::to_string(rows_max));
  }

  SQLite::Database& database_;
  ServerRow server_;
  CheckResult result_;
};

}  // namespace

CheckResult check(const std::filesystem::path& database) {
  SQLite::Database connection = open_read_only(database);
  return with_open_errors(database, [&] { return Checker(connection).run(); });
}

}  // namespace lekt::storage

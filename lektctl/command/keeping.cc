// The commands for the database as a whole: backup, restore, check, export, import.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include "common/calendar.h"
#include "common/errors.h"
#include "common/printable.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"
#include "lektctl/transfer.h"
#include "server/operators/clock.h"
#include "storage/backup.h"
#include "storage/check.h"
#include "storage/stopped_database.h"

namespace lekt::lektctl {

namespace {

namespace fs = std::filesystem;

constexpr const char* backup_help =
    R"(Copies the database into a new file, while the server runs or not, and checks the copy.

It is one state of the database, complete in one file. Nothing is overwritten (E804): when it fails, there is no
file of that name.)";

constexpr const char* backup_footer = R"(
Examples:
  lektctl backup /var/backups/lekt-$(date +%F).db

Exit codes: 0 the backup is there and sound; 1 it is not, and standard error says why; 2 wrong usage.)";

constexpr const char* restore_help = R"(Puts a backup in place of the database of a stopped server.

The backup is checked first. The old files are kept beside it, with the time in their name. Clients and bans are
those of the backup; clients have the restart grace to come back. History begins anew: every client gets the full
list, and none goes on from what it was told after the backup was made.)";

constexpr const char* restore_footer = R"(
Examples:
  systemctl stop lektd; lektctl restore /var/backups/lekt-2026-01-02.db; systemctl start lektd

Run it as root or as the server's user: owner, group and mode of the database stay as they are.
Exit codes: 0 restored; 1 not, and everything is as before; 2 wrong usage.)";

constexpr const char* check_help =
    R"(Checks the database: SQLite's integrity, every record, and columns against records.

It only reads, while the server runs or not. A backup is checked with --database FILE.)";

constexpr const char* check_footer = R"(
With --json: {"clients","changes","bans","findings":["..."]}
Exit codes: 0 nothing is wrong; 1 something is (E806 names the rows), or the database cannot be read; 2 wrong usage.)";

constexpr const char* export_help =
    R"(Writes the clients that are here and the bans as JSON lines: to move them, or to edit them.

It works whether the server runs or not. The first line says what it is and how many lines follow.)";

constexpr const char* export_footer = R"(
Examples:
  lektctl export > lekt.jsonl
  lektctl --database new.db import --create lekt.jsonl

Exit codes: 0 done; 1 the database cannot be read, or the output not written; 2 wrong usage.)";

constexpr const char* import_help =
    R"(Reads JSON lines of `lektctl export` into the database of a stopped server: all of them or none.

Clients of the import are in the list after the next start, and waited for during the restart grace. One that was in
the database already gets the methods of the import; those that are only in the database stay. Bans are added; one
that was there stays as it was.)";

constexpr const char* import_footer = R"(
Examples:
  lektctl import lekt.jsonl
  ssh old-host lektctl --database /var/lib/lekt/lekt.db export | lektctl --database new.db import --create -

Exit codes: 0 imported; 1 not, and nothing was changed (E807 names the line); 2 wrong usage.)";

int back_up(const Options& options, const fs::path& file) {
  const storage::BackupResult result = storage::back_up(options.instance.database, file);
  if (options.json)
    print_json({{"file", fs::absolute(file).string()},
                {"file_bytes", result.bytes},
                {"clients", result.clients},
                {"sequence", result.sequence}});
  else
    print("backup of " + count_text(result.clients, "client") + " in " + printable(file.string()) + ", " +
          bytes_text(result.bytes) + ", checked\n");
  return exit_done;
}

int restore(const Options& options, const fs::path& file) {
  const storage::RestoreResult result = storage::restore(options.instance.database, file, wall_seconds());
  const std::string database = fs::absolute(options.instance.database).string();
  if (options.json)
    print_json({{"database", database},
                {"clients", result.clients},
                {"history_begins", to_iso(result.history_begins)},
                {"kept", result.kept.empty() ? Json(nullptr) : Json(result.kept.string())}});
  else
    print("restored " + count_text(result.clients, "client") + " into " + printable(database) +
          (result.kept.empty() ? "; there was no database before"
                               : "; the old one is " + printable(result.kept.string())) +
          ". Start the server now.\n");
  return exit_done;
}

int run_check(const Options& options) {
  const storage::CheckResult result = storage::check(options.instance.database);
  if (options.json) {
    print_json({{"clients", result.clients},
                {"changes", result.changes},
                {"bans", result.bans},
                {"findings", result.findings}});
    return result.findings.empty() ? exit_done : exit_failed;
  }
  if (result.findings.empty()) {
    print("nothing is wrong: " + count_text(result.clients, "client row") + ", " +
          count_text(result.changes, "change") + ", " + count_text(result.bans, "ban") + "\n");
    return exit_done;
  }
  std::string text = printable(options.instance.database.string()) + ": ";
  const bool all = result.findings.size() < storage::CheckResult::findings_max;
  text += all ? count_text(result.findings.size(), "finding") : "more findings than are shown";
  for (const std::string& finding : result.findings) text += "\n  " + finding;
  throw CodedError(ErrorCode::check_failed, text);
}

int run_export(const Options& options) {
  storage::Reader reader(options.instance.database);
  // The text is printed when all is read: a slow reader of our output must not hold an old state of the database.
  std::string text;
  export_lines(reader, wall_seconds(), [&text](const std::string& line) { text += line; });
  print(text);
  return exit_done;
}

ImportedLines read_file(const fs::path& file) {
  if (file == "-") return read_import(std::cin);
  std::ifstream input(file);
  if (!input)
    throw CodedError(ErrorCode::import_wrong,
                     "cannot read " + printable(file.string()) + ": " + std::strerror(errno));
  return read_import(input);
}

int run_import(const Options& options, const fs::path& file, bool create) {
  static const MethodCatalogue built_in;
  const ImportedLines lines = read_file(file);
  using Missing = storage::StoppedDatabase::Missing;
  storage::StoppedDatabase database({.path = options.instance.database,
                                     .catalogue = &built_in,
                                     .program_version = LEKT_VERSION,
                                     .now = wall_seconds(),
                                     .missing = create ? Missing::create : Missing::refuse});
  tell_of_lost_log(database, options.instance.database);
  const storage::ImportResult result = database.import(lines.clients, lines.bans);
  if (options.json)
    print_json({{"added", result.added},
                {"changed", result.changed},
                {"unchanged", result.unchanged},
                {"bans", result.bans}});
  else
    print("imported: " + count_text(result.added, "client") + " added, " + std::to_string(result.changed) +
          " changed, " + std::to_string(result.unchanged) + " were the same; " +
          count_text(result.bans, "ban") + " added\n");
  return exit_done;
}

}  // namespace

Run add_backup(CLI::App& app, const Options& options) {
  app.description(backup_help);
  app.footer(backup_footer);
  const auto file = std::make_shared<fs::path>();
  add_file(app, *file, "The new file");
  return [file, &options] { return back_up(options, *file); };
}

Run add_restore(CLI::App& app, const Options& options) {
  app.description(restore_help);
  app.footer(restore_footer);
  const auto file = std::make_shared<fs::path>();
  add_file(app, *file, "The backup; it stays as it is");
  return [file, &options] { return restore(options, *file); };
}

Run add_check(CLI::App& app, const Options& options) {
  app.description(check_help);
  app.footer(check_footer);
  return [&options] { return run_check(options); };
}

Run add_export(CLI::App& app, const Options& options) {
  app.description(export_help);
  app.footer(export_footer);
  return [&options] { return run_export(options); };
}

Run add_import(CLI::App& app, const Options& options) {
  app.description(import_help);
  app.footer(import_footer);
  struct Arguments {
    fs::path file;
    bool create = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  add_file(app, arguments->file, "The export; - is standard input");
  app.add_flag("--create", arguments->create, "Make the database if it is not there");
  return [arguments, &options] { return run_import(options, arguments->file, arguments->create); };
}

}  // namespace lekt::lektctl

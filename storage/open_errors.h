// Turns what SQLite says when a database is opened or read into this program's codes.
//
// It does not deal with errors of a commit: what they mean depends on what was under way (Database).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>

#include "storage/tables.h"

namespace lekt::storage {

/// SQLite's extended result code, or its primary one where there is no other.
int code_of(const SQLite::Exception& error);

/// SQLite's words for the error, followed by its extended code, which says more.
std::string describe(const SQLite::Exception& error);

/// Throws CodedError E506 for a damaged database.
[[noreturn]] void throw_corrupt(const std::filesystem::path& path, const std::string& why);

/// Throws CodedError E503 or E506, depending on the error.
[[noreturn]] void throw_open_error(const std::filesystem::path& path, const SQLite::Exception& error);

/// Runs an action that opens or reads the database, and gives its errors their codes.
template <class Action>
auto with_open_errors(const std::filesystem::path& path, Action action) {
  try {
    return action();
  } catch (const RowError& error) {
    throw_corrupt(path, error.what());
  } catch (const SQLite::Exception& error) {
    throw_open_error(path, error);
  }
}

}  // namespace lekt::storage

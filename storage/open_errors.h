// What SQLite says when a database is opened or read, with the codes of this program.
//
// Errors of a commit are no business of this: what they mean depends on what was under way (Database).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>

#include "storage/tables.h"

namespace lekt::storage {

/// SQLite's extended result code, or its primary one where there is no other.
int code_of(const SQLite::Exception& error);

/// SQLite's words for what happened, and its number, which tells more.
std::string describe(const SQLite::Exception& error);

/// Throws CodedError E506.
[[noreturn]] void throw_corrupt(const std::filesystem::path& path, const std::string& why);

/// Throws CodedError E503 or E506.
[[noreturn]] void throw_open_error(const std::filesystem::path& path, const SQLite::Exception& error);

/// Runs what reads or opens the database and gives its errors their codes.
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

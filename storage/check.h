// Checks everything in a database: its integrity as SQLite sees it, every record, and that columns agree with records.
//
// It finds more than a start does, which reads only what the server needs. It only reads, so a server may run
// meanwhile.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace lekt::storage {

struct CheckResult {
  static constexpr std::size_t findings_max = 100;

  /// What is wrong, as in "client_record, sequence 12: ..."; the first findings_max of them.
  std::vector<std::string> findings;
  std::size_t clients = 0;  ///< rows of client_record
  std::size_t changes = 0;  ///< rows of change_record
  std::size_t bans = 0;
};

/// Checks one state of the database. Throws CodedError E503, E505, E506 (too damaged to be opened) and E507.
CheckResult check(const std::filesystem::path& database);

}  // namespace lekt::storage

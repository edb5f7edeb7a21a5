// A day of joins and leaves in fast motion: the real writer and the real database in virtual time, and how
// large file, write-ahead log, tables and the process become.
//
// Sizes are what is measured, so commits do not wait for the disk (durable = false): that changes no byte of
// them, and lets ten million changes pass in minutes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace lekt::bench {

struct ChurnSettings {
  std::uint64_t changes = 10'000'000;
  std::uint32_t addresses = 10'000;
  std::uint32_t seconds = 86'400;         ///< of virtual time, over which the changes are spread evenly
  std::uint32_t turns_per_second = 10;    ///< of the writer; each is one transaction
  std::chrono::seconds heard_every{300};  ///< how often each client is noted as heard; 0: never
  std::chrono::seconds retention{7 * 86'400};
  std::filesystem::path directory;
  std::uint64_t seed = 0;
};

/// The largest and the newest of a size.
struct Extent {
  std::size_t largest = 0;
  std::size_t last = 0;
};

struct ChurnResult {
  std::uint64_t changes = 0;  ///< committed
  double changes_per_second = 0;
  std::uint64_t encodings_of_full_list = 0;
  Extent database_early;  ///< bytes, until 10 % of the changes
  Extent database;        ///< bytes, after that
  Extent wal_early;
  Extent wal;
  std::size_t log_entries = 0;
  std::size_t rows_present = 0;
  std::size_t rows_removed = 0;
  std::size_t rows_changes = 0;  ///< of the operators' table of newest changes
  std::int64_t rss_early = 0;    ///< bytes, at 10 % of the changes
  std::int64_t rss_growth = 0;   ///< bytes, from there to the end
  /// Neither file grew by more than a tenth after 10 % of the changes. Nothing when the changes were too few
  /// to reach the final size by then.
  std::optional<bool> bounded;
};

/// Prints a line of progress now and then. Throws CodedError for trouble with the database, and
/// std::runtime_error when the database does not hold what was joined.
ChurnResult churn(const ChurnSettings& settings);

}  // namespace lekt::bench

// The database of a stopped server, for changes by an operator: bans, an import, compacting.
//
// It holds the server's lock, so no server runs, and none starts meanwhile. Each call is one durable
// transaction. Opening it does not count as a start of the server; an older schema is migrated, as a start
// would do.
//
// Owned and used by one thread, for a short time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/block.h"
#include "common/catalogue.h"
#include "storage/database.h"
#include "storage/instance_lock.h"
#include "storage/reader.h"

namespace lekt::storage {

/// Takes the lock of a stopped server's database. Throws like InstanceLock, but CodedError E805 instead of E504.
std::unique_ptr<InstanceLock> lock_stopped(const std::filesystem::path& database);

struct ImportResult {
  std::size_t added = 0;
  std::size_t changed = 0;    ///< clients that were there with other methods
  std::size_t unchanged = 0;  ///< clients that were there with the same methods
  std::size_t bans = 0;       ///< new bans
};

struct CompactResult {
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

class StoppedDatabase {
 public:
  enum class Missing { refuse, create };

  struct Settings {
    std::filesystem::path path;
    const MethodCatalogue* catalogue = nullptr;  ///< puts methods into words; outlives this object
    std::string program_version = {};            ///< noted in a new database
    std::int64_t now = 0;                        ///< wall clock, Unix seconds
    Missing missing = Missing::refuse;
  };

  /// Opens the database. Throws CodedError E805 if a server runs, and E503 to E508 as Database does.
  explicit StoppedDatabase(const Settings& settings);
  ~StoppedDatabase();
  StoppedDatabase(const StoppedDatabase&) = delete;
  StoppedDatabase& operator=(const StoppedDatabase&) = delete;

  /// Why the newest state is lost, as Database::lost_log() says. If it is, history has begun anew with this
  /// opening.
  const std::string& lost_log() const;

  // All of these throw CodedError E503. A ban beyond bans_max is refused with CodedError E802. In both cases
  // nothing was changed.

  /// Bans a block; without a duration, for good. False if it was banned already: then the ban has the new times
  /// and reason.
  bool ban(const Block& block, const std::string& reason,
           std::optional<std::chrono::seconds> duration = std::nullopt);
  /// Lifts a ban. False if there is no such ban.
  bool unban(const Block& block);
  /// Adds clients and bans; each address may occur only once. Clients that are there and not in the list stay as
  /// they are. Those in the list are present afterwards, and waited for after the next start.
  ImportResult import(const std::vector<PortableClient>& clients, const std::vector<Ban>& bans);
  /// Gives free pages back to the file system.
  CompactResult compact();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt::storage

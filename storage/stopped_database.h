// The database of a server that does not run, to be changed by an operator: bans, an import, compacting.
//
// It holds the server's lock, so no server starts meanwhile, and none runs. Each call is one durable
// transaction. A start of the server is not counted; an older schema is migrated, as a start would do.
//
// Owned and used by one thread, for a short time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/catalogue.h"
#include "common/cidr.h"
#include "storage/database.h"
#include "storage/instance_lock.h"
#include "storage/reader.h"

namespace lekt::storage {

/// Like InstanceLock; throws CodedError E805 instead of E504.
std::unique_ptr<InstanceLock> lock_stopped(const std::filesystem::path& database);

struct ImportResult {
  std::size_t added = 0;
  std::size_t changed = 0;    ///< were there with other methods
  std::size_t unchanged = 0;  ///< were there with the same
  std::size_t bans = 0;       ///< new
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
    const MethodCatalogue* catalogue = nullptr;  ///< for methods in words; outlives this
    std::string program_version;                 ///< noted in a new one
    std::int64_t now = 0;                        ///< wall clock, Unix seconds
    Missing missing = Missing::refuse;
  };

  /// Throws CodedError E805 when a server runs, and E503 to E508 as Database does.
  explicit StoppedDatabase(const Settings& settings);
  ~StoppedDatabase();
  StoppedDatabase(const StoppedDatabase&) = delete;
  StoppedDatabase& operator=(const StoppedDatabase&) = delete;

  // All of these throw CodedError E503, and then nothing was changed.

  /// False when the block was banned already: its time and reason are the new ones then.
  bool ban(const Cidr& block, const std::string& reason);
  /// False when there is no such ban.
  bool unban(const Cidr& block);
  /// Each address at most once. Clients that are there and not in the list stay as they are. Those in the
  /// list are present afterwards, and waited for after the next start.
  ImportResult import(const std::vector<PortableClient>& clients, const std::vector<Ban>& bans);
  /// Gives free pages back to the file system.
  CompactResult compact();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace lekt::storage

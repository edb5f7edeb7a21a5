// What a medium holds of one file, besides what reads see: which bytes are safe, and which a power loss may
// take.
//
// Reads see every write at once (the page cache). A sector of 512 bytes that was written since it was last
// synced may lie on the medium as it was then, as it is now, or as it was at any time between; each sector on
// its own, so writes are dropped, torn and reordered. How far the file has grown is chosen in the same way.
// That it was cut has reached the medium or not, and what came after that only if it has: a file system's
// journal sees to it. What SQLite relies on holds: a sector is written whole or not at all, and a sync that
// succeeds settles everything that was dirty.
//
// A sync that fails leaves what reads see, and marks it clean: no later sync writes it, unless it is written
// again. That is what Linux does (https://wiki.postgresql.org/wiki/Fsync_Errors).
//
// Pure: no file, no SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "common/bytes.h"
#include "tests/support/support.h"

namespace lekt::test {

class DiskFile {
 public:
  static constexpr std::size_t sector_bytes = 512;

  /// A file that is on the medium as it is read.
  explicit DiskFile(Bytes safe) : safe_(safe), seen_(std::move(safe)) {}

  void write(std::size_t offset, ByteView bytes);
  void truncate(std::size_t size);
  void sync();
  void fail_sync();

  /// What reads see.
  const Bytes& seen() const { return seen_; }
  /// What is on the medium for sure, as far as it has not been cut.
  const Bytes& safe() const { return safe_; }

  bool is_safe() const { return unsafe_.empty() && sizes_.empty() && uncut_ == nullptr; }

  /// What a power loss may leave. `kept` percent of the unsafe sectors are as they were last.
  Bytes after_power_loss(Random& random, unsigned kept) const;

 private:
  struct Unsafe {
    std::vector<Bytes> earlier;  ///< contents that were overwritten before they were synced
    bool dirty = false;          ///< the next sync writes it
  };

  void touch(std::size_t first_sector, std::size_t end_sector);
  void overwrite(Bytes& bytes, std::size_t sector, ByteView content) const;
  static Bytes sector_of(const Bytes& bytes, std::size_t sector);
  Bytes chosen(Random& random, std::size_t sector, const Unsafe& unsafe, unsigned kept) const;

  Bytes safe_;
  Bytes seen_;
  std::map<std::size_t, Unsafe> unsafe_;   ///< by the sector's number
  std::vector<std::size_t> sizes_;         ///< since the size was last synced
  std::shared_ptr<const DiskFile> uncut_;  ///< as it was before it was cut; null when that is on the medium
};

}  // namespace lekt::test

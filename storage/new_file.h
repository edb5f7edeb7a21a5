// Files that get their name only when they are complete and on the disk, and never the name of an existing
// file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/descriptor.h"

namespace lekt::storage {

bool is_there(const std::filesystem::path& path);

/// Renames, but never onto an existing file. Throws CodedError E804 if there is one, and E503.
void rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to);

/// A name that is not in use: the path itself, or the path with "-2", "-3" ... after it.
std::filesystem::path unused_name(const std::filesystem::path& path);

/// Syncs the directory of the path, so that a name in it survives a power loss. Throws CodedError E503.
void sync_directory_of(const std::filesystem::path& path);

/// A file named `<target>.partial` until place() gives it its name. Otherwise it is removed, with everything
/// that SQLite has put next to it. Only its owner can read it. Two programs cannot write to the same target at
/// once, and the next one removes what a killed one has left behind.
class NewFile {
 public:
  /// Makes the file. Throws CodedError E802 if another program is writing to the same target, and E503 if the
  /// file cannot be made, or an existing one is not a leftover of ours.
  explicit NewFile(const std::filesystem::path& target);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Waits until the content is on the disk. Throws CodedError E503.
  void sync() const;
  /// Gives the file its name. Throws CodedError E804 if the target exists, and E503.
  void place();

 private:
  void remove() const;

  std::filesystem::path target_;
  std::filesystem::path path_;
  Descriptor descriptor_{-1};  ///< locked
  bool placed_ = false;
};

}  // namespace lekt::storage

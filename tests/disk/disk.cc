#include "tests/disk/disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/disk/disk_vfs.h"

namespace lekt::test {

namespace fs = std::filesystem;

namespace {

/// In place: a file system may take a file that is emptied and written again to its medium at once, to be
/// kind.
void write_file(const fs::path& path, const Bytes& content) {
  std::ofstream(path, std::ios::binary | std::ios::app).close();
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  if (!(file << content).flush()) throw std::runtime_error("cannot write " + path.string());
  fs::resize_file(path, content.size());
}

/// How much of what was not synced a power loss keeps, in percent. All and nothing are worth a visit.
constexpr unsigned kept_choices[] = {0, 20, 50, 80, 100};

}  // namespace

Disk::Disk(std::uint64_t seed) : random_(seed), real_(sqlite3_vfs_find("unix")), vfs_(DiskVfs::of(*this)) {
  if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) throw std::runtime_error("cannot register the disk");
  sqlite3_randomness(0, nullptr);  // SQLite's own generator begins anew, with what this disk gives it
}

Disk::~Disk() { sqlite3_vfs_unregister(&vfs_); }

void Disk::fail(DiskFault fault, std::uint64_t passed, bool lasts) {
  fault_ = fault;
  passed_ = passed;
  lasts_ = lasts;
}

void Disk::heal() { fault_.reset(); }

bool Disk::can_hit(DiskFault fault, Operation operation) {
  if (fault == DiskFault::io_error || fault == DiskFault::stop) return true;
  if (fault == DiskFault::failed_sync) return operation == Operation::sync;
  if (fault == DiskFault::short_write) return operation == Operation::write;
  return operation == Operation::write || operation == Operation::create || operation == Operation::map;
}

std::optional<DiskFault> Disk::next(Operation operation) {
  ++operations_;
  if (stopped_) return DiskFault::stop;
  if (!fault_ || !can_hit(*fault_, operation)) return std::nullopt;
  if (passed_ > 0) {
    --passed_;
    return std::nullopt;
  }
  ++failures_;
  stopped_ = *fault_ == DiskFault::stop;
  const DiskFault fault = *fault_;
  if (!lasts_) heal();
  return fault;
}

/// What was changed behind this disk's back, while SQLite did not have it open, is safe.
void Disk::opened(const std::string& path, bool created) {
  Bytes content = read_text(path);
  const auto found = entries_.find(path);
  if (found != entries_.end() && !created && found->second.file.seen() == content) return;
  entries_.insert_or_assign(path, Entry{DiskFile(std::move(content)), !created});
}

void Disk::removed(const std::string& path, bool is_safe) {
  const auto found = entries_.find(path);
  if (found == entries_.end()) return;
  if (!is_safe && found->second.name_is_safe) removed_[path] = found->second.file.safe();
  if (is_safe) names_are_safe();
  entries_.erase(found);
}

void Disk::synced(const std::string& path) {
  Entry& entry = entries_.at(path);
  entry.file.sync();
  if (!entry.name_is_safe) names_are_safe();
}

void Disk::names_are_safe() {
  for (auto& [path, entry] : entries_) entry.name_is_safe = true;
  removed_.clear();
}

void Disk::kill() {
  ++epoch_;
  stopped_ = false;
  write_lock_held_ = false;
  heal();
}

void Disk::lose_power(Random& random) {
  kill();
  const unsigned kept = random.pick(kept_choices);
  std::map<std::string, Entry> left;
  for (auto& [path, entry] : entries_) {
    if (!fs::exists(path)) continue;
    if (!entry.name_is_safe && !random.chance(kept)) {
      fs::remove(path);
      continue;
    }
    if (!entry.file.is_safe()) {
      Bytes content = entry.file.after_power_loss(random, kept);
      write_file(path, content);
      entry.file = DiskFile(std::move(content));
    }
    left.emplace(path, Entry{std::move(entry.file), true});
    const std::string shared_memory = path + "-shm";  // which is never synced
    if (fs::exists(shared_memory)) write_file(shared_memory, random.bytes(random.below(4000)));
  }
  for (const auto& [path, content] : removed_)
    if (!fs::exists(path) && !random.chance(kept)) write_file(path, content);
  entries_ = std::move(left);
  removed_.clear();
}

}  // namespace lekt::test

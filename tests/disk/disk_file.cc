#include "tests/disk/disk_file.h"

#include <algorithm>

namespace lekt::test {

namespace {

std::size_t sectors_of(std::size_t bytes) {
  return (bytes + DiskFile::sector_bytes - 1) / DiskFile::sector_bytes;
}

}  // namespace

/// The sector's bytes, with zeros behind the end of the file.
Bytes DiskFile::sector_of(const Bytes& bytes, std::size_t sector) {
  const std::size_t begin = sector * sector_bytes;
  Bytes content = begin < bytes.size() ? bytes.substr(begin, sector_bytes) : Bytes();
  content.resize(sector_bytes, '\0');
  return content;
}

/// Before these sectors change: what they hold now may stay on the medium.
void DiskFile::touch(std::size_t first_sector, std::size_t end_sector) {
  for (std::size_t sector = first_sector; sector < end_sector; ++sector) {
    const auto [found, is_new] = unsafe_.try_emplace(sector);
    if (!is_new) found->second.earlier.push_back(sector_of(seen_, sector));
    found->second.dirty = true;
  }
}

void DiskFile::write(std::size_t offset, ByteView bytes) {
  const std::size_t end = offset + bytes.size();
  if (!bytes.empty()) touch(offset / sector_bytes, sectors_of(end));
  if (end > seen_.size()) {
    seen_.resize(end, '\0');
    sizes_.push_back(end);
  }
  seen_.replace(offset, bytes.size(), bytes);
}

void DiskFile::truncate(std::size_t size) {
  if (size >= seen_.size()) return write(size, {});
  uncut_ = std::make_shared<const DiskFile>(*this);
  unsafe_.erase(unsafe_.lower_bound(sectors_of(size)), unsafe_.end());
  seen_.resize(size);
  safe_.resize(std::min(size, safe_.size()));
  sizes_.clear();
}

void DiskFile::sync() {
  uncut_.reset();
  sizes_.clear();
  safe_.resize(seen_.size(), '\0');
  std::erase_if(unsafe_, [&](const auto& entry) {
    if (!entry.second.dirty) return false;
    overwrite(safe_, entry.first, sector_of(seen_, entry.first));
    return true;
  });
}

void DiskFile::fail_sync() {
  for (auto& [sector, unsafe] : unsafe_) unsafe.dirty = false;
}

/// Does not change the size of `bytes`.
void DiskFile::overwrite(Bytes& bytes, std::size_t sector, ByteView content) const {
  const std::size_t begin = sector * sector_bytes;
  if (begin >= bytes.size()) return;
  const std::size_t size = std::min(sector_bytes, bytes.size() - begin);
  bytes.replace(begin, size, content.substr(0, size));
}

Bytes DiskFile::chosen(Random& random, std::size_t sector, const Unsafe& unsafe, unsigned kept) const {
  if (random.chance(kept)) return sector_of(seen_, sector);
  const std::size_t version = random.below(unsafe.earlier.size() + 1);
  return version == 0 ? sector_of(safe_, sector) : unsafe.earlier[version - 1];
}

Bytes DiskFile::after_power_loss(Random& random, unsigned kept) const {
  if (uncut_ != nullptr && !random.chance(kept)) return uncut_->after_power_loss(random, kept);
  Bytes left = safe_;
  if (!sizes_.empty() && !random.chance(100 - kept))
    left.resize(random.chance(50) ? sizes_.back() : random.pick(sizes_), '\0');
  for (const auto& [sector, unsafe] : unsafe_) overwrite(left, sector, chosen(random, sector, unsafe, kept));
  return left;
}

}  // namespace lekt::test

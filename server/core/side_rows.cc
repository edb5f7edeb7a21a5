#include "server/core/side_rows.h"

#include <algorithm>
#include <utility>

namespace lekt {

namespace {

/// The most rows of operators' columns in one transaction, so that joins never wait for a long one.
constexpr std::size_t presences_per_commit = 5000;

}  // namespace

void SideRows::has_sessions(Address address, std::uint32_t sessions) {
  if (sessions == 0) {
    heard_.erase(address);
    return;
  }
  heard_[address].sessions = sessions;
}

void SideRows::note_code(ErrorCode code, std::uint64_t count, Moment now) {
  storage::CodeCount& noted = codes_[code];
  noted = {code, noted.count + count, now.wall};
}

void SideRows::show_warnings(std::vector<storage::Warning> warnings) {
  warnings_ = std::move(warnings);
  warnings_are_stored_ = false;
}

void SideRows::change(storage::BanChange change) {
  std::erase_if(refused_bans_, [&](const storage::RefusedRow& row) { return row.ban == change.ban.block; });
  bans_.push_back(std::move(change));
}

std::optional<std::string> SideRows::refusal_of(const Block& block) const {
  for (const storage::RefusedRow& row : refused_bans_)
    if (row.ban == block) return row.why;
  return std::nullopt;
}

SideRows::Chosen SideRows::choose(std::span<const storage::Change> changes, Moment now) const {
  Chosen chosen;
  const auto take = [&](Address address, const Heard& heard) {
    chosen.presences.push_back({address, heard.sessions, heard.second});
  };
  if (!devices_.is_empty() && (now.awake >= due_ || !changes.empty())) chosen.devices = devices_.choose();
  if (now.awake < due_) {
    for (const storage::Change& change : changes)
      if (const Heard* const heard = heard_.find(change.address)) take(change.address, *heard);
    return chosen;
  }
  heard_.for_some(presences_per_commit, take);
  for (const auto& [code, count] : codes_) chosen.codes.push_back(count);
  return chosen;
}

bool SideRows::are_worth_a_commit(const Chosen& chosen, Moment now) const {
  if (!warnings_are_stored_ || !bans_.empty()) return true;
  return now.awake >= due_ && !(chosen.presences.empty() && chosen.codes.empty() && chosen.devices.empty());
}

void SideRows::fill(const Chosen& chosen, std::chrono::seconds retention, Moment now,
                    storage::Batch& batch) const {
  batch.presences = chosen.presences;
  batch.codes = chosen.codes;
  batch.warnings = warnings_are_stored_ ? nullptr : &warnings_;
  batch.bans = bans_;
  devices_.fill(chosen.devices, retention, now, batch);
}

void SideRows::committed(const Chosen& chosen, const std::vector<storage::RefusedRow>& refused, Moment now) {
  for (const storage::RefusedRow& row : refused)
    if (row.ban) refused_bans_.push_back(row);
  for (const storage::Presence& presence : chosen.presences) heard_.erase(presence.address);
  for (const storage::CodeCount& count : chosen.codes) codes_.erase(count.code);
  warnings_are_stored_ = true;
  bans_.clear();
  devices_.committed(chosen.devices, now);
  if (now.awake >= due_ && presences_are_stored()) due_ = now.awake + interval_;
}

AwakeTime SideRows::due_before(AwakeTime at) const {
  return presences_are_stored() && codes_.empty() ? at : std::min(at, due_);
}

}  // namespace lekt

#include "server/net/device_listing.h"

#include <functional>
#include <utility>

#include "common/catalogue.h"
#include "common/device_string.h"
#include "server/net/front.h"

namespace lekt {

namespace {

/// What the registry is told of a device.
Bytes content_of(const DeviceSession& session) {
  return device_method_content(session.device(), session.group().name);
}

}  // namespace

DeviceListing::DeviceListing(std::uint32_t index, std::uint32_t count, Post post)
    : index_(index), count_(count), post_(std::move(post)) {}

void DeviceListing::show(const DeviceSession& session) {
  Listed& listed = listed_[session.number()];
  Bytes content = content_of(session);
  const std::size_t hash = std::hash<Bytes>()(content);
  if (listed.address == session.endpoint().address && listed.content == hash) return;
  listed.address = session.endpoint().address;
  listed.content = hash;
  join(session, listed, std::move(content));
}

void DeviceListing::join(const DeviceSession& session, Listed& listed, Bytes content) {
  if (listed.current) listed.before.push_back(*std::exchange(listed.current, std::nullopt));
  listed.current = Membership{session_id(++serial_, index_, count_), listed.address};
  asked_.emplace(listed.current->id, session.number());
  post_(JoinCommand{listed.current->id,
                    listed.address,
                    {{device_index, MethodCatalogue::wrap({MethodForm::Kind::sized, 0}, content)}}});
}

void DeviceListing::leave(const Membership& membership, LeaveReason reason) {
  asked_.erase(membership.id);
  post_(LeaveCommand{membership.id, membership.address, reason, membership.has_joined});
}

void DeviceListing::end(DeviceSession::Number session, LeaveReason reason) {
  const auto found = listed_.find(session);
  if (found == listed_.end()) return;
  for (const Membership& before : found->second.before) leave(before, reason);
  if (found->second.current) leave(*found->second.current, reason);
  listed_.erase(found);
}

std::optional<DeviceSession::Number> DeviceListing::decided(const Writer::Completion& completion,
                                                            AwakeTime now) {
  const auto asked = asked_.find(completion.session);
  if (asked == asked_.end()) return std::nullopt;  // it has left meanwhile, and the writer knows
  const DeviceSession::Number session = asked->second;
  asked_.erase(asked);
  Listed& listed = listed_.at(session);
  const bool is_current = listed.current && listed.current->id == completion.session;
  if (!completion.rejection) {
    if (!is_current) {
      for (Membership& before : listed.before)
        if (before.id == completion.session) before.has_joined = true;
      return std::nullopt;
    }
    listed.current->has_joined = true;
    for (const Membership& before : std::exchange(listed.before, {})) leave(before, LeaveReason::closed);
    return std::nullopt;
  }
  if (!is_current) {
    std::erase_if(listed.before, [&](const Membership& before) { return before.id == completion.session; });
    return std::nullopt;
  }
  listed.current.reset();
  // Where the device no longer is, it is not listed; what it said of itself before is better than nothing.
  for (const Membership& before : listed.before)
    if (before.address != listed.address) leave(before, LeaveReason::closed);
  std::erase_if(listed.before, [&](const Membership& before) { return before.address != listed.address; });
  retries_[now + retry_after].push_back(session);
  return session;
}

void DeviceListing::retry(AwakeTime now, const Find& find) {
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const auto due = retries_.extract(retries_.begin());
    for (const DeviceSession::Number session : due.mapped()) {
      const auto found = listed_.find(session);
      if (found == listed_.end() || found->second.current) continue;
      const DeviceSession& lives = *find(session);
      join(lives, found->second, content_of(lives));
    }
  }
}

std::optional<AwakeTime> DeviceListing::due() const {
  return retries_.empty() ? std::nullopt : std::optional(retries_.begin()->first);
}

SessionId DeviceListing::id_of(DeviceSession::Number session) const {
  const auto found = listed_.find(session);
  return found == listed_.end() || !found->second.current ? 0 : found->second.current->id;
}

}  // namespace lekt

// The sessions of devices as clients of the registry: each joins at its address with the method `device`, so that every
// program on the network hears of it, and leaves when it ends. A device that is away stays listed, since its session
// lives.
//
// Joining is best effort, and no user waits for it: a join that is refused is tried again. A session that goes on at
// another address, or says something else of itself, joins anew before it leaves, so that nobody hears of a gap.
//
// Knows no socket and no clock. Used by one thread, that of the front whose sessions these are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/errors.h"
#include "common/time.h"
#include "devices/device_session.h"
#include "server/core/commands.h"
#include "server/core/writer.h"

namespace lekt {

class DeviceListing {
 public:
  /// Until a refused join is tried again.
  static constexpr AwakeTime retry_after = std::chrono::seconds(30);

  using Post = std::function<void(Command)>;

  /// `index` of `count` fronts, whose numbers sessions of the registry bear.
  DeviceListing(std::uint32_t index, std::uint32_t count, Post post);

  /// A session has begun, or it has another address or says something else of itself.
  void show(const DeviceSession& session);
  void end(DeviceSession::Number session, LeaveReason reason);
  /// What the writer has decided about a join. Yields whose join was refused, if it counts.
  std::optional<DeviceSession::Number> decided(const Writer::Completion& completion, AwakeTime now);
  /// The session of this number; null when it is over.
  using Find = std::function<const DeviceSession*(DeviceSession::Number)>;
  /// Joins again those whose time has come.
  void retry(AwakeTime now, const Find& find);
  /// When to call retry(); nothing while no join is refused.
  std::optional<AwakeTime> due() const;

  /// The number of the session in the registry; 0 while its join is refused.
  SessionId id_of(DeviceSession::Number session) const;
  std::size_t size() const { return listed_.size(); }

 private:
  /// A session of the registry.
  struct Membership {
    SessionId id = 0;
    Address address;
    bool has_joined = false;  ///< the writer has said so
  };
  struct Listed {
    Address address;
    std::size_t content = 0;            ///< the hash of what the registry is told of it
    std::optional<Membership> current;  ///< nothing while its join is refused
    std::vector<Membership> before;     ///< that leave once `current` has joined
  };

  void join(const DeviceSession& session, Listed& listed, Bytes content);
  void leave(const Membership& membership, LeaveReason reason);

  std::uint32_t index_;
  std::uint32_t count_;
  Post post_;
  std::uint64_t serial_ = 0;
  std::unordered_map<DeviceSession::Number, Listed> listed_;
  std::unordered_map<SessionId, DeviceSession::Number> asked_;  ///< joins that are not decided
  std::map<AwakeTime, std::vector<DeviceSession::Number>> retries_;
};

}  // namespace lekt

// A session of a world at its host, which echoes what is typed. Sometimes it is slow, writes much, refuses, or hangs up.
#pragma once

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>

#include "tests/simulation/device_world.h"

namespace lekt::test {

inline void expect_guarantee(bool holds, const std::string& words) {
  if (!holds) throw std::logic_error("broken guarantee: " + words);
}

class DeviceWorld::Site final : public Workplace::Outside {
 public:
  Site(DeviceWorld& world, const DeviceSession& session)
      : world_(world), session_(session), workplace_(session, *this) {}

  Workplace& workplace() { return workplace_; }
  bool is_quiet() const { return on_the_way_ == 0 && (typed_.empty() || may_be_lost_); }

  /// The session has taken this word, and the workplace gets it now.
  void expect_word(const std::string& word);

 private:
  void connect(const DeviceHost&) override;
  void disconnect() override;
  void send_to_host(ByteView bytes) override {
    later([bytes = Bytes(bytes)](Site& site) { site.arrive(bytes); });
  }
  void screen_changed() override { world_.changed_.insert(session_.number()); }
  void alert(const Rejection& rejection) override { ++world_.statistics_.alerts[rejection.code]; }
  void over(const Rejection& reason) override { world_.over_.emplace(session_.number(), reason); }

  /// What has happened on a connection that was given up meanwhile is nobody's matter.
  void later(std::function<void(Site&)> happens);

  /// A word ends with an enter, which is CR NUL on the wire.
  void arrive(const Bytes& bytes);
  void take_word(const std::string& word);
  void answer(const std::string& word);

  DeviceWorld& world_;
  const DeviceSession& session_;
  Workplace workplace_;
  std::uint64_t connection_ = 0;  ///< the number of the newest
  AwakeTime delay_{1};            ///< one way
  std::size_t on_the_way_ = 0;
  std::string text_;               ///< that the host has of a word
  std::deque<std::string> typed_;  ///< words that the session has taken, and the host has not got
  bool may_be_lost_ = false;       ///< the oldest of these: there was trouble since they were typed
};

}  // namespace lekt::test

// A session of a world at its host, which echoes what is typed. Sometimes it is slow, writes much, refuses, or hangs up.
#pragma once

#include <deque>
#include <functional>
#include <optional>
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
  bool is_quiet() const { return on_the_way_ == 0 && typed_.empty(); }

  void begin();
  /// What the session has taken.
  void input(ByteView items);

 private:
  const std::vector<DeviceHost>& hosts() const { return session_.offer().hosts; }
  /// What has to come of an item, and the state that it leads to.
  Workplace::State foresee(const InputItem& item, Workplace::State state);
  Workplace::State foresee_at_selection(const InputItem& item);
  Workplace::State foresee_choice(std::size_t host);
  void foresee_at_host(const InputItem& item);

  void connect(const DeviceHost&) override;
  void disconnect() override { ++connection_; }
  void send_to_host(ByteView bytes) override {
    later([bytes = Bytes(bytes)](Site& site) { site.arrive(bytes); });
  }
  void screen_changed() override { world_.changed_.insert(session_.number()); }
  void alert(const Rejection& rejection) override { ++world_.statistics_.alerts[rejection.code]; }
  void over(const Rejection& reason) override {
    expect_guarantee(hosts().size() == 1, "who has another host to go to keeps the session");
    world_.over_.emplace(session_.number(), reason);
  }

  /// What has happened on a connection that was given up meanwhile is nobody's matter.
  void later(std::function<void(Site&)> happens);

  /// A line ends with an enter, which is CR NUL on the wire.
  void arrive(const Bytes& bytes);
  void take_line(const std::string& line);
  void answer(const std::string& line);
  /// Nothing of what was typed for the host gets there any more.
  void lose_host();

  DeviceWorld& world_;
  const DeviceSession& session_;
  Workplace workplace_;
  std::uint64_t connection_ = 0;  ///< the number of the newest
  AwakeTime delay_{1};            ///< one way
  std::size_t on_the_way_ = 0;
  std::string text_;                      ///< that the host has of a line
  std::string line_;                      ///< that the session has taken of one
  std::deque<std::string> typed_;         ///< lines for the host that it has not got yet
  std::deque<std::size_t> choices_;       ///< hosts that have to be connected now
  std::optional<std::size_t> host_;       ///< that was chosen last, or stands out in the selection
  bool enter_belongs_to_choice_ = false;  ///< if it comes next
};

}  // namespace lekt::test

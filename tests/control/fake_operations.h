// A server that remembers what it was asked for, and answers what the test has set.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "server/operators/operations.h"

namespace lekt::control {

class FakeOperations : public Operations {
 public:
  Status status_answer;
  Health health_answer;
  std::vector<SessionStatus> sessions_answer;
  std::vector<RejectStatus> rejects_answer;
  std::vector<DeviceStatus> devices_answer;
  std::vector<DeviceDetails> device_answer{DeviceDetails()};
  std::vector<DeviceScreen> device_screens_answer{DeviceScreen()};
  std::vector<DeviceAlertStatus> device_alerts_answer;
  Kicked kicked_answer{.sessions = 1, .was_waiting = false};
  bool found = true;
  std::function<void()> while_compacting = [] {};
  std::function<void()> while_kicking = [] {};
  std::string trouble;  ///< thrown by everything that steers, unless empty

  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  Totals totals() const override { return status_answer.totals; }
  Health health() override {
    note("health");
    return health_answer;
  }
  Status status() override {
    note("status");
    return status_answer;
  }
  std::vector<SessionStatus> sessions(Address address) override {
    note("sessions " + to_string(address));
    return sessions_answer;
  }
  std::vector<RejectStatus> rejects(const std::optional<Block>& block, std::size_t count_max) override {
    note("rejects " + (block ? to_string(*block) : "all") + " " + std::to_string(count_max));
    return rejects_answer;
  }
  ChangeFeed& changes() override { return feed_; }
  std::vector<DeviceStatus> devices() override {
    note("devices");
    return devices_answer;
  }
  std::vector<DeviceDetails> device(const std::string& uid_or_address) override {
    note("device " + uid_or_address);
    return device_answer;
  }
  std::vector<DeviceScreen> device_screens(const std::string& uid_or_address) override {
    note("device_screens " + uid_or_address);
    return device_screens_answer;
  }
  std::vector<DeviceAlertStatus> device_alerts(std::size_t count_max) override {
    note("device_alerts " + std::to_string(count_max));
    return device_alerts_answer;
  }
  Kicked kick_device(const std::string& uid) override {
    note("kick_device " + uid);
    fail_if_wanted();
    return kicked_answer;
  }
  Kicked kick(Address address) override {
    note("kick " + to_string(address));
    while_kicking();
    fail_if_wanted();
    return kicked_answer;
  }
  Banned ban(const Block& block, const std::string& reason,
             std::optional<std::chrono::seconds> duration) override {
    note("ban " + to_string(block) + " " + reason +
         (duration ? " for " + std::to_string(duration->count()) : ""));
    fail_if_wanted();
    return {.is_new = true, .sessions = 2};
  }
  bool unban(const Block& block) override {
    note("unban " + to_string(block));
    return found;
  }
  Compacted compact() override {
    note("compact");
    while_compacting();
    fail_if_wanted();
    return {.bytes_before = 2000, .bytes_after = 1000};
  }
  TraceStatus trace(const Block& block, std::chrono::seconds duration) override {
    note("trace " + to_string(block) + " " + std::to_string(duration.count()));
    fail_if_wanted();
    return {.block = block, .file = "/tmp/trace", .seconds_left = 5, .bytes = 7};
  }
  Whereabouts whereabouts() const override { return status_answer.whereabouts; }
  Reloaded reload() override {
    note("reload");
    fail_if_wanted();
    return {.changed = {"max-clients"}, .needs_restart = {"threads"}};
  }
  bool end_trace(const Block& block) override {
    note("untrace " + to_string(block));
    return found;
  }

 private:
  void note(std::string what) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(what));
  }
  void fail_if_wanted() const {
    if (!trouble.empty()) throw CodedError(ErrorCode::control_refused, trouble);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  ChangeFeed feed_{0};
};

}  // namespace lekt::control

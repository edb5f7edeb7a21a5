// A front of devices that says what the test has set. Its thread is the test's, which calls turn().
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/net/device_front.h"

namespace lekt::test {

class FakeDeviceFront final : public DeviceFront {
 public:
  explicit FakeDeviceFront(const SessionRules& rules) : rules_(rules) {}

  /// Does what was posted.
  void turn() {
    std::deque<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      tasks.swap(tasks_);
    }
    for (const auto& task : tasks) task();
  }

  std::vector<DeviceStatus> devices_answer;
  std::vector<DeviceDetails> device_answer;
  std::vector<DeviceScreen> screens_answer;
  std::vector<DeviceAlertStatus> alerts_answer;
  std::size_t sessions_ended = 0;
  std::vector<std::string> asked;
  DeviceMeters counted;

  void post(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  void deliver(std::vector<Writer::Completion>) override {}
  void stop() override {}
  const WorkerMeters& meters() const override { return meters_; }
  const TurnCount& turns() const override { return turns_; }
  const DeviceMeters& device_meters() const override { return counted; }

  void run() override {}
  std::vector<HandshakeStatus> handshakes(std::size_t) const override { return {}; }
  std::vector<SessionStatus> sessions(Address) const override { return {}; }
  const SessionRules& rules() const override { return rules_; }
  std::size_t end_sessions(const Block& block, const Rejection& rejection) override {
    asked.push_back("end " + to_string(block) + " " + code_text(rejection.code));
    return sessions_ended;
  }
  void watch(const Block& block) override { asked.push_back("watch " + to_string(block)); }
  std::vector<DeviceStatus> devices() const override { return devices_answer; }
  std::vector<DeviceDetails> device(const std::string& uid_or_address) const override {
    return uid_or_address == "known" ? device_answer : std::vector<DeviceDetails>();
  }
  std::vector<DeviceScreen> screens(const std::string& uid_or_address) override {
    asked.push_back("screens " + uid_or_address);
    return screens_answer;
  }
  std::vector<DeviceAlertStatus> alerts(std::size_t count_max) const override {
    auto alerts = alerts_answer;
    alerts.resize(std::min(alerts.size(), count_max));
    return alerts;
  }
  std::size_t end_sessions_of(const std::string& uid, const Rejection& rejection) override {
    asked.push_back("end " + uid + " " + code_text(rejection.code));
    return sessions_ended;
  }

 private:
  const SessionRules& rules_;
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  WorkerMeters meters_;
  TurnCount turns_;
};

}  // namespace lekt::test

#include "server/core/device_side_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// The most rows of each table in one transaction.
constexpr std::size_t device_rows_per_commit = 2000;
static_assert(device_rows_per_commit <= storage::devices_written_max);

/// How often devices that were not seen for the retention are looked for.
constexpr AwakeTime device_forgetting_interval = 10min;

}  // namespace

void DeviceSideRows::take(storage::DeviceRows&& rows) {
  for (storage::DeviceRow& device : rows.devices) take(std::move(device));
  for (storage::DeviceSessionRow& session : rows.sessions) {
    const std::uint64_t number = session.number;
    sessions_.insert_or_assign(number, std::move(session));
  }
  for (const std::uint64_t number : rows.ended_sessions) {
    sessions_.erase(number);
    ended_.insert(number);
    if (ended_.size() > ended_max) ended_.erase(std::prev(ended_.end()));
  }
  for (storage::DeviceAlertRow& alert : rows.alerts) {
    alerts_.push_back(std::move(alert));
    if (alerts_.size() > storage::device_alerts_max) alerts_.pop_front();
  }
}

void DeviceSideRows::take(storage::DeviceRow&& device) {
  const auto waiting = devices_.find(device.uid);
  if (waiting != devices_.end()) {
    device.sessions += waiting->second.sessions;
    waiting->second = std::move(device);
  } else if (devices_.size() < waiting_max) {
    std::string uid = device.uid;
    devices_.emplace(std::move(uid), std::move(device));
  }
}

storage::DeviceRows DeviceSideRows::choose() const {
  storage::DeviceRows chosen;
  const auto some = [](const auto& all) {
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(std::min(all.size(), device_rows_per_commit)));
  };
  std::for_each(devices_.begin(), some(devices_),
                [&](const auto& waiting) { chosen.devices.push_back(waiting.second); });
  std::for_each(sessions_.begin(), some(sessions_),
                [&](const auto& waiting) { chosen.sessions.push_back(waiting.second); });
  chosen.ended_sessions.assign(ended_.begin(), some(ended_));
  chosen.alerts.assign(alerts_.begin(), alerts_.end());
  return chosen;
}

bool DeviceSideRows::is_forgetting_due(const storage::DeviceRows& chosen, Moment now) const {
  return now.awake >= forgetting_due_ || written_ + chosen.devices.size() > storage::devices_written_max;
}

void DeviceSideRows::fill(const storage::DeviceRows& chosen, std::chrono::seconds retention, Moment now,
                          storage::Batch& batch) const {
  if (!chosen.empty()) batch.devices = &chosen;
  if (is_forgetting_due(chosen, now))
    batch.forget_devices_before = std::max<std::int64_t>(now.wall - retention.count(), 1);
}

void DeviceSideRows::committed(const storage::DeviceRows& chosen, Moment now) {
  if (is_forgetting_due(chosen, now)) {
    forgetting_due_ = now.awake + device_forgetting_interval;
    written_ = 0;
  }
  written_ += chosen.devices.size();
  for (const storage::DeviceRow& device : chosen.devices) devices_.erase(device.uid);
  for (const storage::DeviceSessionRow& session : chosen.sessions) sessions_.erase(session.number);
  for (const std::uint64_t number : chosen.ended_sessions) ended_.erase(number);
  alerts_.erase(alerts_.begin(),
                std::next(alerts_.begin(), static_cast<std::ptrdiff_t>(chosen.alerts.size())));
}

}  // namespace lekt

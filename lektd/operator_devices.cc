// The part of the desk that is about devices: it asks the one front that has them.
#include <algorithm>
#include <tuple>
#include <utility>

#include "lektd/ask_fronts.h"
#include "lektd/operator_desk.h"

namespace lekt {

template <class Answer>
Answer OperatorDesk::ask_devices(std::function<Answer(DeviceFront&)> question) {
  if (shared_.devices == nullptr) throw CodedError(ErrorCode::control_refused, no_devices);
  const auto answers = ask<Answer>(
      {shared_.devices},
      [devices = shared_.devices, question = std::move(question)](Front&) { return question(*devices); },
      patience);
  if (!answers.front()) fail_silent("the thread of devices");
  return *answers.front();
}

std::vector<DeviceStatus> OperatorDesk::devices() {
  auto devices = ask_devices<std::vector<DeviceStatus>>([](DeviceFront& front) { return front.devices(); });
  std::ranges::sort(devices, {}, [](const DeviceStatus& device) {
    return std::tuple(device.address, device.client_port, device.port);
  });
  return devices;
}

std::vector<DeviceDetails> OperatorDesk::device(const std::string& uid_or_address) {
  return ask_devices<std::vector<DeviceDetails>>(
      [uid_or_address](DeviceFront& front) { return front.device(uid_or_address); });
}

std::vector<DeviceScreen> OperatorDesk::device_screens(const std::string& uid_or_address) {
  return ask_devices<std::vector<DeviceScreen>>(
      [uid_or_address](DeviceFront& front) { return front.screens(uid_or_address); });
}

std::vector<DeviceAlertStatus> OperatorDesk::device_alerts(std::size_t count_max) {
  return ask_devices<std::vector<DeviceAlertStatus>>(
      [count_max](DeviceFront& front) { return front.alerts(count_max); });
}

Operations::Kicked OperatorDesk::kick_device(const std::string& uid) {
  return {.sessions = ask_devices<std::size_t>(
              [uid](DeviceFront& front) { return front.end_sessions_of(uid, kick_rejection()); })};
}

}  // namespace lekt

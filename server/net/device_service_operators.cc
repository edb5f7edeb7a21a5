// What operators ask of the devices.
#include <algorithm>

#include "server/net/device_service.h"

namespace lekt {

namespace {

double seconds(AwakeTime time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

AwakeTime DeviceService::heard(const DeviceSession& session) const {
  return session.port() ? desk_.registration(*session.port())->heard() : session.heard();
}

DeviceStatus DeviceService::describe(std::uint16_t port, const Registration& registration) const {
  DeviceStatus status;
  status.address = registration.device().address;
  status.client_port = registration.device().port;
  status.port = port;
  status.state = to_string(registration.state());
  status.age_seconds = seconds(now_ - registration.since());
  status.silent_seconds = seconds(now_ - registration.heard());
  if (const auto trip = registration.delivery().round_trip())
    status.rtt_milliseconds = static_cast<double>(trip->count());
  return status;
}

DeviceStatus DeviceService::describe(const DeviceSession& session) const {
  DeviceStatus status;
  if (session.port()) status = describe(*session.port(), *desk_.registration(*session.port()));
  if (!session.port()) {
    status.state = "waiting";
    status.address = session.endpoint().address;
    status.client_port = session.endpoint().port;
  }
  status.uid = session.device().uid;
  status.type = session.device().type;
  status.group = session.group().name;
  status.version = session.device().version;
  status.session = session.number();
  status.age_seconds = seconds(now_ - session.began());
  status.silent_seconds = seconds(now_ - heard(session));
  return status;
}

std::vector<DeviceStatus> DeviceService::devices() const {
  std::vector<DeviceStatus> list;
  desk_.for_each_request([&](const DeviceRequest& request) {
    DeviceStatus status;
    status.address = request.device.address;
    status.client_port = request.device.port;
    status.port = request.port;
    status.state = "connecting";
    status.age_seconds = seconds(now_ - request.since);
    status.silent_seconds = status.age_seconds;
    list.push_back(std::move(status));
  });
  desk_.for_each_registration(
      [&](std::uint16_t port, const Registration& registration, const DeviceSession* session) {
        if (session == nullptr) list.push_back(describe(port, registration));
      });
  desk_.book().for_each([&](const DeviceSession& session) { list.push_back(describe(session)); });
  return list;
}

DeviceDetails DeviceService::details_of(const DeviceSession& session) const {
  DeviceDetails details;
  details.status = describe(session);
  details.text = session.text();
  details.system = session.device().system;
  details.rows = session.device().rows;
  details.columns = session.device().columns;
  for_each_rule(encode_rules(session.group(), false), [&](DeviceRule rule, std::uint32_t value) {
    details.rules.push_back(std::string(rule_name(rule)) + " " + std::to_string(value));
  });
  details.inputs = session.taken();
  if (session.port()) {
    const Delivery& delivery = desk_.registration(*session.port())->delivery();
    details.sent = delivery.counts().sent;
    details.received = delivery.counts().received;
    details.duplicates = delivery.counts().duplicates;
    details.out_of_order = delivery.counts().out_of_sequence;
    details.repeated = delivery.counts().repeated;
    details.rtt_below_200 = delivery.counts().round_trips[0];
    details.rtt_below_500 = delivery.counts().round_trips[1];
    details.rtt_above = delivery.counts().round_trips[2];
  }
  for (auto alert = alerts_.rbegin(); alert != alerts_.rend() && details.alerts.size() < 20; ++alert)
    if (alert->uid == session.device().uid || alert->address == session.endpoint().address)
      details.alerts.push_back(*alert);
  return details;
}

std::vector<DeviceDetails> DeviceService::device(const std::string& uid_or_address) const {
  std::vector<DeviceDetails> found;
  const auto address = parse_address(uid_or_address);
  const auto look = [&](auto is_meant) {
    desk_.book().for_each([&](const DeviceSession& session) {
      if (is_meant(session)) found.push_back(details_of(session));
    });
  };
  look([&](const DeviceSession& session) { return session.device().uid == uid_or_address; });
  if (found.empty() && address)
    look([&](const DeviceSession& session) { return session.endpoint().address == *address; });
  return found;
}

std::vector<DeviceAlertStatus> DeviceService::alerts(std::size_t count_max) const {
  const std::size_t count = std::min(count_max, alerts_.size());
  return {alerts_.rbegin(), alerts_.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

/// A session without a number in the registry is one that could not join.
std::vector<SessionStatus> DeviceService::sessions(Address address) const {
  std::vector<SessionStatus> list;
  desk_.book().for_each([&](const DeviceSession& session) {
    if (session.endpoint().address != address) return;
    SessionStatus status{address, listing_.id_of(session.number()), seconds(now_ - heard(session))};
    status.port = session.endpoint().port;
    list.push_back(std::move(status));
  });
  return list;
}

std::size_t DeviceService::end_sessions(const Block& block, const Rejection& rejection) {
  look_at_clock();
  return desk_.end_sessions(
      [&](const DeviceSession& session) { return block.contains(session.endpoint().address); }, rejection);
}

std::size_t DeviceService::end_sessions_of(const std::string& uid, const Rejection& rejection) {
  look_at_clock();
  return desk_.end_sessions([&](const DeviceSession& session) { return session.device().uid == uid; },
                            rejection);
}

}  // namespace lekt

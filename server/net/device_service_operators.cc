// What operators see of the devices: what they ask, the numbers, and what the database is told.
#include <algorithm>
#include <iterator>
#include <utility>

#include "server/net/device_service.h"
#include "server/operators/clock.h"
#include "server/operators/device_screen.h"

namespace lekt {

namespace {

/// How often the sessions are looked at, to count them.
constexpr AwakeTime count_interval = std::chrono::seconds(2);

/// How often the database is told who was heard.
constexpr AwakeTime rows_interval = std::chrono::seconds(5);

double seconds(AwakeTime time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

AwakeTime DeviceService::heard(const DeviceSession& session) const {
  return session.port() ? desk_.registration(*session.port())->heard() : session.heard();
}

/// One of device_states.
std::string DeviceService::state_of(const DeviceSession& session) const {
  if (!session.port()) return "waiting";
  const Registration::State state = desk_.registration(*session.port())->state();
  if (state == Registration::State::serving && is_selecting(session)) return "selecting";
  return std::string(to_string(state));
}

bool DeviceService::is_selecting(const DeviceSession& session) const {
  const Workplace* const workplace = workplaces_.find(session.number());
  return workplace != nullptr && workplace->state() == Workplace::State::selecting;
}

/// The name of the host that it works on or is being connected to; empty otherwise.
std::string DeviceService::host_of(const DeviceSession& session) const {
  const Workplace* const workplace = workplaces_.find(session.number());
  if (workplace == nullptr ||
      (workplace->state() != Workplace::State::connecting && workplace->state() != Workplace::State::working))
    return {};
  return workplace->host()->name;
}

/// The same in detail: "wms (10.1.0.5:23), working".
std::string DeviceService::describe_host(const DeviceSession& session) const {
  const Workplace* const workplace = workplaces_.find(session.number());
  if (workplace == nullptr || workplace->host() == nullptr) return {};
  return full_name(*workplace->host()) + ", " + std::string(to_string(workplace->state()));
}

DeviceStatus DeviceService::describe(std::uint16_t port, const Registration& registration) const {
  DeviceStatus status;
  status.address = registration.device().address;
  status.client_port = registration.device().port;
  status.port = port;
  status.state = to_string(registration.state());
  status.dtls = registration.is_encrypted();
  status.age_seconds = seconds(now_ - registration.since());
  status.silent_seconds = seconds(now_ - registration.heard());
  if (const auto trip = registration.delivery().round_trip())
    status.rtt_milliseconds = static_cast<double>(trip->count());
  return status;
}

DeviceStatus DeviceService::describe(const DeviceSession& session) const {
  DeviceStatus status;
  if (session.port()) status = describe(*session.port(), *desk_.registration(*session.port()));
  status.address = session.endpoint().address;
  status.client_port = session.endpoint().port;
  status.state = state_of(session);
  status.host = host_of(session);
  status.uid = session.device().uid;
  status.type = session.device().type;
  status.group = session.group().name;
  status.version = session.device().version;
  status.session = session.number();
  status.age_seconds = seconds(now_ - session.began());
  status.silent_seconds = seconds(now_ - heard(session));
  return status;
}

/// Numbers of the desk, and how things are now.
void DeviceService::count() {
  count_due_ = now_ + count_interval;
  const DeviceDesk::Counts& desk = desk_.counts();
  device_meters_.registrations.add(desk.registrations - counted_.registrations);
  device_meters_.malformed.add(desk.malformed - counted_.malformed);
  device_meters_.inputs.add(desk.inputs - counted_.inputs);
  counted_ = desk;
  const DevicePorts::Counts ports = desk_.ports();
  device_meters_.ports_free = ports.free;
  device_meters_.ports_used = ports.used;
  device_meters_.ports_taken = ports.taken;
  std::vector<Silent> silent;
  std::size_t waiting = 0;
  std::size_t selecting = 0;
  std::as_const(desk_).book().for_each([&](const DeviceSession& session) {
    if (!session.port()) ++waiting;
    if (!session.port() || desk_.registration(*session.port())->state() == Registration::State::away)
      silent.emplace_back(session.number(), !session.port());
    else if (is_selecting(session))
      ++selecting;
  });
  device_meters_.sessions_away = silent.size() - waiting;
  device_meters_.sessions_waiting = waiting;
  device_meters_.sessions_selecting = selecting;
  device_meters_.sessions_active = desk_.book().size() - silent.size() - selecting;
  // Nothing comes from a device that falls silent, so the database is told by this look.
  std::vector<Silent> other;
  std::ranges::set_symmetric_difference(silent_, silent, std::back_inserter(other));
  for (const auto& [number, has_no_registration] : other) changed_.insert(number);
  silent_ = std::move(silent);
}

/// Tells the writer of sessions that have changed or were heard, and of what has gathered besides.
void DeviceService::tell_database() {
  rows_due_ = now_ + rows_interval;
  for (const std::uint16_t port : std::exchange(heard_ports_, {})) {
    port_at(port).is_heard = false;
    if (const DeviceSession* const session = desk_.session_at(port)) changed_.insert(session->number());
  }
  const std::int64_t wall = wall_seconds();
  const auto second_of = [&](AwakeTime time) {
    return wall - std::chrono::duration_cast<std::chrono::seconds>(now_ - time).count();
  };
  for (const DeviceSession::Number number : std::exchange(changed_, {})) {
    const DeviceSession* const session = desk_.book().find(number);
    if (session == nullptr) continue;
    const DeviceStatus status = describe(*session);
    rows_.sessions.push_back({number, status.uid, status.address, status.port, status.client_port,
                              status.group, status.state, status.dtls, second_of(session->began()),
                              second_of(heard(*session))});
    const std::uint64_t begun = begun_.erase(number);
    // A device without a name of its own has no row, which others without one would share.
    if (!session->device().names_anybody()) continue;
    rows_.devices.push_back({status.uid, session->text(), status.type, status.version,
                             session->device().system, session->device().rows, session->device().columns,
                             status.address, status.group, second_of(heard(*session)), begun});
  }
  if (rows_.empty()) return;
  Command command = std::move(rows_);
  rows_ = {};
  shared_.doors.inbox.post(std::move(command));
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
  details.host = describe_host(session);
  for_each_rule(encode_rules(session.group(), details.status.dtls),
                [&](DeviceRule rule, std::uint32_t value) {
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

DeviceScreen DeviceService::screen_of(const DeviceSession& session) {
  Screen drawn(1, 1);
  draw_now(session, drawn);
  const CursorItem& cursor = drawn.cursor();
  return {.uid = session.device().uid,
          .address = session.endpoint().address,
          .session = session.number(),
          .state = state_of(session),
          .host = host_of(session),
          .size = {drawn.rows(), drawn.columns()},
          .cursor = {cursor.row, cursor.column, cursor.is_shown},
          .rows = printable_rows(drawn)};
}

/// Those with this uid; if there is none, those at this address, if it is one.
std::vector<const DeviceSession*> DeviceService::sessions_of(const std::string& uid_or_address) const {
  std::vector<const DeviceSession*> found;
  const auto address = parse_address(uid_or_address);
  const auto look = [&](auto is_meant) {
    desk_.book().for_each([&](const DeviceSession& session) {
      if (is_meant(session)) found.push_back(&session);
    });
  };
  look([&](const DeviceSession& session) { return session.device().uid == uid_or_address; });
  if (found.empty() && address)
    look([&](const DeviceSession& session) { return session.endpoint().address == *address; });
  return found;
}

std::vector<DeviceDetails> DeviceService::device(const std::string& uid_or_address) const {
  std::vector<DeviceDetails> found;
  for (const DeviceSession* session : sessions_of(uid_or_address)) found.push_back(details_of(*session));
  return found;
}

/// What a user sees is the user's own, so whoever looks leaves a line, which no rate hides.
std::vector<DeviceScreen> DeviceService::screens(const std::string& uid_or_address) {
  std::vector<DeviceScreen> found;
  for (const DeviceSession* session : sessions_of(uid_or_address)) {
    found.push_back(screen_of(*session));
    log_event(LogLevel::info, "device_screen_shown",
              {{"uid", session->device().uid},
               {"address", to_string(session->endpoint().address)},
               {"session", session->number()}});
  }
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
  desk_.end_registrations([&](Address address) { return block.contains(address); }, rejection);
  return desk_.end_sessions(
      [&](const DeviceSession& session) { return block.contains(session.endpoint().address); }, rejection);
}

std::size_t DeviceService::end_sessions_of(const std::string& uid, const Rejection& rejection) {
  look_at_clock();
  return desk_.end_sessions([&](const DeviceSession& session) { return session.device().uid == uid; },
                            rejection);
}

}  // namespace lekt

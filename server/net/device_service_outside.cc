// What the desk needs of the world, and tells it.
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "server/net/device_service.h"
#include "server/operators/clock.h"

namespace lekt {

namespace {

/// Lines about alerts.
const Rate alert_lines(10, 100);
/// Lines that say how many lines were hidden.
const Rate hidden_lines(1, 1);
constexpr std::size_t alerts_kept_max = 1000;

}  // namespace

bool DeviceService::open(std::uint16_t port) {
  Port& wanted = port_at(port);
  if (wanted.socket) return true;
  try {
    wanted.socket.emplace(port_address_, port);
    sockets_.add(wanted.socket->descriptor(), key_of(port));
    return true;
  } catch (const std::system_error& error) {
    wanted.socket.reset();
    log_event(error.code() == std::errc::address_in_use ? LogLevel::info : LogLevel::warn,
              "device_port_taken", {{"port", port}, {"reason", error.code().message()}});
    return false;
  }
}

void DeviceService::send(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) {
  note_sent(from, to, datagram);
  device_meters_.datagrams_sent.add();
  device_meters_.bytes_sent.add(datagram.size());
  const bool is_answer = current_ && current_->from == to;
  if (from == 0) {
    if (is_answer) contacts_[current_->key].send(current_->local, to, datagram);
    return;
  }
  Port& port = port_at(from);
  port.socket->send(is_answer && current_->key == key_of(from) ? current_->local : port.local, to, datagram);
}

/// Traces and the handler log have a datagram as it is before it is sealed.
void DeviceService::note_sent(std::uint16_t from, const DeviceEndpoint& to, ByteView datagram) {
  using handler_event::Fate;
  const DatagramHead head = read_head_to_device(datagram).value();
  Fate fate = Fate::sent;
  if (head.type == DatagramType::failure) {
    shared_.seen.codes.count(static_cast<ErrorCode>(head.number));
  } else if (from != 0 && head.number != 0) {
    Port& port = port_at(from);
    if (head.number <= port.sent) {
      fate = Fate::repeated;
      device_meters_.repeated.add();
    } else {
      port.sent = head.number;
      if (head.type == DatagramType::message && datagram.size() > limits::datagram_head_bytes)
        count_screen(port);
    }
  }
  if (shared_.seen.tracer.covers(to.address))
    shared_.seen.tracer.datagram(to.address, to.port, Direction::to_client, datagram);
  // A device has a log from its packet 3 on: a flood of forged packets 1 makes no file.
  if (from != 0 && has_registration(from, to) && handler_log_.covers(to.address, HandlerLevel::socket))
    handler_log_.note(to.address, time(), handler_event::datagram(fate, head, datagram.size(), to));
}

/// A message with items is the beginning of a screen, or more of it.
void DeviceService::count_screen(Port& port) {
  device_meters_.screens.add();
  if (const auto taken = std::exchange(port.input_taken, std::nullopt))
    device_meters_.echo.add(std::chrono::steady_clock::now() - *taken);
}

void DeviceService::note_received(const DeviceEndpoint& device, ByteView datagram) {
  if (shared_.seen.tracer.covers(device.address))
    shared_.seen.tracer.datagram(device.address, device.port, Direction::to_server, datagram);
}

/// What a datagram of a registration is: new, or one that is dropped.
void DeviceService::log_received(std::uint16_t port, const DeviceEndpoint& from, ByteView datagram) {
  using handler_event::Fate;
  if (!handler_log_.covers(from.address, HandlerLevel::socket)) return;
  const auto head = read_head_to_server(datagram);
  if (!head) return;
  const std::uint32_t received = desk_.registration(port)->delivery().received();
  const bool is_numbered = head->number != 0 && head->type != DatagramType::registration_request;
  const Fate fate = is_numbered && head->number <= received      ? Fate::duplicate
                    : is_numbered && head->number > received + 1 ? Fate::out_of_order
                                                                 : Fate::received;
  handler_log_.note(from.address, time(), handler_event::datagram(fate, *head, datagram.size(), from));
}

/// Devices have rates of their own: a flood of forged requests must keep no client from connecting.
DeviceDesk::Judgement DeviceService::judge(Address address) {
  if (auto rejection = shared_.doors.admission.judge_address(address)) {
    shared_.seen.rejects.note(address, to_string(address), *rejection);
    // The answer has no more bytes than what it answers, so its text is a short one.
    return {DeviceDesk::Admitted::refused,
            {rejection->code, rejection->code == ErrorCode::address_banned ? "this address is banned"
                                                                           : "this address is not served"}};
  }
  const Rate::Time now = steady_now();
  if (stranger_rates_.take(address, now) && settings_.strangers.take(strangers_paid_until_, now)) return {};
  shared_.seen.codes.count(ErrorCode::connections_too_fast);
  return {DeviceDesk::Admitted::too_fast, {}};
}

Ticket DeviceService::random_ticket() {
  Ticket ticket{};
  // So few bytes come at once, or the kernel is no Linux that this program runs on.
  if (getrandom(ticket.data(), ticket.size(), 0) != static_cast<ssize_t>(ticket.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  return ticket;
}

LoggedTime DeviceService::time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::time_t second = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  std::tm local{};
  localtime_r(&second, &local);
  return {std::chrono::duration_cast<std::chrono::milliseconds>(now), std::chrono::seconds(local.tm_gmtoff)};
}

void DeviceService::log(Address device, LoggedTime time, const HandlerEvent& event) {
  handler_log_.note(device, time, event);
}

void DeviceService::alert(const DeviceDesk::Alert& alert) {
  if (alerts_.size() == alerts_kept_max) alerts_.pop_front();
  device_meters_.alerts.count(alert.code);
  alerts_.push_back({wall_seconds(), alert.code, alert.device.address, alert.uid, alert.message});
  const DeviceAlertStatus& newest = alerts_.back();
  rows_due_ = now_;
  rows_.alerts.push_back({newest.second, newest.code, newest.address, newest.uid, newest.message});
  if (!alert_lines.take(alert_lines_paid_until_, now_)) return void(++lines_hidden_);
  log_event(LogLevel::warn, "device_alert",
            {{"uid", alert.uid},
             {"address", to_string(alert.device.address)},
             {"message", Rejection{alert.code, alert.message}.text()}});
}

LogLevel DeviceService::level_of_line(Address address) {
  if (line_rates_.take(address, now_)) return LogLevel::info;
  if (!log_enabled(LogLevel::debug)) ++lines_hidden_;
  return LogLevel::debug;
}

void DeviceService::report_hidden_lines() {
  if (lines_hidden_ > 0 && hidden_lines.take(hidden_reported_until_, now_))
    log_event(LogLevel::info, "device_lines_hidden", {{"count", std::exchange(lines_hidden_, 0)}});
}

void DeviceService::session_began(const DeviceSession& session) {
  listing_.show(session);
  workplaces_.begin(session);
  changed_.insert(session.number());
  begun_.insert(session.number());
  tell_database();
  log_event(level_of_line(session.endpoint().address), "device_join",
            {{"uid", session.device().uid},
             {"address", to_string(session.endpoint().address)},
             {"port", session.port().value_or(0)},
             {"type", session.device().type},
             {"group", session.group().name},
             {"session", session.number()}});
}

void DeviceService::session_resumed(const DeviceSession& session, const DeviceEndpoint& before) {
  session_described(session);
  const bool has_moved = before.address != session.endpoint().address;
  if (has_moved && settings_.alerts_of_resumes)
    alert({ErrorCode::registration_replaced, session.endpoint(), session.device().uid,
           "the session goes on at " + to_string(session.endpoint().address) + ", and was at " +
               to_string(before.address)});
  log_event(level_of_line(session.endpoint().address), "device_resume",
            {{"uid", session.device().uid},
             {"address", to_string(session.endpoint().address)},
             {"before", to_string(before.address)},
             {"port", session.port().value_or(0)},
             {"session", session.number()}});
}

void DeviceService::session_described(const DeviceSession& session) {
  listing_.show(session);
  workplaces_.resized(session.number());
  changed_.insert(session.number());
}

/// A server that stops leaves its devices listed: they come back, and the next start waits for them.
void DeviceService::session_ended(const DeviceSession& session, const Rejection& reason) {
  workplaces_.end(session.number());
  if (!stopping_) {
    listing_.end(session.number(), LeaveReason::closed);
    meters_.leaves.add();
    rows_.ended_sessions.push_back(session.number());
    changed_.erase(session.number());
    begun_.erase(session.number());
  }
  log_event(level_of_line(session.endpoint().address), "device_leave",
            {{"uid", session.device().uid},
             {"address", to_string(session.endpoint().address)},
             {"session", session.number()},
             {"reason", reason.text()}});
}

void DeviceService::input(const DeviceSession& session, ByteView items) {
  auto& taken = port_at(session.port().value()).input_taken;
  if (!taken) taken = std::chrono::steady_clock::now();
  workplaces_.input(session.number(), items);
}

Liveliness DeviceService::draw(const DeviceSession& session, Screen& screen) {
  workplaces_.follow(session.number());
  return draw_now(session, screen);
}

Liveliness DeviceService::draw_now(const DeviceSession& session, Screen& screen) {
  if (const Workplace* const workplace = workplaces_.find(session.number())) {
    workplace->draw(screen);
    return workplace->liveliness();
  }
  screen = draw_session(session);
  return Liveliness::still;
}

}  // namespace lekt

// The thread, the sockets and the time of the service. device_service_outside.cc is what the desk tells it,
// device_service_dtls.cc opens and seals records, and device_service_operators.cc is what operators see.
#include "server/net/device_service.h"

#include <sys/random.h>

#include <algorithm>
#include <asio/post.hpp>
#include <system_error>

#include "server/net/device_measure.h"
#include "server/operators/clock.h"
#include "server/operators/secret.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// How often the thread looks at the clock when nothing comes.
constexpr AwakeTime tick_interval = 500ms;
/// A longer time than this number of ticks between two looks at the clock is a pause of the process, which takes nobody
/// for dead.
constexpr int step_ticks_max = 2;
/// Sockets are looked at so many times before timers and other threads have their turn.
constexpr int rounds_at_once = 16;
/// Of one socket at once. After a power cut many come to the contact port together.
constexpr int datagrams_at_once = 16;
/// What is more comes again half a second later.
constexpr int contact_buffer_bytes = 1024 * 1024;
/// Lines about devices of one address: one that comes and goes all the time must not fill the disk.
const Rate address_lines(5, 500);

DeviceDesk::Secrets random_secrets() {
  DeviceDesk::Secrets secrets;
  secrets.list = random_secret();
  if (getrandom(secrets.token.data(), secrets.token.size(), 0) != static_cast<ssize_t>(secrets.token.size()))
    throw CodedError(ErrorCode::start_failed, "the kernel has no random numbers for the tokens of devices");
  return secrets;
}

/// The IPv4 address in `address`, which the settings have checked.
Address ipv4_of(const ListenAddress& address) {
  if (const auto parsed = parse_address(address.address)) return *parsed;
  throw CodedError(ErrorCode::listen_failed, "cannot listen on " + address.text() +
                                                 ": devices come over IPv4; choose an IPv4 address "
                                                 "of this machine (--device-listen)");
}

}  // namespace

DeviceService::DeviceService(std::uint32_t index, std::uint32_t count, const Place& place,
                             const Settings& settings, const Shared& shared)
    : first_port_(place.first_port),
      shared_(shared),
      rules_(&shared.rules),
      settings_(settings),
      io_(ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      sockets_(io_),
      ports_(static_cast<std::size_t>(place.last_port - place.first_port) + 1),
      clock_(std::chrono::steady_clock::now(), step_ticks_max * tick_interval),
      desk_(place.first_port, place.last_port, random_secrets(), *this),
      listing_(index, count, [this](Command command) { shared_.doors.inbox.post(std::move(command)); }),
      workplaces_(
          io_, {.alert =
                    [this](const DeviceSession& session, const Rejection& rejection) {
                      alert({rejection.code, session.endpoint(), session.device().uid, rejection.message});
                    },
                .log = [this](const DeviceSession& session,
                              const HandlerEvent& event) { log(session.endpoint().address, time(), event); },
                .wake =
                    [this] {
                      look_at_clock();
                      advance();
                    }}),
      tick_timer_(io_),
      due_timer_(io_),
      stranger_rates_(settings.strangers_per_address, random_secret()),
      line_rates_(address_lines, random_secret(), 8),
      handler_log_(place.handler_logs) {
  listen(place);
  use(settings, shared.rules);
}

DeviceService::~DeviceService() = default;

void DeviceService::listen(const Place& place) {
  for (const ListenAddress& address : place.listen) {
    const Address local = ipv4_of(address);
    try {
      UdpSocket& socket = contacts_.emplace_back(local, address.port);
      socket.ask_for_buffer(contact_buffer_bytes);
      sockets_.add(socket.descriptor(), static_cast<std::uint32_t>(contacts_.size() - 1));
      listening_.push_back({address.address, socket.port()});
    } catch (const std::system_error& error) {
      throw CodedError(ErrorCode::listen_failed,
                       "cannot listen on " + address.text() + " for devices: " + error.code().message() +
                           "; choose a free port and an address of this machine (--device-listen)");
    }
    served_.push_back(local);
  }
  // Dedicated ports are where the contact ports are: at one address, or at all and then only some are served.
  port_address_ = served_.size() == 1 ? served_.front() : Address();
  if (std::ranges::find(served_, Address()) != served_.end()) served_.clear();
}

/// Whether a datagram that came to this address of the machine is looked at.
bool DeviceService::is_served(Address local) const {
  return served_.empty() || std::ranges::find(served_, local) != served_.end();
}

// ---- From any thread ----

void DeviceService::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

void DeviceService::deliver(std::vector<Writer::Completion> completions) {
  asio::post(io_, [this, completions = std::move(completions)] {
    look_at_clock();
    for (const Writer::Completion& completion : completions) {
      const auto refused = listing_.decided(completion, now_);
      if (!completion.rejection) {
        meters_.joins.add();
        continue;
      }
      shared_.seen.codes.count(completion.rejection->code);
      if (!refused) continue;
      const DeviceSession* const session = desk_.book().find(*refused);
      log_event(level_of_line(session->endpoint().address), "device_not_listed",
                {{"uid", session->device().uid},
                 {"address", to_string(session->endpoint().address)},
                 {"reason", completion.rejection->text()}});
    }
  });
}

void DeviceService::stop() {
  asio::post(io_, [this] {
    stopping_ = true;
    look_at_clock();
    tell_database();
    desk_.stop();
    workplaces_.end_all();
    io_.stop();
  });
}

// ---- On its thread ----

void DeviceService::run() {
  tick();
  wait_for_datagrams();
  io_.run();
}

void DeviceService::use(const Settings& settings, const SessionRules& rules) {
  settings_ = settings;
  rules_ = &rules;
  stranger_rates_.use(settings.strangers_per_address);
  handler_log_.use(settings.handler_log);
  desk_.use(settings.desk);
}

void DeviceService::look_at_clock() { now_ = clock_.advance(std::chrono::steady_clock::now()); }

void DeviceService::tick() {
  look_at_clock();
  turns_.add();
  listing_.retry(now_, [this](DeviceSession::Number number) { return desk_.book().find(number); });
  handler_log_.tell(shared_.seen.warnings);
  report_hidden_lines();
  advance();
  if (now_ >= count_due_) count();
  if (now_ >= rows_due_) tell_database();
  tick_timer_.expires_after(tick_interval);
  tick_timer_.async_wait([this](const asio::error_code& error) {
    if (!error) tick();
  });
}

void DeviceService::wait_for_datagrams() {
  sockets_.wait([this] { take_datagrams(); });
}

void DeviceService::take_datagrams() {
  for (int round = 0; round < rounds_at_once; ++round) {
    const std::span<const std::uint32_t> ready = sockets_.take_ready();
    if (ready.empty()) break;
    look_at_clock();
    for (const std::uint32_t key : ready) take_from(key);
    if (ready.size() < SocketSet::ready_max) break;  // what has come since is seen by the next wait
  }
  advance();
  wait_for_datagrams();
}

void DeviceService::take_from(std::uint32_t key) {
  const bool is_contact = key < contacts_.size();
  UdpSocket& socket = is_contact ? contacts_[key] : *ports_[key - contacts_.size()].socket;
  for (int count = 0; count < (is_contact ? datagrams_at_once : 1); ++count) {
    const auto arrival = socket.receive(buffer_);
    if (!arrival) return;
    device_meters_.datagrams_received.add();
    device_meters_.bytes_received.add(arrival->datagram.size());
    if (is_served(arrival->local)) take(key, *arrival);
  }
}

void DeviceService::take(std::uint32_t key, const UdpSocket::Arrival& arrival) {
  current_ = {key, arrival.from, arrival.local};
  if (key < contacts_.size()) {
    note_received(arrival.from, arrival.datagram);
    desk_.receive_at_contact(arrival.from, arrival.local, arrival.datagram, now_);
  } else {
    take_at_port(static_cast<std::uint16_t>(first_port_ + key - contacts_.size()), arrival);
  }
  current_.reset();
}

void DeviceService::take_at_port(std::uint16_t port, const UdpSocket::Arrival& arrival) {
  if (is_dtls_record(arrival.datagram)) return take_record(port, arrival);
  note_received(arrival.from, arrival.datagram);
  const Measured measured(desk_, port, device_meters_);
  // The log of a device begins with its packet 3, which is told of when it has been taken.
  const bool had_registration = has_registration(port, arrival.from);
  if (had_registration) log_received(port, arrival.from, arrival.datagram);
  desk_.receive(port, arrival.from, arrival.datagram, now_);
  if (!has_registration(port, arrival.from)) return;
  if (!had_registration) log_received(port, arrival.from, arrival.datagram);
  was_heard(port, arrival.local);
}

bool DeviceService::has_registration(std::uint16_t port, const DeviceEndpoint& device) const {
  const Registration* const registration = desk_.registration(port);
  return registration != nullptr && registration->device() == device;
}

/// The database is told so before long.
void DeviceService::was_heard(std::uint16_t port, Address local) {
  Port& here = port_at(port);
  here.local = local;
  if (!std::exchange(here.is_heard, true)) heard_ports_.push_back(port);
}

void DeviceService::advance() {
  advance_handshakes();
  tell_news_of_work();
  desk_.advance(now_);
  arm_timer();
}

/// What hosts and inputs have changed, outside of the desk's calls.
void DeviceService::tell_news_of_work() {
  const DeviceWorkplaces::News news = workplaces_.take_news();
  for (const DeviceSession::Number number : news.changed) {
    const DeviceSession* const session = desk_.book().find(number);
    if (session == nullptr) continue;
    if (workplaces_.take_bell(number)) desk_.ring(*session, now_);
    desk_.screen_changed(*session, now_);
  }
  for (const auto& [number, reason] : news.over) desk_.end_session(number, reason);
}

/// The timer is not moved to a later time: what is due moves with each datagram, and a timer that comes too early costs
/// less than one that is set each time.
void DeviceService::arm_timer() {
  auto due = desk_.due();
  if (!handshakes_.empty()) earliest(due, handshakes_.begin()->first);
  if (!due || (armed_ && *armed_ <= *due)) return;
  armed_ = due;
  due_timer_.expires_after(std::max(*due - now_, AwakeTime(1)));
  due_timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    armed_.reset();
    look_at_clock();
    advance();
  });
}

}  // namespace lekt

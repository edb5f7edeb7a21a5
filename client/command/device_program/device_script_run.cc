// `lekt device` without a terminal: one device or many, each with a script of its own, until all are done or the time is
// over.
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "client/command/commands.h"
#include "client/command/device_program/awake.h"
#include "client/command/device_program/device_log.h"
#include "client/command/device_program/device_options.h"
#include "client/command/device_program/own_string.h"
#include "client/command/device_program/screen_text.h"
#include "client/command/device_program/server_finder.h"
#include "client/command/device_program/still_screen.h"
#include "client/command/device_program/ticket_file.h"
#include "client/command/device_program/udp_device.h"
#include "client/command/output.h"
#include "common/duration.h"
#include "common/errors.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr AwakeTime goodbye_limit = 2s;       // for the server's answer to the end of a session
constexpr AwakeTime lookup_interval = 100ms;  // between looks whether a name was found
constexpr std::size_t failures_told = 10;     // when many devices fail

void allow_descriptors(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= count) return;
  limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class ScriptedDevice {
 public:
  ScriptedDevice(const DeviceOptions& options, const UdpDevice::Settings& settings, std::string uid,
                 TicketFile* ticket, AwakeTime now)
      : uid_(std::move(uid)),
        is_one_(options.count == 1),
        prints_(options.prints),
        ticket_(ticket),
        device_(settings, now),
        script_(options.steps) {}

  UdpDevice& device() { return device_; }
  const std::string& uid() const { return uid_; }
  bool is_finished() const { return is_finished_; }
  /// Why it has failed; nothing if its script is done.
  const std::optional<Rejection>& failure() const { return failure_; }

  /// Takes what has come, and looks at the device after each datagram, so that its log lacks nothing that it showed for
  /// a moment.
  void receive(AwakeTime now) {
    for (int left = UdpDevice::datagrams_at_once; left > 0 && !is_finished_ && device_.receive(now); --left)
      go_on(now);
  }

  void go_on(AwakeTime now) {
    device_.send(now);
    tell();
    if (is_finished_) return;
    DeviceLink& link = device_.link();
    if (done_at_) {
      if (link.phase() == DeviceLink::Phase::ended || now >= *done_at_ + goodbye_limit) is_finished_ = true;
      return;
    }
    keep_ticket();
    if (link.phase() == DeviceLink::Phase::ended) return end_with(*link.ending());
    // What is typed without a session could be dropped as meant for an earlier one.
    if (link.phase() != DeviceLink::Phase::serving || !device_.has_screen()) return still_screen_.reset();
    while (link.has_delivered()) {
      const auto items = script_.go_on(link.screen());
      if (!items) break;
      link.type(*items);
      device_.send(now);
    }
    if (!has_done_all()) return;
    if (!prints_ || still_screen_.look(link.screen(), now)) end(now);
  }

  void time_out(AwakeTime now, std::chrono::milliseconds limit) {
    is_finished_ = true;
    if (done_at_) return;  // only the server's answer to its goodbye is missing
    DeviceLink& link = device_.link();
    const bool is_served = link.phase() == DeviceLink::Phase::serving && device_.has_screen() &&
                           link.indicator() == DeviceLink::Indicator::none;
    if (is_served && script_.awaited() != nullptr)
      fail({ErrorCode::answer_timeout, "the screen has not shown \"" + escape(*script_.awaited()) +
                                           "\" within " + format_duration(limit)});
    else if (!is_served || !has_done_all())
      fail(device_.trouble());
    // Otherwise its screen does not come to rest, and is printed as it is.
    if (ticket_ != nullptr || link.phase() == DeviceLink::Phase::ended) return;
    link.leave(now);
    device_.send(now);
  }

  std::optional<AwakeTime> due() const {
    auto due = device_.due();
    if (done_at_)
      earliest(due, *done_at_ + goodbye_limit);
    else
      earliest(due, still_screen_.due());
    return due;
  }

 private:
  /// But for the screen, which is to be whole before it is printed.
  bool has_done_all() const { return script_.is_done() && device_.link().has_delivered(); }

  void tell() {
    using std::chrono::system_clock;
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch());
    for (const std::string& line : log_.look(device_.link(), now))
      if (is_one_) print_status(line);
  }

  void keep_ticket() {
    if (ticket_ == nullptr || !keeps_) return;
    try {
      ticket_->keep(device_.link().ticket());
    } catch (const CodedError& error) {
      keeps_ = false;
      print_status(error.what());
    }
  }

  /// Ends, since the session has ended. The last input of a script that logs out of its host is never acknowledged.
  void end_with(const Rejection& why) {
    if (!script_.is_done() || why.code != ErrorCode::host_hung_up) return fail(why);
    is_finished_ = true;
  }

  void fail(Rejection why) {
    failure_ = std::move(why);
    is_finished_ = true;
  }

  /// Ends, and leaves no session behind to which nobody could come back.
  void end(AwakeTime now) {
    if (ticket_ != nullptr) {
      is_finished_ = true;
      return;
    }
    done_at_ = now;
    device_.link().leave(now);
    device_.send(now);
  }

  const std::string uid_;
  const bool is_one_;
  const bool prints_;
  TicketFile* const ticket_;
  bool keeps_ = true;
  UdpDevice device_;
  DeviceScript script_;
  StillScreen still_screen_;  ///< once everything else is done
  DeviceLog log_;
  std::optional<AwakeTime> done_at_;
  bool is_finished_ = false;
  std::optional<Rejection> failure_;
};

class ScriptRun {
 public:
  explicit ScriptRun(const DeviceOptions& options)
      : options_(options), finder_(options.server), begun_(awake_now()) {
    allow_descriptors(options.count + 64);
    if (options.ticket) ticket_.emplace(*options.ticket);
    UdpDevice::Settings settings = first_settings();
    const std::string uid = read_own_string(options.string).uid;
    const AwakeTime now = awake_now();
    for (std::size_t number = 1; number <= options.count; ++number) {
      std::string own = uid;
      if (options.count > 1) {
        own += "-" + std::to_string(number);
        settings.device.string = with_uid(options.string, own);
      }
      devices_.push_back(
          std::make_unique<ScriptedDevice>(options, settings, own, ticket_ ? &*ticket_ : nullptr, now));
      waiting_.push_back({devices_.back()->device().descriptor(), POLLIN, 0});
    }
  }

  int run() {
    const AwakeTime end = begun_ + options_.timeout;
    while (true) {
      const AwakeTime now = awake_now();
      go_on(now);
      if (std::ranges::all_of(devices_, &ScriptedDevice::is_finished)) break;
      if (now >= end) {
        for (const auto& device : devices_)
          if (!device->is_finished()) device->time_out(now, options_.timeout);
        break;
      }
      wait(end, now);
    }
    return report();
  }

 private:
  UdpDevice::Settings first_settings() {
    return {.server = finder_.find(options_.timeout),
            .server_port = options_.server_port,
            .own_address = options_.source.value_or(Address()),
            .own_port = options_.own_port,
            .device = {.string = options_.string, .ticket = ticket_ ? ticket_->ticket() : no_ticket},
            .dtls = options_.dtls};
  }

  void go_on(AwakeTime now) {
    const auto found = finder_.take();
    for (std::size_t index = 0; index < devices_.size(); ++index) {
      ScriptedDevice& device = *devices_[index];
      if (device.is_finished()) continue;
      const DeviceLink& link = device.device().link();
      const bool is_pausing = link.phase() == DeviceLink::Phase::pausing;
      if (waiting_[index].revents != 0) device.receive(now);
      if (found && is_pausing) device.device().turn_to(*found);
      device.go_on(now);
      if (!is_pausing && link.phase() == DeviceLink::Phase::pausing && link.ending() &&
          link.ending()->code == ErrorCode::host_timeout)
        finder_.look_again();
      if (device.is_finished()) waiting_[index].fd = -1;
    }
  }

  void wait(AwakeTime end, AwakeTime now) {
    std::optional<AwakeTime> due = end;
    for (const auto& device : devices_)
      if (!device->is_finished()) earliest(due, device->due());
    if (finder_.is_looking()) earliest(due, now + lookup_interval);
    const auto left = std::clamp(*due - now, AwakeTime(0), AwakeTime(1h));
    if (::poll(waiting_.data(), waiting_.size(), static_cast<int>(left.count())) > 0) return;
    for (pollfd& one : waiting_) one.revents = 0;
  }

  int report() {
    if (options_.prints) {
      std::string text;
      for (const auto& device : devices_) {
        if (options_.count > 1) text += "== " + device->uid() + "\n";
        text += screen_text(device->device().link().screen());
      }
      print(text);
    }
    const auto has_failed = [](const auto& device) { return device->failure().has_value(); };
    const auto failed = static_cast<std::size_t>(std::ranges::count_if(devices_, has_failed));
    std::size_t told = 0;
    for (const auto& device : devices_) {
      if (!has_failed(device) || told == failures_told) continue;
      ++told;
      const std::string words = printable(device->failure()->text());
      print_status(options_.count > 1 ? words + " (" + device->uid() + ")" : words);
    }
    if (failed > told) print_status("and " + std::to_string(failed - told) + " more devices");
    if (options_.count > 1)
      print(std::to_string(options_.count) + " devices in " + format_duration(awake_now() - begun_) + ": " +
            std::to_string(options_.count - failed) + " done, " + std::to_string(failed) + " failed\n");
    return failed == 0 ? exit_done : exit_failed;
  }

  const DeviceOptions& options_;
  ServerFinder finder_;
  const AwakeTime begun_;
  std::optional<TicketFile> ticket_;
  std::vector<std::unique_ptr<ScriptedDevice>> devices_;
  std::vector<pollfd> waiting_;  ///< one for each device
};

}  // namespace

int run_device_script(const DeviceOptions& options) { return ScriptRun(options).run(); }

}  // namespace lekt::command

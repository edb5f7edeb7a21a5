// `lekt device` on a terminal: a user sees the screen and types.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "client/command/commands.h"
#include "client/command/device_program/awake.h"
#include "client/command/device_program/device_options.h"
#include "client/command/device_program/device_view.h"
#include "client/command/device_program/message_lines.h"
#include "client/command/device_program/own_string.h"
#include "client/command/device_program/server_finder.h"
#include "client/command/device_program/terminal_signals.h"
#include "client/command/device_program/ticket_file.h"
#include "client/command/device_program/udp_device.h"
#include "client/command/output.h"
#include "common/errors.h"
#include "common/printable.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

using Phase = DeviceLink::Phase;

constexpr AwakeTime look_for_name_every = 250ms;  // while a name is looked up
constexpr const char* menu = "q ends the session, d leaves it on the server; any other key returns";

std::string indicator_text(DeviceLink::Indicator indicator) {
  if (indicator == DeviceLink::Indicator::linking) return "[Linking]";
  return indicator == DeviceLink::Indicator::out_of_range ? "[Out of Range]" : "";
}

std::string string_for(const DeviceOptions& options, DeviceView::Size size) {
  if (options.has_size) return options.string;
  return with_size(options.string, std::min<std::size_t>(size.rows, limits::screen_rows_max),
                   std::min<std::size_t>(size.columns, limits::screen_columns_max));
}

class TerminalRun {
 public:
  explicit TerminalRun(const DeviceOptions& options)
      : options_(options),
        finder_(options.server),
        server_(finder_.find(options.timeout)),
        ticket_(options.ticket ? std::optional<TicketFile>(*options.ticket) : std::nullopt),
        view_(std::in_place),
        string_(string_for(options, view_->size())),
        device_(device_settings(), awake_now()) {}

  int run() {
    std::array<pollfd, 2> waiting = {pollfd{STDIN_FILENO, POLLIN, 0},
                                     pollfd{device_.descriptor(), POLLIN, 0}};
    while (true) {
      const AwakeTime now = awake_now();
      if (waiting[1].revents != 0) receive(now);
      if (signals_.take_resize()) resize();
      if (waiting[0].revents != 0) take_keys(now);
      go_on(now);
      const bool hung_up = (waiting[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
      if (device_.link().phase() == Phase::ended || detaches_ || signals_.has_ended() || hung_up) break;
      draw();
      auto due = device_.due();
      if (finder_.is_looking()) earliest(due, now + look_for_name_every);
      const auto left = [&]() -> std::optional<AwakeTime> {
        if (!due) return std::nullopt;
        return std::max(*due - awake_now(), AwakeTime(0));
      };
      signals_.wait(waiting, left());
    }
    view_.reset();
    return say_goodbye();
  }

 private:
  UdpDevice::Settings device_settings() const {
    return {.server = server_,
            .server_port = options_.server_port,
            .own_address = options_.source.value_or(Address()),
            .own_port = options_.own_port,
            .device = {.string = string_, .ticket = ticket_ ? ticket_->ticket() : no_ticket},
            .dtls = options_.dtls};
  }

  DeviceLink& link() { return device_.link(); }

  void receive(AwakeTime now) {
    for (int left = UdpDevice::datagrams_at_once; left > 0 && device_.receive(now); --left) device_.send(now);
  }

  void go_on(AwakeTime now) {
    const Phase before = link().phase();
    device_.send(now);
    const bool begins_to_pause = before != Phase::pausing && link().phase() == Phase::pausing;
    if (begins_to_pause && link().ending() && link().ending()->code == ErrorCode::host_timeout)
      finder_.look_again();
    if (link().phase() == Phase::pausing)
      if (const auto address = finder_.take()) device_.turn_to(*address);
    if (!ticket_ || !ticket_trouble_.empty()) return;
    try {
      ticket_->keep(link().ticket());
    } catch (const CodedError& error) {
      ticket_trouble_ = error.what();  // told when the terminal is free again
    }
  }

  void resize() {
    view_->take_size();
    std::string string = string_for(options_, view_->size());
    if (std::exchange(string_, string) != string) link().describe(std::move(string));
  }

  void take_keys(AwakeTime now) {
    TypedText typed;
    while (const auto pressed = view_->read_key(typed)) {
      if (asks_) {
        typed.take();
        asks_ = false;
        if (pressed->character == 'q') link().leave(now);
        detaches_ = pressed->character == 'd';
        if (detaches_) return;
      } else if (pressed->opens_menu) {
        link().type(typed.take());
        asks_ = true;
      }
    }
    if (const Bytes items = typed.take(); !items.empty()) is_too_much_ = !link().type(items);
  }

  void draw() {
    DeviceView::Picture picture;
    if (device_.has_screen()) picture.screen = &link().screen();
    if (link().phase() == Phase::leaving)
      picture.message = {"Ending the session..."};
    else if (link().phase() != Phase::serving || !device_.has_screen())
      picture.message = own_message();
    picture.indicator = indicator_text(link().indicator());
    if (asks_) picture.question = cut(menu, view_->size().columns);
    picture.rings =
        std::exchange(bells_, link().bells()) != link().bells() || std::exchange(is_too_much_, false);
    view_->draw(picture);
  }

  /// What the device itself says while the server shows nothing.
  std::vector<std::string> own_message() const {
    const std::size_t columns = view_->size().columns;
    std::vector<std::string> lines = message_lines(device_.link().message(), columns);
    for (std::string& line : message_lines(device_.send_error(), columns)) lines.push_back(std::move(line));
    return lines;
  }

  int say_goodbye() {
    if (!ticket_trouble_.empty()) print_status(ticket_trouble_);
    if (link().phase() != Phase::ended) {
      print_status(ticket_ && link().ticket() != no_ticket
                       ? "the session stays on the server; the same command goes on with it"
                       : "left");
      return exit_done;
    }
    const Rejection& ending = *link().ending();
    print_status(printable(ending.text()));
    const bool is_usual = ending.code == ErrorCode::session_ended || ending.code == ErrorCode::host_hung_up;
    return is_usual ? exit_done : exit_failed;
  }

  const DeviceOptions& options_;
  ServerFinder finder_;
  const Address server_;
  std::optional<TicketFile> ticket_;
  TerminalSignals signals_;  // before the view, so that they come only when it can be restored
  std::optional<DeviceView> view_;
  std::string string_;  ///< as the server knows it, or will
  UdpDevice device_;
  bool asks_ = false;         ///< the menu is open
  bool detaches_ = false;     ///< the user leaves the session on the server
  bool is_too_much_ = false;  ///< what was typed last was dropped
  std::uint64_t bells_ = 0;
  std::string ticket_trouble_;
};

}  // namespace

int run_device_in_terminal(const DeviceOptions& options) { return TerminalRun(options).run(); }

}  // namespace lekt::command

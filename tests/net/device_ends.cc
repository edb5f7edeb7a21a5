#include "tests/net/device_ends.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "tests/core/support.h"
#include "tests/net/driven_worker.h"
#include "tests/support/screens.h"

namespace lekt::test {

namespace {

using namespace std::chrono_literals;

constexpr auto device_patience = 10s;

}  // namespace

Address own_address(std::uint32_t number) {
  const auto process = static_cast<std::uint32_t>(getpid());
  return Address::v4(0x7f000000 | (64 + number % 64) << 16 | ((process & 0xffff) % 0xfffe + 1));
}

std::string string_of(const std::string& uid) {
  return "AB~001~19~000~PDT9090_E5~16~26~09~01~0107~0000~000~" + uid +
         "~640~6006~1~20100118100852~S~WindowsCE      ~2~01~0~";
}

DeviceEnd::DeviceEnd(DeviceEndpoint server, const std::string& uid, const Ticket& ticket)
    : server_(server),
      link_(
          {string_of(uid), ticket},
          [random = std::make_shared<std::random_device>()] {
            return std::uint64_t{(*random)()} << 32 | (*random)();
          },
          AwakeTime(0)) {}

void DeviceEnd::turn() {
  const auto now = std::chrono::duration_cast<AwakeTime>(std::chrono::steady_clock::now() - began_);
  std::array<char, 2048> buffer{};
  while (const auto arrival = socket_.receive(buffer)) {
    if (arrival->from.address != server_.address) continue;
    const std::uint16_t from = arrival->from.port == server_.port ? 0 : arrival->from.port;
    link_.receive(from, arrival->datagram, now);
  }
  while (const auto datagram = link_.next(now))
    socket_.send(own_address(), {server_.address, datagram->port == 0 ? server_.port : datagram->port},
                 datagram->bytes);
}

bool DeviceEnd::until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + device_patience;
  while (true) {
    turn();
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    pollfd waits{socket_.descriptor(), POLLIN, 0};
    poll(&waits, 1, 10);
  }
}

bool DeviceEnd::until_served() {
  return until([&] { return link_.phase() == DeviceLink::Phase::serving && !screen().empty(); });
}

std::string DeviceEnd::screen() const {
  std::string rows;
  for (std::size_t row = 0; row < link_.screen().rows(); ++row) rows += text_of(link_.screen(), row) + "\n";
  return rows.find_first_not_of('\n') == rows.npos ? "" : rows;
}

RunningDevices::RunningDevices(std::uint16_t ports, DeviceService::Settings settings, Address listens_at,
                               std::uint16_t first)
    : doors_(History().view(), {}, limits_without_effect(), {.patience = 0ms}, seen_.codes),
      service_(
          std::make_unique<DeviceService>(1, 2,
                                          DeviceService::Place{{{to_string(listens_at), 0}},
                                                               first,
                                                               static_cast<std::uint16_t>(first + ports - 1),
                                                               directory_.path()},
                                          settings, DeviceService::Shared{rules_, doors_, seen_})),
      thread_([this] { service_->run(); }) {}

RunningDevices::~RunningDevices() { stop(); }

void RunningDevices::stop() {
  if (!thread_.joinable()) return;
  service_->stop();
  thread_.join();
}

DeviceEndpoint RunningDevices::contact(Address address) const {
  return {address, service_->listening().front().port};
}

std::string RunningDevices::handler_log(Address device) const {
  const auto path = directory_.path() / handler_log_file(device);
  return std::filesystem::exists(path) ? read_text(path) : "";
}

std::vector<Command> RunningDevices::take_commands() {
  std::vector<Command> commands;
  doors_.inbox.take(commands, 0ms);
  std::vector<Writer::Completion> completions;
  for (const Command& command : commands)
    if (const auto* join = std::get_if<JoinCommand>(&command))
      completions.push_back({join->session, 1'000'000, std::nullopt});
  if (!completions.empty()) service_->deliver(std::move(completions));
  return commands;
}

}  // namespace lekt::test

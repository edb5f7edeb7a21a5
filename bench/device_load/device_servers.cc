#include "bench/device_load/device_servers.h"

#include <array>
#include <csignal>
#include <memory>
#include <thread>
#include <variant>
#include <vector>

#include "bench/device_load/bench_sockets.h"
#include "common/catalogue.h"
#include "common/device_packets.h"
#include "server/net/device_service.h"
#include "server/operators/log.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

/// How long the thread that takes joins waits for one. It does not look at anything in between: close() wakes it.
constexpr auto inbox_patience = 1h;

void answer(int socket, std::array<char, 2048>& buffer) {
  sockaddr_in from{};
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (recvmsg(socket, &message, 0) < static_cast<ssize_t>(limits::datagram_head_bytes)) return;
  part.iov_len = limits::datagram_head_bytes;
  sendmsg(socket, &message, 0);
}

}  // namespace

void run_device_echo(std::uint16_t first, std::size_t devices) {
  const Descriptor epoll = new_epoll();
  std::vector<Descriptor> sockets;
  for (std::size_t number = 0; number < devices; ++number) {
    const Descriptor& socket =
        sockets.emplace_back(bound_socket(SOCK_DGRAM, static_cast<std::uint16_t>(first + number)));
    watch(epoll, socket, EPOLLIN, static_cast<std::uint64_t>(socket.value()));
  }
  say_ready();
  std::array<char, 2048> buffer;
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll.value(), events.data(), events.size(), -1);
    for (int index = 0; index < count; ++index)
      answer(static_cast<int>(events[static_cast<std::size_t>(index)].data.u64), buffer);
  }
}

void run_device_front(std::uint16_t contact, std::uint16_t first, std::uint16_t last, std::uint16_t host) {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&ends, signal);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  start_log(LogLevel::info, LogFormat::text);
  MethodCatalogue catalogue;
  const SessionRules rules{catalogue};
  Seen seen{".", 0};
  const Rate unlimited(1'000'000, 1'000'000);
  Doors doors(nullptr, {}, {.connections = unlimited, .connections_per_address = unlimited}, {}, seen.codes);
  DeviceService::Settings settings;
  if (host != 0)
    settings.desk.groups = std::make_shared<const DeviceGroups>(
        std::get<DeviceGroups>(DeviceGroups::make({}, {{"host", "127.0.0.1", host}})));
  DeviceService service(0, 1, {{{"127.0.0.1", contact}}, first, last, "."}, settings, {rules, doors, seen});
  std::thread front([&] { service.run(); });
  std::thread writer([&] {
    std::vector<Command> commands;
    while (doors.inbox.take(commands, inbox_patience)) {
      std::vector<Writer::Completion> completions;
      for (const Command& command : commands)
        if (const auto* join = std::get_if<JoinCommand>(&command))
          completions.push_back({join->session, 1'000'000, std::nullopt});
      if (!completions.empty()) service.deliver(std::move(completions));
    }
  });
  say_ready();
  int signal = 0;
  sigwait(&ends, &signal);
  service.stop();
  front.join();
  doors.inbox.close();
  writer.join();
  flush_log();
}

}  // namespace lekt::bench

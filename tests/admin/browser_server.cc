// The server that browser_test.py looks at: the admin page over a fake server. It prints its port, then obeys
// one command a line and prints "done" after each:
//
//     fill COUNT              that many clients at once
//     add ADDRESS PORT        a client joins
//     remove ADDRESS          a client leaves
//     methods ADDRESS TEXT    the database says that this is what the client offers
//     reject ADDRESS TEXT     a client was refused, with these words
//     warn TEXT               a warning holds
//     calm                    nothing is wrong, and nobody is waited for
//     hour                    the last hour has samples
//     device ADDRESS UID      a device has a session
//     no-devices              the server takes none
//     minute                  the last minute has samples, and more happens now than in any of them
#include <cmath>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include "admin/api.h"
#include "admin/http_listener.h"
#include "server/operators/clock.h"
#include "tests/admin/fake_server.h"

namespace {

using lekt::Address;
using lekt::admin::Api;
using lekt::admin::History;
using lekt::test::FakeServer;

/// 10.0.0.1 and up, some addresses left out as in a real network.
std::vector<Address> addresses(std::size_t count) {
  std::vector<Address> result;
  for (std::uint32_t value = 0x0a000001; result.size() < count; ++value)
    if (value % 7 != 3 && (value & 0xff) != 0) result.push_back(Address::v4(value));
  return result;
}

void be_calm(FakeServer& server) {
  server.operations.change([](lekt::Status& status) {
    status.warnings.clear();
    status.totals.waiting = 0;
    status.totals.grace_seconds_left = 0;
  });
}

void warn(FakeServer& server, const std::string& text) {
  server.operations.change([&](lekt::Status& status) {
    status.warnings = {{lekt::ErrorCode::wal_growing, lekt::wall_seconds() - 90, text}};
  });
}

/// A quiet hour with a storm in it.
void fill_hour(History& history) {
  const std::int64_t now = lekt::wall_seconds();
  for (int index = 0; index < 360; ++index) {
    const double at = index / 360.0;
    const double storm = std::exp(-std::pow((at - 0.62) * 30, 2));
    lekt::admin::Sample sample;
    sample.second = now - (359 - index) * 10 - 3;
    sample.clients = static_cast<std::size_t>(180 + 60 * at + 12 * std::sin(at * 19) - 70 * storm);
    sample.sessions = sample.clients + 9;
    sample.heartbeats = static_cast<double>(sample.sessions) / 5 + 1.5 * std::sin(at * 211);
    sample.changes = 0.3 + 0.25 * std::sin(at * 97) + 9 * storm;
    sample.commits = 3 + static_cast<std::uint64_t>(40 * storm);
    sample.commit_mean_seconds = 0.0018 + 0.0004 * std::sin(at * 61) + 0.004 * storm;
    sample.commit_max_seconds = storm > 0.3 ? 0.01 : 0.005;
    history.add(sample);
  }
}

void fill_minute(FakeServer& server, History& history) {
  for (int index = 0; index < 7; ++index) {
    lekt::admin::Sample sample;
    sample.second = lekt::wall_seconds() - (6 - index) * 10 - 3;
    sample.clients = 3;
    sample.heartbeats = 0.6;
    history.add(sample);
  }
  server.operations.change([](lekt::Status& status) { status.rates.heartbeats = 1234; });
}

void obey(const std::string& line, FakeServer& server, History& history) {
  std::istringstream words(line);
  std::string command, address, text;
  words >> command;
  if (command == "fill") {
    std::size_t count = 0;
    words >> count;
    server.operations.change([&](lekt::Status& status) { status.totals.sessions = count + 9; });
    return server.add_all(addresses(count), 7890);
  }
  if (command == "calm") return be_calm(server);
  if (command == "hour") return fill_hour(history);
  if (command == "minute") return fill_minute(server, history);
  if (command == "no-devices")
    return server.operations.change([](lekt::Status& status) { status.totals.devices.reset(); });
  if (command == "warn") {
    std::getline(words >> std::ws, text);
    return warn(server, text);
  }
  words >> address;
  std::getline(words >> std::ws, text);
  const Address client = lekt::parse_address(address).value();
  if (command == "device") {
    std::vector<lekt::DeviceStatus> devices = server.operations.devices();
    lekt::DeviceStatus& device = devices.emplace_back(lekt::test::example_device());
    device.address = client;
    device.uid = text;
    return server.operations.set_devices(std::move(devices));
  }
  server.set_second(lekt::wall_seconds());
  if (command == "add") return server.add(client, static_cast<std::uint16_t>(std::stoul(text)));
  if (command == "remove") return server.remove(client);
  if (command == "reject")
    return server.operations.reject({lekt::wall_seconds(), client, lekt::ErrorCode::not_lekt, text, {}});
  if (command == "methods")
    return server.execute("UPDATE client_record SET methods = '" + text +
                          "' WHERE address = " + std::to_string(client.as_v4()));
  throw std::runtime_error("unknown command: " + line);
}

}  // namespace

int main() {
  FakeServer server(lekt::wall_seconds() - 3600);
  server.operations.change([](lekt::Status& status) { status.totals.started = lekt::wall_seconds() - 3600; });
  be_calm(server);
  History history;
  Api api(server.operations, history, {server.path(), "0.1.0"});
  lekt::admin::HttpSettings settings;
  settings.address = "127.0.0.1";
  const lekt::admin::HttpListener listener(
      settings, [&](const lekt::admin::Request& request) { return api.answer(request); });
  std::cout << listener.port() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    obey(line, server, history);
    std::cout << "done" << std::endl;
  }
  server.operations.changes().close();
}

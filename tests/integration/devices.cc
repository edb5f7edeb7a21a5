#include "tests/integration/devices.h"

#include <unistd.h>

#include <cstdlib>

namespace lekt::test {

namespace {

std::string address_of_this_process() {
  const auto id = static_cast<unsigned>(getpid());
  return "127." + std::to_string(64 + (id >> 16U) % 64) + "." + std::to_string((id >> 8U) % 256) + "." +
         std::to_string(1 + id % 254);
}

}  // namespace

const char* const never_shown = "what no screen shows";
const char* const menu_ends_session = "\x1dq";

DevicesTest::DevicesTest() : contact_(address_of_this_process()) {
  ::setenv("TERM", "xterm-256color", 1);
  ::setenv("LC_ALL", "C.UTF-8", 1);
}

Flags DevicesTest::device_flags(const Flags& more, const std::string& ports) const {
  Flags flags = {"--device-listen", contact_ + ":" + contact_port, "--device-ports", ports};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

Flags DevicesTest::device_arguments(const Who& who, const Flags& more) const {
  Flags arguments = {"device",
                     "--server",
                     contact_,
                     "--port",
                     contact_port,
                     "--source",
                     who.from,
                     "--uid",
                     who.uid,
                     "--type",
                     who.type,
                     "--ticket",
                     directory_.path() / ("ticket-" + who.uid)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Outcome DevicesTest::run_device(const Who& who, const Flags& more) const {
  return run(program_file("lekt"), device_arguments(who, more));
}

std::unique_ptr<Process> DevicesTest::stay(const Who& who) const {
  return std::make_unique<Process>(program_file("lekt"),
                                   device_arguments(who, {"--expect", never_shown, "--timeout", "1h"}),
                                   directory_.path());
}

std::unique_ptr<Terminal> DevicesTest::on_terminal(const Who& who) const {
  return std::make_unique<Terminal>(program_file("lekt"), device_arguments(who), Terminal::Size());
}

std::vector<Json> DevicesTest::devices(const Flags& filter) const {
  Flags given = {"devices"};
  given.insert(given.end(), filter.begin(), filter.end());
  return objects(given);
}

bool DevicesTest::are_there(std::size_t count, const std::string& state) const {
  return eventually([&] { return devices({"--state", state}).size() == count; }, patience());
}

Json DevicesTest::device(const std::string& uid) const {
  for (const Json& device : devices())
    if (device.at("uid") == uid) return device;
  return nullptr;
}

Lines DevicesTest::alerts() const {
  Lines codes;
  for (const Json& alert : devices({"--alerts"})) codes.push_back(alert.at("code"));
  return codes;
}

}  // namespace lekt::test

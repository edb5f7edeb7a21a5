#include "tests/fault/network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <system_error>

#include "tests/integration/process.h"

namespace lekt::test {

namespace {

[[noreturn]] void fail_to(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Descriptor current_namespace() {
  Descriptor descriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open()) fail_to("open the network namespace");
  return descriptor;
}

Descriptor new_namespace() {
  const Descriptor before = current_namespace();
  if (unshare(CLONE_NEWNET) != 0) fail_to("unshare the network");
  Descriptor made = current_namespace();
  if (setns(before.value(), CLONE_NEWNET) != 0) fail_to("setns");
  return made;
}

}  // namespace

NetworkNamespace::NetworkNamespace() : descriptor_(new_namespace()) { ip({"link", "set", "lo", "up"}); }

NetworkNamespace::Stay::Stay(const NetworkNamespace& where) : before_(current_namespace()) {
  if (setns(where.descriptor_.value(), CLONE_NEWNET) != 0) fail_to("setns");
}

NetworkNamespace::Stay::~Stay() {
  // A thread that stayed elsewhere would run all further tests there.
  if (setns(before_.value(), CLONE_NEWNET) != 0) std::terminate();
}

std::string NetworkNamespace::run_here(const std::string& program,
                                       const std::vector<std::string>& arguments) const {
  const Stay stay = enter();
  const Outcome outcome = run(program, arguments);
  if (outcome.status != 0) throw std::runtime_error(program + ": " + outcome.errors);
  return outcome.output;
}

void NetworkNamespace::ip(const std::vector<std::string>& arguments) const {
  run_here("/usr/sbin/ip", arguments);
}

std::string NetworkNamespace::path() const {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(descriptor_.value());
}

Network::Network() {
  server_.ip({"link", "add", "cable", "type", "veth", "peer", "name", "plug", "netns", clients_.path()});
  server_.ip({"addr", "add", std::string(server_address) + "/16", "dev", "cable"});
  server_.ip({"link", "set", "cable", "up"});
  clients_.ip({"addr", "add", "10.77.1.0/16", "dev", "plug"});
  // All of them are this machine's: it answers for them, and programs may come from any.
  clients_.ip({"route", "add", "local", "10.77.1.0/24", "dev", "lo"});
  mend();
}

std::string Network::cannot_have_one() {
  if (access("/usr/sbin/ip", X_OK) != 0) return "iproute2 is not installed";
  try {
    const Network network;
    return {};
  } catch (const std::exception& error) {
    return std::string("this test has to make network namespaces: ") + error.what();
  }
}

std::string Network::client_address(std::size_t number) { return "10.77.1." + std::to_string(1 + number); }

void Network::cut() const { clients_.ip({"link", "set", "plug", "down"}); }

void Network::mend() const { clients_.ip({"link", "set", "plug", "up"}); }

}  // namespace lekt::test

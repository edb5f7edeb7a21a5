#include "tests/client/fake_names.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace lekt::test {
namespace {

struct Entry {
  std::vector<std::string> addresses;
  bool silent = false;
  bool fails = false;
  std::size_t questions = 0;
  std::size_t waiting = 0;
};

std::mutex mutex;
std::condition_variable changed;

std::map<std::string, Entry>& entries() {
  // Never destroyed: threads that wait for a name may outlive the tests.
  static auto& made = *new std::map<std::string, Entry>();
  return made;
}

/// As the C library allocates it, so that its freeaddrinfo() can free it.
addrinfo* list_of(const std::vector<std::string>& addresses) {
  addrinfo* first = nullptr;
  for (std::size_t i = addresses.size(); i-- > 0;) {
    auto* made = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo) + sizeof(sockaddr_in)));
    auto* name = reinterpret_cast<sockaddr_in*>(made + 1);
    name->sin_family = AF_INET;
    inet_pton(AF_INET, addresses[i].c_str(), &name->sin_addr);
    made->ai_family = AF_INET;
    made->ai_socktype = SOCK_STREAM;
    made->ai_addrlen = sizeof(sockaddr_in);
    made->ai_addr = reinterpret_cast<sockaddr*>(name);
    made->ai_next = first;
    first = made;
  }
  return first;
}

int answer_to(const std::string& name, addrinfo** found) {
  std::unique_lock lock(mutex);
  ++entries()[name].questions;
  ++entries()[name].waiting;
  changed.wait(lock, [&] { return !entries()[name].silent; });
  Entry& entry = entries()[name];
  --entry.waiting;
  if (entry.fails) return EAI_AGAIN;
  if (entry.addresses.empty()) return EAI_NONAME;
  *found = list_of(entry.addresses);
  return 0;
}

}  // namespace

FakeName::FakeName(std::string name, const std::vector<std::string_view>& addresses)
    : name_(std::move(name)) {
  change(addresses);
}

FakeName::~FakeName() {
  answer();
  const std::lock_guard lock(mutex);
  entries()[name_].addresses.clear();
  entries()[name_].questions = 0;
  entries()[name_].fails = false;
}

void FakeName::change(const std::vector<std::string_view>& addresses) {
  const std::lock_guard lock(mutex);
  entries()[name_].addresses.assign(addresses.begin(), addresses.end());
}

void FakeName::fall_silent() {
  const std::lock_guard lock(mutex);
  entries()[name_].silent = true;
}

void FakeName::fail() {
  const std::lock_guard lock(mutex);
  entries()[name_].fails = true;
}

void FakeName::answer() {
  const std::lock_guard lock(mutex);
  entries()[name_].silent = false;
  changed.notify_all();
}

std::size_t FakeName::questions() const {
  const std::lock_guard lock(mutex);
  return entries()[name_].questions;
}

std::size_t FakeName::waiting() const {
  const std::lock_guard lock(mutex);
  return entries()[name_].waiting;
}

}  // namespace lekt::test

/// Takes the place of the C library's.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  if (name != nullptr && std::string_view(name).ends_with(".test")) return lekt::test::answer_to(name, found);
  static const auto machine = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return machine(name, service, hints, found);
}

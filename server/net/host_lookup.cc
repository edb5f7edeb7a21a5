#include "server/net/host_lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/ip/address.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <system_error>
#include <utility>

#include "common/mutex.h"
#include "server/operators/quiet_thread.h"

namespace lekt {

namespace {

std::atomic<std::size_t> host_lookups{0};

std::string trouble_of_host(int error, int system_error) {
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA:
      return "the name is not known";
    case EAI_AGAIN:
      return "the machine's name servers do not answer, or know no answer now";
    case EAI_SYSTEM:
      return "the name cannot be looked up: " + std::generic_category().message(system_error);
    default:
      return std::string("the name cannot be looked up: ") + gai_strerror(error);
  }
}

}  // namespace

/// What the asker and the thread share.
struct HostLookup::Question {
  Question(asio::io_context& where, Handler its_handler) : io(&where), handler(std::move(its_handler)) {}

  /// Called by any thread.
  static void answer(const std::shared_ptr<Question>& question, HostAddresses found) {
    const MutexLock lock(question->mutex);
    if (question->io == nullptr) return;
    asio::post(*question->io, [question, found = std::move(found)] {
      if (const Handler waiting = std::exchange(question->handler, nullptr)) waiting(found);
    });
  }

  Mutex mutex;
  asio::io_context* io LEKT_GUARDED_BY(mutex);  ///< null once the asker has gone
  Handler handler;                              ///< for the asker's thread alone
};

HostLookup::HostLookup(asio::io_context& io, const std::string& host, std::uint16_t port, const Ask& ask,
                       Handler handler)
    : question_(std::make_shared<Question>(io, std::move(handler))) {
  asio::error_code is_name;
  const asio::ip::address address = asio::ip::make_address(host, is_name);
  if (is_name)
    begin(question_, host, port, ask);
  else
    Question::answer(question_, {{{address, port}}, ""});
}

void HostLookup::begin(const std::shared_ptr<Question>& question, const std::string& host, std::uint16_t port,
                       const Ask& ask) {
  if (host_lookups.fetch_add(1) >= host_lookups_max) {
    host_lookups.fetch_sub(1);
    return Question::answer(question,
                            {{},
                             "the machine's name servers do not answer; " + std::to_string(host_lookups_max) +
                                 " earlier questions still wait for them"});
  }
  try {
    start_without_signals([question, host, port, ask] {
      HostAddresses found;
      try {
        found = ask(host, port);
      } catch (const std::exception& error) {
        found.trouble = std::string("the name cannot be looked up: ") + error.what();
      }
      host_lookups.fetch_sub(1);
      Question::answer(question, std::move(found));
    }).detach();
  } catch (const std::system_error& error) {
    host_lookups.fetch_sub(1);
    Question::answer(question, {{}, std::string("the name cannot be looked up: no thread: ") + error.what()});
  }
}

HostLookup::~HostLookup() {
  question_->handler = nullptr;
  const MutexLock lock(question_->mutex);
  question_->io = nullptr;
}

HostAddresses ask_machine_for_host(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found))
    return {{}, trouble_of_host(error, errno)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  HostAddresses answer;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    endpoint.port(port);
    if (std::ranges::find(answer.endpoints, endpoint) == answer.endpoints.end())
      answer.endpoints.push_back(endpoint);
  }
  if (answer.endpoints.empty()) answer.trouble = trouble_of_host(EAI_NODATA, 0);
  return answer;
}

}  // namespace lekt

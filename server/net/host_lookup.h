// Asks the machine for the addresses of a host's name, without making the devices' thread wait.
//
// getaddrinfo() cannot be interrupted, and takes as long as name servers are silent. Asio's resolver would ask for one name
// after the other on one thread, and wait for it when the server ends. So each question has a thread of its own, which
// shares nothing with the asker but the question; an asker that is gone leaves it behind, and it ends when getaddrinfo()
// does. At most `host_lookups_max` such threads exist in a process.
//
// Used by the thread that runs the io_context, which outlives it.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lekt {

/// The most threads that wait for name servers.
inline constexpr std::size_t host_lookups_max = 16;

struct HostAddresses {
  std::vector<asio::ip::tcp::endpoint> endpoints;  ///< in the machine's order of preference, each once
  std::string trouble;                             ///< why there are none, in half a sentence
};

class HostLookup {
 public:
  /// Finds the addresses of a name, on a thread that it may keep for long. Called by that thread, so it shares nothing.
  using Ask = std::function<HostAddresses(const std::string& host, std::uint16_t port)>;
  using Handler = std::function<void(const HostAddresses&)>;

  /// Calls the handler once, later, unless it is destroyed before. An address in digits takes no thread.
  HostLookup(asio::io_context& io, const std::string& host, std::uint16_t port, const Ask& ask,
             Handler handler);
  ~HostLookup();
  HostLookup(const HostLookup&) = delete;
  HostLookup& operator=(const HostLookup&) = delete;

 private:
  struct Question;
  static void begin(const std::shared_ptr<Question>& question, const std::string& host, std::uint16_t port,
                    const Ask& ask);
  const std::shared_ptr<Question> question_;
};

/// getaddrinfo().
HostAddresses ask_machine_for_host(const std::string& host, std::uint16_t port);

}  // namespace lekt

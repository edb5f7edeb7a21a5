// The clients of a run, and the one epoll instance that moves them all.
//
// Each client is bound to a loopback address of its own, as programs on a LAN come from many hosts. Requests
// are small: a socket that does not take one at once has lost its server. Whatever goes wrong ends the run
// with words (BenchError): a benchmark that drops clients in silence measures something else.
//
// One thread, which is meant to have a core to itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/dialogue.h"
#include "bench/load/reply.h"

namespace lekt::bench {

using Time = std::chrono::steady_clock::time_point;
inline Time now() { return std::chrono::steady_clock::now(); }

struct Client {
  enum class State : std::uint8_t { closed, connecting, joining, idle, asking };

  std::uint32_t number = 0;
  Address address;
  int socket = -1;
  State state = State::closed;
  std::uint8_t step = 0;       ///< of joining
  std::int64_t timestamp = 0;  ///< sent with the next heartbeat
  bool keeps_timestamp = false;
  Time began;  ///< when the join or the request under way began, or was due
  Time sent;   ///< when the last bytes were sent
  ReplyReader reply;
  std::vector<Exchange> greeting;
};

/// What a mode does when something has happened.
class Events {
 public:
  virtual ~Events() = default;
  virtual void joined(Client& client, Time at) = 0;
  virtual void answered(Client& client, Time at) = 0;
};

struct Target {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  /// Client number 0 comes from here, the others from the addresses after it.
  Address first_source = Address::v4(0x7f010001);  // 127.1.0.1
};

class Crew {
 public:
  Crew(const Target& target, const Dialogue& dialogue, std::size_t clients);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  std::vector<Client>& clients() { return clients_; }

  /// Connects and joins; Events::joined follows.
  void join(Client& client, Time due);
  /// Asks what has changed; Events::answered follows.
  void ask(Client& client, Time due);
  void leave(Client& client);

  /// Waits until something happens, at most until `deadline`, and tells the events of it.
  void poll(Events& events, Time deadline);

  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  void watch(const Client& client, std::uint32_t interest, int operation) const;
  void send(Client& client, const Exchange& exchange);
  void on_ready(Events& events, Client& client);
  void on_connected(Client& client);
  void on_complete(Events& events, Client& client, Time at);
  void go_on_joining(Events& events, Client& client, Time at);
  [[noreturn]] void give_up(const Client& client, const std::string& what) const;

  Target target_;
  const Dialogue& dialogue_;
  std::vector<Client> clients_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

/// Joins the clients [first, last), `at_once` at a time, and waits until all have.
void join_all(Crew& crew, std::size_t first, std::size_t last, std::size_t at_once);
/// Every client asks once; waits until all are answered.
void ask_all(Crew& crew, std::size_t first, std::size_t last);

}  // namespace lekt::bench

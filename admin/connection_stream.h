// The connection of one HTTP request, with limits that the HTTP library does not have: the head of a request
// has a largest size and must arrive before a deadline, even if it comes a byte at a time; an answer ends when
// its reader is too slow.
//
// Owned and used by the thread that serves the connection.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

#include "admin/giving_way.h"
#include "common/descriptor.h"

namespace lekt::admin {

struct ConnectionLimits {
  std::size_t request_bytes_max = 16 * 1024;         ///< line, headers, and what follows them
  std::chrono::milliseconds request_time_max{5000};  ///< from accepting the connection
  std::chrono::milliseconds write_time_max{10'000};  ///< for a piece of the answer,
  std::size_t write_bytes_per_second = 64 * 1024;    ///< and longer for a large one, at this rate
  std::chrono::milliseconds drain_time_max{500};
};

class ConnectionStream final : public httplib::Stream {
 public:
  /// `stopped`: a descriptor that becomes readable when every wait has to end. It and `giving_way` outlive the
  /// stream.
  ConnectionStream(Descriptor socket, const ConnectionLimits& limits, int stopped, GivingWay& giving_way);

  /// Ends the sending side and reads what the client still sends, for a moment: closing with unread input
  /// would make the kernel destroy the answer on its way.
  void finish();

  bool is_readable() const override;
  /// Whether more can be written. False also when the client has gone, which ends the answer to a listener of events.
  bool is_writable() const override;
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_.value(); }

 private:
  using Clock = std::chrono::steady_clock;

  bool wait_for(short events, Clock::time_point until) const;
  bool fill();

  Descriptor socket_;
  mutable GivingWay::Place place_;
  ConnectionLimits limits_;
  int stopped_;
  Clock::time_point request_until_;
  std::size_t request_bytes_ = 0;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace lekt::admin

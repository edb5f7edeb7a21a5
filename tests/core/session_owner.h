// Owns a session as a worker does, and writes down what the session wants decided.
//
// A heartbeat is answered with the closing packet that carries its own timestamp, so that the order of what
// is sent can be seen in the bytes.
#pragma once

#include <string>
#include <vector>

#include "server/core/session.h"

namespace lekt::test {

class SessionOwner {
 public:
  enum class Joins { at_once, later };

  explicit SessionOwner(Joins joins = Joins::at_once, std::uint32_t methods_max = limits::methods_max_default,
                        Features features = {});

  void receive(ByteView bytes);
  /// Makes the decision that waits.
  void decide_join();

  Session& session() { return session_; }
  bool join_waits() const { return join_waits_; }
  const Bytes& sent() const { return sent_; }
  /// "join 10.0.0.7 tcp:7890", "answer 1700000000", "end E103"
  const std::vector<std::string>& decisions() const { return decisions_; }
  /// The text of the rejection; empty when there is none.
  std::string refusal() const;

 private:
  SessionRules rules_;
  Session session_;
  Joins joins_;
  bool join_waits_ = false;
  Bytes sent_;
  std::vector<std::string> decisions_;
};

/// Of the log behind each SessionOwner.
inline constexpr LogIdentity example_identity{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// What clients and servers say; the catalogue of the sessions is tcp, 2:chat:sized and 3:key:fixed:6.
Bytes handshake(std::initializer_list<std::uint32_t> methods, Features asked = {});
Bytes response(std::uint32_t index, ByteView information);
Bytes response_tcp(std::uint32_t port);
Bytes response_chat(ByteView content);
Bytes heartbeat(std::int64_t timestamp);
Bytes accept();
Bytes request(std::uint32_t index);
Bytes reject(const std::string& text);
Bytes closing(std::int64_t timestamp);

}  // namespace lekt::test

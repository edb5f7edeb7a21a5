// A plain HTTP client of the tests: sends what it is told, byte by byte if need be, and reads until the end.
//
// Owned by a test's own thread. Waits at most patience().
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/descriptor.h"

namespace lekt::test {

struct HttpAnswer {
  int status = 0;                              ///< 0: the server closed without an answer
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// Of a whole answer as it came from the wire.
HttpAnswer parse_answer(const std::string& text);

class HttpConnection {
 public:
  /// Connects to 127.0.0.1; throws std::runtime_error.
  explicit HttpConnection(std::uint16_t port);

  /// False when the server has closed.
  bool send(const std::string& text);
  /// What comes until `text` has come, or until the server closes.
  std::string read_until(const std::string& text);
  std::string read_all() { return read_until(""); }

 private:
  Descriptor socket_;
  std::string read_;
};

/// "GET path HTTP/1.1" with a Host that is right, and these lines.
std::string get_request(const std::string& path, const std::string& lines = "");

HttpAnswer get(std::uint16_t port, const std::string& path, const std::string& lines = "");

}  // namespace lekt::test

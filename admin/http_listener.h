// The listening socket of the admin page, and the threads that serve its connections.
//
// Each thread serves one connection at a time, and one of those that are free waits for the next. So there
// are never more connections than threads; others wait in the kernel's queue. Nothing here touches the
// threads that serve clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "admin/http_protocol.h"
#include "common/descriptor.h"

namespace lekt::admin {

struct HttpSettings {
  std::string address;  ///< IPv4, or IPv6 without brackets
  std::uint16_t port = 0;
  std::vector<std::string> host_names;
  std::size_t threads = 32;
  ConnectionLimits limits;
};

class HttpListener {
 public:
  /// Listens and serves; throws CodedError E502.
  HttpListener(const HttpSettings& settings, Answerer answerer);
  ~HttpListener();  ///< ends every connection at once; answers that are being made are waited for
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  std::uint16_t port() const { return port_; }
  bool is_loopback() const { return is_loopback_; }

 private:
  void listen(const HttpSettings& settings);
  void serve();
  /// The next connection; not open when the listener stops.
  Descriptor accept();
  void stop();

  ConnectionLimits limits_;
  HttpProtocol protocol_;
  Descriptor socket_{-1};
  Descriptor stopped_{-1};  ///< an eventfd, readable once the listener stops
  std::uint16_t port_ = 0;
  bool is_loopback_ = false;
  std::mutex accepting_;
  std::vector<std::thread> threads_;
};

}  // namespace lekt::admin

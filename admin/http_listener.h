// The listening socket of the admin page, and the threads that serve its connections.
//
// One thread accepts; each of the others serves one connection at a time. When none of them is free, the
// connection that has waited longest for its client gives way to the next one (giving_way.h). So there are
// never more connections than threads and one; others wait in the kernel's queue. Nothing here touches the
// threads that serve clients.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "admin/http_protocol.h"
#include "common/descriptor.h"
#include "common/mutex.h"

namespace lekt::admin {

struct HttpSettings {
  std::string address;  ///< IPv4, or IPv6 without brackets
  std::uint16_t port = 0;
  std::vector<std::string> host_names;
  std::size_t threads = 32;
  std::chrono::milliseconds undisturbed{100};  ///< a connection may wait this long before it gives way
  ConnectionLimits limits;
};

class HttpListener {
 public:
  /// Begins to listen and to serve; throws CodedError E502.
  HttpListener(const HttpSettings& settings, Answerer answerer);
  ~HttpListener();  ///< ends every connection at once; answers that are being made are waited for
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  std::uint16_t port() const { return port_; }
  bool is_loopback() const { return is_loopback_; }

 private:
  void listen(const HttpSettings& settings);
  void accept_all();
  /// Waits for a free thread; makes one free if none is.
  void hand_over(Descriptor connection) LEKT_EXCLUDES(mutex_);
  void serve();
  /// The next connection; not open when the listener stops.
  Descriptor accept();
  /// The next connection to serve; not open when the listener stops.
  Descriptor take() LEKT_EXCLUDES(mutex_);
  void stop() LEKT_EXCLUDES(mutex_);

  ConnectionLimits limits_;
  std::chrono::milliseconds undisturbed_;
  HttpProtocol protocol_;
  Descriptor socket_{-1};
  Descriptor stopped_{-1};  ///< an eventfd, readable once the listener stops
  std::uint16_t port_ = 0;
  bool is_loopback_ = false;
  GivingWay giving_way_;

  Mutex mutex_;
  ConditionVariable changed_;
  Descriptor next_ LEKT_GUARDED_BY(mutex_){-1};   ///< a connection for one of the free threads
  std::size_t free_ LEKT_GUARDED_BY(mutex_) = 0;  ///< threads that wait for a connection
  bool stopping_ LEKT_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace lekt::admin

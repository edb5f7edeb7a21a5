// A host on the loopback or in a network namespace that does what a test says: each connection is served by a function on a
// thread of its own.
//
// The functions run beside the test. The end of the scope ends their connections and waits for them, so they have to come
// back when send() or receive() says that it is over.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/bytes.h"
#include "common/descriptor.h"

namespace lekt::test {

/// One end of a TCP connection. One thread may send while another receives.
class TcpStream {
 public:
  explicit TcpStream(int descriptor);
  /// Connects; throws std::system_error when it cannot.
  static TcpStream connect(const std::string& address, std::uint16_t port);

  /// Waits until all of it is on its way; false when the connection is over.
  bool send(ByteView bytes) const;
  /// Waits for bytes; none when the connection is over.
  Bytes receive() const;
  /// Nothing more goes either way. Who waits in send() or receive() comes back.
  void finish() const;

 private:
  Descriptor descriptor_;
};

class TcpHost {
 public:
  using Serve = std::function<void(const TcpStream&)>;

  /// Listens at a free port of the address. The namespace of the calling thread is that of the host.
  TcpHost(std::string address, Serve serve);
  ~TcpHost();
  TcpHost(const TcpHost&) = delete;
  TcpHost& operator=(const TcpHost&) = delete;

  /// "127.0.0.1:4023".
  std::string place() const { return address_ + ":" + std::to_string(port_); }
  std::size_t connections() const { return connections_; }  ///< that were accepted

 private:
  void run();

  const std::string address_;
  const Serve serve_;
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> connections_ = 0;
  std::mutex mutex_;  ///< of what follows
  bool stopping_ = false;
  std::list<TcpStream> streams_;
  std::list<std::thread> serving_;
  std::thread accepting_;
};

/// Text that threads add to, and that a test looks at.
class SharedText {
 public:
  void add(ByteView text) {
    const std::lock_guard lock(mutex_);
    text_ += text;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    text_.clear();
  }
  Bytes text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  Bytes text_;
};

/// A host that is switched off: whoever wants to connect gets no answer.
class SilentPlace {
 public:
  explicit SilentPlace(std::string address);

  std::string place() const { return address_ + ":" + std::to_string(port_); }

 private:
  const std::string address_;
  Descriptor listener_;
  const std::uint16_t port_;
  std::vector<Descriptor> connecting_;  ///< as many as the kernel takes
};

/// A port of the address that nobody listens on.
std::uint16_t free_port(const std::string& address);

/// Says nothing, and keeps what is typed.
TcpHost::Serve listen_only(SharedText& typed);

}  // namespace lekt::test

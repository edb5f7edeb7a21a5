// Machines and a cable that exist only in a test: network namespaces without names, so that nothing is left
// of them when the test ends, however it ends.
#pragma once

#include <string>
#include <vector>

#include "common/descriptor.h"

namespace lekt::test {

/// A machine in the network: sockets that are opened and programs that are started while the thread is in it
/// are there for good.
class NetworkNamespace {
 public:
  /// New and empty, with a loopback interface. Throws std::system_error where it cannot be had.
  NetworkNamespace();

  /// The calling thread is in it until the end of the scope.
  class Stay {
   public:
    explicit Stay(const NetworkNamespace& where);
    ~Stay();
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

   private:
    Descriptor before_;
  };
  Stay enter() const { return Stay(*this); }

  /// Runs a program in it, to its end. Yields its output; throws with what it says when it fails.
  std::string run_here(const std::string& program, const std::vector<std::string>& arguments) const;
  /// Runs `ip` with these arguments in it.
  void ip(const std::vector<std::string>& arguments) const;

  /// What names it to a program that this process starts.
  std::string path() const;

 private:
  Descriptor descriptor_;
};

/// The server's machine and the clients', with a cable between them.
class Network {
 public:
  Network();

  /// Why the tests cannot have one here: a text for GTEST_SKIP. Empty when they can.
  static std::string cannot_have_one();

  static constexpr const char* server_address = "10.77.0.1";
  /// The clients' machine has all addresses of 10.77.1.0/24: "10.77.1.1" for 0.
  static std::string client_address(std::size_t number);

  const NetworkNamespace& server() const { return server_; }
  const NetworkNamespace& clients() const { return clients_; }

  void cut() const;   ///< pulls the plug at the clients' end
  void mend() const;  ///< puts it in again

 private:
  NetworkNamespace server_;
  NetworkNamespace clients_;
};

}  // namespace lekt::test

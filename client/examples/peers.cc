// Joins a network as a program that accepts TCP connections, and prints how to reach the others.
//
//     peers 10.0.0.1 4000
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "client/client.h"

namespace {

class Printer : public lekt::ClientHandler {
 public:
  void on_change(const lekt::PeerChange& change) override {
    const std::string address = lekt::to_string(change.address);
    if (change.kind == lekt::PeerChange::Kind::removed)
      std::cout << address << " has left" << std::endl;
    else
      std::cout << address << " is at " << describe(change.now, catalogue_) << std::endl;
  }

  void on_disconnected(const lekt::Disconnection& end) override {
    std::cerr << end.reason << "; next attempt in " << end.retry_in.count() << " ms" << std::endl;
  }

 private:
  const lekt::MethodCatalogue catalogue_;
};

lekt::Client* running = nullptr;

}  // namespace

int main(int count, char** arguments) {
  const int port = count == 3 ? std::atoi(arguments[2]) : 0;
  if (port < 1 || port > 65535) {
    std::cerr << "usage: peers HOST[:PORT] OWN-PORT\n";
    return 2;
  }
  try {
    Printer printer;
    lekt::ClientOptions options;
    options.server = arguments[1];
    options.methods = {{lekt::tcp_index, lekt::tcp_information(static_cast<std::uint16_t>(port))}};
    lekt::Client client(options, printer);
    running = &client;
    std::signal(SIGINT, [](int) { running->stop(); });
    client.run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

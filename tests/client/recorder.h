// A handler that writes down what a client tells, one line each, and stops it when a test has seen enough.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "client/client.h"
#include "client/command/output.h"

namespace lekt::test {

class Recorder : public ClientHandler {
 public:
  void on_joined() override { note("joined\n"); }
  void on_change(const PeerChange& change) override { note(command::text_of(change, catalogue_)); }
  void on_synchronised() override {
    ++synchronised;
    note("synchronised\n");
  }
  void on_warning(const std::string& warning) override { warnings += warning + "\n"; }
  void on_disconnected(const Disconnection& end) override {
    last = end;
    ++disconnected;
    note(end.reason + "\n");
  }

  std::string text;
  std::string warnings;  ///< apart: they come at any time
  int synchronised = 0;
  int disconnected = 0;
  Disconnection last;
  std::function<void()> on_event = [] {};  ///< called after each line

 private:
  void note(const std::string& line) {
    text += line;
    on_event();
  }

  const MethodCatalogue catalogue_;
};

inline bool synchronised_once(const Recorder& recorder) { return recorder.synchronised == 1; }
inline bool disconnected_once(const Recorder& recorder) { return recorder.disconnected == 1; }
inline bool synchronised_twice(const Recorder& recorder) { return recorder.synchronised == 2; }

/// Options for tests: everything is quick, and the waits are the same in each run.
inline ClientOptions quick_options(const std::string& server) {
  using namespace std::chrono_literals;
  return {.server = server,
          .methods = {{tcp_index, tcp_information(4000)}},
          .interval = 10ms,
          .retry_first = 1ms,
          .retry_last = 5ms,
          .random_seed = 1};
}

/// Runs a client until `enough` holds after a line of the recorder. Fails the test if that takes 20 s.
inline void run_until(Recorder& recorder, const ClientOptions& options,
                      std::function<bool(const Recorder&)> enough) {
  Client client(options, recorder);
  recorder.on_event = [&] {
    if (enough(recorder)) client.stop();
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (client.run_for(std::chrono::milliseconds(100)))
    if (std::chrono::steady_clock::now() > end)
      return void(ADD_FAILURE() << "the client told only: " << recorder.text);
}

}  // namespace lekt::test

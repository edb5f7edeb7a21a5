// `lekt join` itself: a member of the network, and everything that is done with what it hears.
//
// The client's thread prints nothing, writes no file and runs no command. It hands over to a ListPrinter, a
// FileKeeper or a CommandQueue, each of which has a thread of its own and bounded memory. So no trouble with an
// output delays a heartbeat or ends the membership.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/command/command_queue.h"
#include "client/command/file_keeper.h"
#include "client/command/list_printer.h"
#include "client/command/state_file.h"
#include "common/address.h"
#include "common/catalogue.h"

namespace lekt::command {

enum class JoinFormat { text, json, hosts, prometheus };

struct JoinOptions {
  std::string server;
  std::vector<std::string> methods;
  MethodCatalogue catalogue;
  std::chrono::milliseconds interval{5000};
  std::optional<Address> source;
  std::optional<TlsOptions> tls;
  JoinFormat format = JoinFormat::text;
  std::string output;
  std::string state;          ///< the file from which the next program continues; empty: none
  std::string command;        ///< run for each event
  std::string batch_command;  ///< run for all waiting events at once
  std::chrono::milliseconds command_limit = std::chrono::minutes(5);
  std::uint64_t count = 0;
};

/// Whether the format is kept in the file --output instead of being printed.
bool is_for_file(JoinFormat format);

class Member : public ClientHandler {
 public:
  /// Throws CodedError: E705 for an option that makes no sense, E706 for an output that cannot be written.
  explicit Member(const JoinOptions& options);

  /// Stays a member until the end, and returns the exit code.
  int run();

  Client& client() { return client_; }

 private:
  void on_joined() override;
  void on_change(const PeerChange& change) override;
  void on_synchronised() override;
  void on_disconnected(const Disconnection& end) override;
  void on_warning(const std::string& warning) override;

  void tell(const ConnectionEvent& event);
  void hand_over();
  void look_around();
  bool finish();
  std::string file_text() const;
  bool count_reached() const { return options_.count != 0 && answers_ >= options_.count; }

  const JoinOptions& options_;
  const std::string server_;  ///< with its port
  const bool is_first_process_;
  Client client_;
  std::unique_ptr<ListPrinter> printer_;  // the three end before the client, which they may stop
  std::unique_ptr<CommandQueue> commands_;
  std::unique_ptr<FileKeeper> keeper_;  // before the commands, which it releases
  std::optional<StateFile> state_file_;
  std::vector<RunReason> reasons_;  ///< gathered from the answer that is being told
  std::optional<ConnectionEvent> told_;
  std::uint64_t answers_ = 0;
  std::uint64_t version_ = 0;  ///< version of the file's text
  bool file_is_current_ = false;
  bool is_complete_ = false;
  bool refused_ = false;
};

/// While it lives, the first SIGINT or SIGTERM stops the watched client, and the second one ends the program.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  /// Sets the client that signals stop; one that has already come stops it at once. Pass nullptr before the client
  /// is destroyed.
  void watch(Client* client);

  static bool has_come();
};

}  // namespace lekt::command

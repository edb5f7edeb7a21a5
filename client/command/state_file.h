// The file of --state: what a client knew, for the next program (client/client_state.h).
//
// It is written as a whole, at most once every few seconds and at the end, and only when something has changed. A
// FileKeeper does that on its own thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "client/client.h"
#include "client/command/file_keeper.h"
#include "common/catalogue.h"

namespace lekt::command {

/// Reads the file. Nothing if there is none, or if it cannot be used; then a line on standard error says why (E715).
std::optional<ClientState> read_state_file(const std::string& path, const MethodCatalogue& catalogue);

class StateFile {
 public:
  /// Throws CodedError E705 or E706 if the file cannot be written.
  explicit StateFile(const std::string& path);

  /// Notes that the client has had a complete answer.
  void changed() { is_current_ = false; }
  /// Writes the client's state if that is due.
  void keep(const Client& client);
  /// Writes it in any case. Whether that was done within this time.
  bool finish(const Client& client, std::chrono::milliseconds limit);

 private:
  void put(const Client& client);

  FileKeeper keeper_;
  bool is_current_ = true;
  std::chrono::steady_clock::time_point due_{};
  std::size_t hash_ = 0;  ///< of the text that was written last
  std::uint64_t version_ = 0;
};

}  // namespace lekt::command

// The file in which a device keeps the ticket of its session when the program ends: 32 hexadecimal digits and a line
// feed, readable by its owner alone. Readers see the old ticket or the new one.
//
// While the object lives, no other one has the same file (a lock on FILE.lock, which stays there). Used by one thread.
#pragma once

#include <filesystem>
#include <string>

#include "common/descriptor.h"
#include "common/device_packets.h"

namespace lekt::command {

/// $XDG_STATE_HOME/lekt/device-UID, or ~/.local/state/lekt/device-UID; characters that do not belong in a file's name
/// become %NN. Throws CodedError E705 if neither variable is set.
std::filesystem::path ticket_path(const std::string& uid);

class TicketFile {
 public:
  /// Locks the file and reads it; without a file there is no ticket yet. The directories of ticket_path() are made with
  /// make_directory_of(). Throws CodedError: E705 if it holds something else, E706 if it cannot be used, E714 if
  /// another program has it.
  explicit TicketFile(std::filesystem::path path);

  /// Makes the directories of a file, for their owner alone. Throws CodedError E706.
  static void make_directory_of(const std::filesystem::path& path);

  /// What the file holds; no_ticket: nothing.
  const Ticket& ticket() const { return ticket_; }
  /// Writes the ticket, unless the file holds it already. Throws CodedError E706; the file is then as it was.
  void keep(const Ticket& ticket);

 private:
  void read();

  std::filesystem::path path_;
  Descriptor lock_;
  Ticket ticket_ = no_ticket;
};

}  // namespace lekt::command

// The file in which a device keeps the ticket of its session over its end: 32 hexadecimal digits and a line feed, for its
// owner alone. Readers see the old ticket or the new one.
//
// While the object lives, no other one has the same file (a lock on FILE.lock, which stays there). Used by one thread.
#pragma once

#include <filesystem>
#include <string>

#include "common/descriptor.h"
#include "common/device_packets.h"

namespace lekt::command {

/// $XDG_STATE_HOME/lekt/device-UID, or ~/.local/state/lekt/device-UID; what a file's name should not have is %NN in it.
/// Throws CodedError E705 if neither variable is set.
std::filesystem::path ticket_path(const std::string& uid);

class TicketFile {
 public:
  /// Locks the file and reads it; none is there yet when there is no file. The directories of ticket_path() are made with
  /// make_directory_of(). Throws CodedError: E705 if it holds something else, E706 if it cannot be used, E714 if another
  /// program has it.
  explicit TicketFile(std::filesystem::path path);

  /// Makes the directories of a file, for their owner alone. Throws CodedError E706.
  static void make_directory_of(const std::filesystem::path& path);

  /// What the file holds; no_ticket: nothing.
  const Ticket& ticket() const { return ticket_; }
  /// Nothing happens if it is the one that the file holds. Throws CodedError E706; the file is then as it was.
  void keep(const Ticket& ticket);

 private:
  void read();

  std::filesystem::path path_;
  Descriptor lock_;
  Ticket ticket_ = no_ticket;
};

}  // namespace lekt::command

// Carries out what an operator changes: by the server when it runs, and in the database when it does not. The commands
// need not know which.
//
// Everything here throws CodedError: E801 when a server runs and cannot be reached, what the server answers
// (E802, E803), and what opening a database throws.
#pragma once

#include <filesystem>
#include <string>

#include "control/instance.h"
#include "control/messages.h"
#include "storage/stopped_database.h"

namespace lekt::lektctl {

// Results are the server's answers, and say which of the two has done it.

struct Banned {
  Block block;
  Operations::Banned answer;
  bool server_runs = false;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
    Operations::Banned::fields(self.answer, io);
    io.field("server_runs", self.server_runs);
  }
};
Banned ban(const control::Instance& instance, const control::Ban& wanted);

struct Unbanned {
  Block block;
  bool server_runs = false;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    io.field("block", self.block);
    io.field("server_runs", self.server_runs);
  }
};
/// Lifts a ban. Throws E803 when there is no such ban.
Unbanned unban(const control::Instance& instance, const control::Unban& wanted);

struct Compacted {
  Operations::Compacted answer;
  bool server_runs = false;

  template <class Self, class Io>
  static void fields(Self& self, Io& io) {
    Operations::Compacted::fields(self.answer, io);
    io.field("server_runs", self.server_runs);
  }
};
Compacted compact(const control::Instance& instance);

/// Writes a line to standard error when the newest state of the database is lost, because the next start of the server
/// finds nothing unusual any more.
void tell_of_lost_log(const storage::StoppedDatabase& database, const std::filesystem::path& path);

/// Describes the result in one line.
std::string describe(const Banned& banned);
std::string describe(const Unbanned& unbanned);

}  // namespace lekt::lektctl

// What operators can ask of the running server, and do to it. The server implements it; the control socket
// and the admin page use it, and tests give them one of their own.
//
// Every member may be called from any thread but the server's own. Those that ask the workers or the writer
// wait for them, at most `patience`; a CodedError (E802) says so when they do not answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cidr.h"
#include "server/change_feed.h"
#include "server/status.h"

namespace lekt {

class Operations {
 public:
  static constexpr std::chrono::seconds patience{5};

  struct Banned {
    bool is_new = false;       ///< or the reason was changed
    std::size_t sessions = 0;  ///< that were ended
  };
  struct Kicked {
    std::size_t sessions = 0;
    bool was_waiting = false;  ///< it had no session, and is no longer waited for
  };
  struct Compacted {
    std::uint64_t bytes_before = 0;
    std::uint64_t bytes_after = 0;
  };

  virtual ~Operations() = default;

  // ---- Looking ----

  /// Waits for nobody: for a scrape every few seconds.
  virtual Totals totals() const = 0;
  /// Waits for the workers at most a second, and says how many did not answer.
  virtual Status status() = 0;
  virtual std::vector<SessionStatus> sessions(Ipv4Address address) = 0;
  /// The newest first; of these addresses, or of all.
  virtual std::vector<RejectStatus> rejects(const std::optional<Cidr>& block, std::size_t count_max) = 0;
  virtual ChangeFeed& changes() = 0;

  // ---- Steering ----

  /// Ends its sessions (E409). It may connect again.
  virtual Kicked kick(Ipv4Address address) = 0;
  /// Serves these addresses no longer (E408), also after a restart. Returns when it is stored.
  virtual Banned ban(const Cidr& block, const std::string& reason) = 0;
  /// False when there is no such ban.
  virtual bool unban(const Cidr& block) = 0;
  /// Gives the free pages of the database back to the file system.
  virtual Compacted compact() = 0;
  /// Writes every packet of these addresses, annotated, into a file of its own beside the database.
  /// Throws CodedError E608, or E802 when there are too many.
  virtual TraceStatus trace(const Cidr& block, std::chrono::seconds duration) = 0;
  /// False when there is no such trace.
  virtual bool end_trace(const Cidr& block) = 0;
};

}  // namespace lekt

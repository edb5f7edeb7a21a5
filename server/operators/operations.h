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

#include "common/block.h"
#include "server/operators/change_feed.h"
#include "server/operators/device_status.h"
#include "server/operators/status.h"

namespace lekt {

class Operations {
 public:
  static constexpr std::chrono::seconds patience{5};
  /// What a ban may last at most, unless it has no end.
  static constexpr std::chrono::seconds ban_max = std::chrono::hours(24 * 366 * 100);
  /// Said when devices are asked about and the server takes none (E802). Totals::devices has nothing then.
  static constexpr const char* no_devices = "this server has no devices: --device-listen is off";

  struct Banned {
    bool is_new = false;                     ///< or the reason was changed
    std::size_t sessions = 0;                ///< that were ended
    std::optional<std::int64_t> until = {};  ///< Unix seconds; nothing: it has no end

    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      io.field("is_new", self.is_new);
      io.field("sessions", self.sessions);
      io.time("until", self.until);
    }
  };
  struct Kicked {
    std::size_t sessions = 0;
    bool was_waiting = false;  ///< it had no session, and is no longer waited for

    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      io.field("sessions", self.sessions);
      io.field("was_waiting", self.was_waiting);
    }
  };
  struct Compacted {
    std::uint64_t bytes_before = 0;
    std::uint64_t bytes_after = 0;

    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      io.field("before_bytes", self.bytes_before);
      io.field("after_bytes", self.bytes_after);
    }
  };
  struct Reloaded {
    std::vector<std::string> changed;        ///< names of settings that are used from now on
    std::vector<std::string> needs_restart;  ///< names of settings that stay as they are

    template <class Self, class Io>
    static void fields(Self& self, Io& io) {
      io.field("changed", self.changed);
      io.field("needs_restart", self.needs_restart);
    }
  };

  virtual ~Operations() = default;

  // ---- Looking ----

  /// Waits for nobody: for a scrape every few seconds.
  virtual Totals totals() const = 0;
  /// Waits for the workers at most a second, and says how many did not answer.
  virtual Status status() = 0;
  /// Waits for the workers at most a second, and looks into no file: it answers although a thread or the disk
  /// hangs.
  virtual Health health() = 0;
  /// Waits for nobody.
  virtual Whereabouts whereabouts() const = 0;
  virtual std::vector<SessionStatus> sessions(Address address) = 0;
  /// The newest first; of these addresses, or of all.
  virtual std::vector<RejectStatus> rejects(const std::optional<Block>& block, std::size_t count_max) = 0;
  virtual ChangeFeed& changes() = 0;

  // ---- Looking at devices; E802 when the server takes none ----

  /// Those that are connecting, registered or have a session, by address.
  virtual std::vector<DeviceStatus> devices() = 0;
  /// The devices with this uid; if there is none, those at this address, if it is one.
  virtual std::vector<DeviceDetails> device(const std::string& uid_or_address) = 0;
  /// What their users see, of the devices that device() has. The log says that somebody has looked.
  virtual std::vector<DeviceScreen> device_screens(const std::string& uid_or_address) = 0;
  /// The newest first.
  virtual std::vector<DeviceAlertStatus> device_alerts(std::size_t count_max) = 0;

  // ---- Steering ----
  //
  // What is done at once is not taken back when the rest has to wait: the E802 says what was done, and what follows
  // by itself.

  /// Ends its sessions (E409). It may connect again.
  virtual Kicked kick(Address address) = 0;
  /// Ends the sessions of the devices with this uid (E409). They may register again. E802 when the server takes none.
  virtual Kicked kick_device(const std::string& uid) = 0;
  /// Serves these addresses no longer (E408), also after a restart, until the duration has passed; without
  /// one until unban(). Returns when it is stored.
  virtual Banned ban(const Block& block, const std::string& reason,
                     std::optional<std::chrono::seconds> duration) = 0;
  /// False when there is no such ban.
  virtual bool unban(const Block& block) = 0;
  /// Gives the free pages of the database back to the file system.
  virtual Compacted compact() = 0;
  /// Writes every packet of these addresses, annotated, into a file of its own next to the database.
  /// Throws CodedError E608, or E802 when there are too many.
  virtual TraceStatus trace(const Block& block, std::chrono::seconds duration) = 0;
  /// False when there is no such trace. Throws CodedError E608 when it has ended, but its file is not complete,
  /// since the disk hangs.
  virtual bool end_trace(const Block& block) = 0;
  /// Reads settings and certificates again, as SIGHUP does. Throws CodedError E606 or E607 when something is
  /// wrong with them; then everything stays as it was.
  virtual Reloaded reload() = 0;
};

}  // namespace lekt

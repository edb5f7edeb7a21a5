// The service manager that has started the program, as a rule systemd: the sockets on which it listens for
// us, and what it wants to hear of us (sd-daemon(3)).
//
// Nothing here decides anything: the server says what it does. Where no service manager has started the program,
// everything here does nothing and costs nothing. Nothing waits for the service manager either: a report that its socket
// does not take is sent again with the next one, unless it would be out of date by then. Only the main thread calls this,
// except for write_to_journal().
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/descriptor.h"

namespace lekt::service_manager {

/// A TCP socket that listens already.
struct PassedSocket {
  Descriptor socket;
  bool tls = false;  ///< its name (FileDescriptorName=) is "tls"; every other name means plain text
};

/// Takes over what was passed. A second call yields nothing. Throws CodedError E512 when something else than
/// listening TCP sockets was passed.
std::vector<PassedSocket> take_sockets();

/// Whether somebody listens to the reports below.
bool is_listening();

// ---- For the program that the service manager starts to reload another (ExecReload=) ----

/// Sends SIGHUP to the main process of the service, which MAINPID names, and yields its id; nothing when there
/// is none.
std::optional<std::int64_t> signal_reload();

// ---- Reports ----

/// Reports that the start, or a reload, is over.
void report_ready();
/// Reports one line for operators, which `systemctl status` shows.
void report_status(const std::string& text);
/// Reports that the settings are read again; report_ready() follows, even when they could not be used.
void report_reloading();
void report_stopping();
/// Reports that the server does its work. When it has not said so for watchdog_interval(), it is killed and started
/// again.
void report_alive();

/// WatchdogSec= of the unit; 0 when there is none.
std::chrono::microseconds watchdog_interval();

// ---- The journal ----

/// Whether standard error is a stream to the journal, which gives each line its time, and reads a line's
/// priority from its beginning.
bool journal_reads_standard_error();
/// Whether the journal can be given entries, as the log makes them for it (LogFormat::entry); in a container that has
/// only the stream it cannot.
bool journal_takes_entries();
inline constexpr std::size_t journal_fields_max = 64;
/// Gives the entries to the journal one after the other, and waits while it takes none. Of one entry the first
/// `journal_fields_max` fields count. Yields the bytes of the entries that the journal has taken, or -1 with errno.
/// Called by one thread, which may be another than the main one.
std::ptrdiff_t write_to_journal(std::span<const iovec> entries);

}  // namespace lekt::service_manager

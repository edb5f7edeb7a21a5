// What the server looks at once a second, to warn operators before clients feel it: clients that fall silent
// together, threads that hang, a log that nobody reads, certificates that expire, answers that are not read.
//
// Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/net/doors.h"
#include "server/net/tls.h"
#include "server/net/watchdog.h"
#include "server/operators/warnings.h"

namespace lekt {

/// Which of these certificates have expired or soon will, in words; empty if none. `now` in Unix seconds.
std::string describe_expiry(const std::vector<CertificateFile>& certificates, std::int64_t now);

class Lookout {
 public:
  /// All of them outlive this object.
  Lookout(Doors& doors, Warnings& warnings, Watchdog& watchdog)
      : doors_(doors), warnings_(warnings), watchdog_(watchdog) {}

  /// Looks at everything. `output_bytes_max`: --max-output-bytes.
  void look(std::size_t output_bytes_max);

  /// Looks at these certificates from now on, and at once.
  void watch(std::vector<CertificateFile> certificates);

 private:
  void look_at_threads();
  void look_at_silence();
  void look_at_log();
  void look_at_certificates();
  void look_at_unread_answers(std::size_t output_bytes_max);

  Doors& doors_;
  Warnings& warnings_;
  Watchdog& watchdog_;
  std::vector<std::string> hanging_;  ///< threads that hung at the last look
  bool log_was_blocked_ = false;
  std::vector<CertificateFile> certificates_;  ///< in use; none without TLS
  std::string certificate_warning_;            ///< empty when none expires soon
  int unread_samples_ = 0;                     ///< in a row in which much was not read
};

}  // namespace lekt

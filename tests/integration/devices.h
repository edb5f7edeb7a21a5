// Real devices beside a running lektd: `lekt device` as a script that stays, or on a terminal.
//
// The server takes devices at an address of 127.0.0.0/8 that no other test process uses, so its ports are free.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/operators_command.h"
#include "tests/integration/terminal.h"

namespace lekt::test {

class DevicesTest : public OperatorsCommandTest {
 protected:
  static constexpr const char* contact_port = "3006";

  struct Who {
    std::string uid;
    std::string from;  ///< its address
    std::string type = "lekt";
  };

  DevicesTest();

  /// Where devices find the server.
  const std::string& contact() const { return contact_; }
  /// --device-listen there, and `ports`.
  Flags device_flags(const Flags& more = {}, const std::string& ports = "5000-5099") const;
  Daemon& serve(const Flags& more = {}) { return start(device_flags(more)); }

  /// Of `lekt device`.
  Flags device_arguments(const Who& who, const Flags& more = {}) const;
  /// A script that ends by itself.
  Outcome run_device(const Who& who, const Flags& more = {}) const;
  /// Stays, and types nothing, until it is killed.
  std::unique_ptr<Process> stay(const Who& who) const;
  /// As a user has it.
  std::unique_ptr<Terminal> on_terminal(const Who& who) const;

  std::vector<Json> devices(const Flags& filter = {}) const;
  /// Waits until so many devices are in this state.
  bool are_there(std::size_t count, const std::string& state = "active") const;
  /// Of `lektctl devices`; null if it is not there.
  Json device(const std::string& uid) const;
  /// Codes of the alerts, the newest first.
  Lines alerts() const;

 private:
  const std::string contact_;
};

/// A text that a device waits for in vain.
extern const char* const never_shown;

/// Keys of the menu of `lekt device`.
extern const char* const menu_ends_session;

}  // namespace lekt::test

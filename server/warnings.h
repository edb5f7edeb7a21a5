// What is wrong with the server now. Any thread raises and clears; the log says it where it happens.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "server/inbox.h"
#include "server/time.h"
#include "storage/database.h"

namespace lekt {

class Warnings {
 public:
  explicit Warnings(Inbox& inbox) : inbox_(inbox) {}

  /// Also into the database.
  void raise(ErrorCode code, const std::string& message) {
    note(code, message);
    inbox_.post(WarningCommand{code, message});
  }
  void clear(ErrorCode code) {
    if (forget(code)) inbox_.post(WarningCommand{code, {}});
  }

  /// Trouble of the database itself, which cannot be told there.
  void note(ErrorCode code, const std::string& message) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(warnings_, code, &storage::Warning::code);
    if (found == warnings_.end())
      warnings_.push_back({code, wall_seconds(), message});
    else
      found->message = message;
  }
  /// False when there was none.
  bool forget(ErrorCode code) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(warnings_, [&](const storage::Warning& warning) { return warning.code == code; }) >
           0;
  }

  /// The oldest first.
  std::vector<storage::Warning> list() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }

 private:
  Inbox& inbox_;
  mutable std::mutex mutex_;
  std::vector<storage::Warning> warnings_;
};

}  // namespace lekt

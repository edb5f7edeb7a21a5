// Sessions whose devices may not know that they have ended: the host hung up, or nobody typed for too long. A failure is not
// acknowledged, and who was away has heard none. So the device that comes with the ticket of such a session
// is told what became of it, once, before it gets another.
//
// Invariant: at most `kept_max`, of which the oldest is forgotten first. Owned by the book (session_book.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "common/device_packets.h"
#include "common/errors.h"

namespace lekt {

class EndedSessions {
 public:
  static constexpr std::size_t kept_max = 1024;

  void add(const Ticket& ticket, std::string uid, Rejection reason) {
    if (sessions_.size() == kept_max) sessions_.pop_front();
    sessions_.push_back({ticket, std::move(uid), std::move(reason)});
  }
  /// Why it has ended; null if it is not known to have.
  const Rejection* find(const Ticket& ticket, const std::string& uid) const {
    const auto found = std::ranges::find_if(
        sessions_, [&](const Session& session) { return session.ticket == ticket && session.uid == uid; });
    return found == sessions_.end() ? nullptr : &found->reason;
  }
  void forget(const Ticket& ticket) {
    std::erase_if(sessions_, [&](const Session& session) { return session.ticket == ticket; });
  }
  std::size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    Ticket ticket;
    std::string uid;
    Rejection reason;
  };

  std::deque<Session> sessions_;  ///< the oldest first
};

}  // namespace lekt

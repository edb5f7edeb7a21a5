// What the threads of a server share to do their work: through these doors goes everything that one of them wants of
// another. Each may be used from any thread, in the way that it says itself.
#pragma once

#include <utility>

#include "server/net/admission.h"
#include "server/net/inbox.h"
#include "server/net/published_view.h"
#include "server/net/silence_guard.h"
#include "server/net/watchdog.h"

namespace lekt {

struct Doors {
  /// `codes` outlives them.
  Doors(PublishedView::Pointer view, const AddressRules& rules, const Admission::Limits& limits,
        const SilenceGuard::Settings& silence, CodeCounts& codes)
      : published(std::move(view)), admission(rules, limits, codes), silence_guard(silence) {}

  Inbox inbox;                 ///< what the writer is to do
  PublishedView published;     ///< what it has committed
  Admission admission;         ///< who may connect, and how many there are
  SilenceGuard silence_guard;  ///< whether who is silent may be ended
  TurnCount writer_turns;      ///< whether the writer's thread goes on
};

}  // namespace lekt

// One established session and all that its worker does for a heartbeat, from the bytes that were received to
// the stretches that would go into one system call: server/net/connection.cc, process() without the socket.
//
// It is the real member, published view, change view and output. It has no socket and no thread of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/bytes.h"
#include "common/catalogue.h"
#include "server/core/change_view.h"
#include "server/core/member.h"
#include "server/core/output.h"
#include "server/net/published_view.h"

namespace lekt::bench {

class ServedSession {
 public:
  /// A session that has joined now and was answered nothing yet. `published` outlives it.
  explicit ServedSession(const PublishedView& published);

  /// Takes received bytes and answers every whole heartbeat in them. Returns the bytes that were gathered.
  std::size_t receive(ByteView input);

  /// As if the last answer had been given when the log stood at `sequence`.
  void was_answered_at(std::uint64_t sequence) { member_.cursor().has_answered(sequence); }
  Cursor& cursor() { return member_.cursor(); }
  const ChangeView& view() const { return *reader_.view(); }

 private:
  std::size_t gather();
  std::size_t gather_copies(std::size_t sent);
  std::size_t gather_parts(std::size_t sent);

  MethodCatalogue catalogue_;
  SessionRules rules_{catalogue_};
  PublishedView::Reader reader_;
  MemberSettings settings_;
  Member member_;
  Output output_;
};

/// The 16 bytes of a heartbeat.
Bytes heartbeat(std::int64_t timestamp);

}  // namespace lekt::bench

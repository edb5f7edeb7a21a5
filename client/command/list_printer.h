// Prints what `lekt join` hears, for a reader that may be slow or away: changes as lines for people or as JSON.
//
// The lines of one answer are printed together. If the reader falls too far behind, changes are left out until it
// has read everything else. Then it is told how many, and gets the whole list anew, so it is right again. The same
// happens after an error, for example of a full disk. Nothing here ever waits for the reader.
//
// Used by the thread of the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "client/command/connection_event.h"
#include "client/command/patient_writer.h"
#include "client/peer_view.h"
#include "common/catalogue.h"

namespace lekt::command {

class ListPrinter {
 public:
  enum class Format { text, json };

  /// Calls `options.on_gone` when the reader has gone; see PatientWriter.
  ListPrinter(int descriptor, Format format, const MethodCatalogue& catalogue,
              PatientWriter::Options options);

  /// Keeps a change's line until flush().
  void add(const PeerChange& change);
  /// Keeps an event's line until flush(); only JSON has such lines.
  void add(const ConnectionEvent& event);

  /// Prints what was added, or the list `peers` if something was left out. Call it again from time to time.
  void flush(const Peers& peers);

  /// Whether the reader has got everything within this time.
  bool finish(std::chrono::milliseconds limit);
  /// Whether it is pointless to wait for the reader to get everything.
  bool has_failed() const { return skipping_ || writer_.error() != 0 || writer_.is_gone(); }
  bool is_gone() const { return writer_.is_gone(); }

 private:
  void begin_to_skip();
  std::string list_anew(const Peers& peers) const;

  const Format format_;
  const MethodCatalogue& catalogue_;
  PatientWriter writer_;
  std::string lines_;
  std::uint64_t changes_ = 0;  ///< how many are in lines_
  bool skipping_ = false;
  std::uint64_t skipped_ = 0;
  int told_error_ = 0;
  std::optional<ConnectionEvent> first_;  ///< first event of the present connection: joined
  std::optional<ConnectionEvent> last_;   ///< newest event: complete, lost or refused
};

}  // namespace lekt::command

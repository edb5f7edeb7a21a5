#include "client/command/list_printer.h"

#include <cstring>
#include <utility>

#include "client/command/output.h"
#include "common/errors.h"

namespace lekt::command {

ListPrinter::ListPrinter(int descriptor, Format format, const MethodCatalogue& catalogue,
                         PatientWriter::Options options)
    : format_(format), catalogue_(catalogue), writer_(descriptor, std::move(options)) {}

void ListPrinter::add(const PeerChange& change) {
  ++changes_;
  if (!skipping_)
    lines_ += format_ == Format::text ? text_of(change, catalogue_) : json_of(change, catalogue_);
}

void ListPrinter::add(const ConnectionEvent& event) {
  if (format_ == Format::text) return;
  if (event.kind == ConnectionEvent::Kind::joined) {
    first_ = event;
    last_.reset();
  } else {
    if (event.kind != ConnectionEvent::Kind::complete) first_.reset();
    last_ = event;
  }
  if (!skipping_) lines_ += json_of(event);
}

void ListPrinter::flush(const Peers& peers) {
  if (const auto lost = writer_.take_lost(); lost.any) {
    skipped_ += lost.changes;
    begin_to_skip();
  }
  if (!skipping_ && !lines_.empty() && !writer_.offer(std::move(lines_), changes_)) begin_to_skip();
  if (skipping_) skipped_ += changes_;
  lines_.clear();
  changes_ = 0;
  if (told_error_ != 0 && writer_.error() == 0 && !writer_.is_gone()) {
    told_error_ = 0;
    print_status("standard output could be written again");
  }
  if (!skipping_ || !writer_.is_ready()) return;
  const std::uint64_t skipped = skipped_;
  if (!writer_.offer(list_anew(peers), skipped)) return;
  skipping_ = false;
  skipped_ = 0;
  if (told_error_ == 0)
    print_status("standard output is read again; " + std::to_string(skipped) +
                 " changes were left out, and the list is told anew");
}

/// Begins to leave out changes, and says so once until printing works again.
void ListPrinter::begin_to_skip() {
  skipping_ = true;
  lines_.clear();
  if (writer_.is_gone()) return;
  const int error = writer_.error();
  if (error == 0) {
    print_status(Rejection{ErrorCode::reader_slow,
                           "standard output is not read fast enough; changes are left out until it is, and "
                           "the list is told anew then"}
                     .text());
  } else if (error != told_error_) {
    print_status(Rejection{ErrorCode::output_failed, std::string("cannot write to standard output: ") +
                                                         std::strerror(error) +
                                                         "; it is tried again until it works"}
                     .text());
    told_error_ = error;
  }
}

std::string ListPrinter::list_anew(const Peers& peers) const {
  const bool is_text = format_ == Format::text;
  const std::string count = std::to_string(skipped_);
  std::string lines = is_text ? "! " + count + " changes were left out; this is the list as it is now\n"
                              : "{\"event\":\"skipped\",\"changes\":" + count + "}\n";
  if (first_) lines += json_of(*first_);
  for (const auto& [address, offer] : peers) {
    const PeerChange change{PeerChange::Kind::added, address, {}, offer};
    lines += is_text ? text_of(change, catalogue_) : json_of(change, catalogue_);
  }
  if (last_) {
    ConnectionEvent event = *last_;
    event.peers = peers.size();
    lines += json_of(event);
  }
  return lines;
}

bool ListPrinter::finish(std::chrono::milliseconds limit) { return writer_.finish(limit) && !skipping_; }

}  // namespace lekt::command

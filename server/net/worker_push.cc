// How a worker tells its clients of changes that they have not asked for; the rest of it is worker.cc.
//
// A view with changes wakes the worker, and its next round visits everybody who wants to be told. It takes turns with
// heartbeats and all else: a slice of the round, then whatever has become ready meanwhile.
#include <algorithm>
#include <asio/post.hpp>

#include "server/net/worker.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;

/// A slice of a round takes about this long; a heartbeat waits no longer for it.
constexpr auto slice_time = 1ms;
/// Visits without a look at the clock. One that has nothing to say takes some nanoseconds, one that has some microseconds.
constexpr int visits_at_once = 16;

}  // namespace

// ---- From any thread ----

/// The flag and the version of the view are sequentially consistent: either this sees the flag that the worker has set, or
/// the worker sees the view.
void Worker::view_was_published() {
  if (awaits_view_ && awaits_view_.exchange(false)) asio::post(io_, [this] { look_for_changes(); });
}

// ---- On the worker's thread ----

void Worker::follow_pushes(Connection& connection, Stage from, Stage to) {
  if (from == to || !connection.member().session().features().has(Feature::push)) return;
  if (to == Stage::established) {
    // From before its first heartbeat on, which therefore finds the newest view, or the next one is pushed.
    if (push_round_.is_empty()) awaits_view_ = true;
    push_round_.add(connection);
  }
  if (from == Stage::established) push_round_.remove(connection);
}

/// A view may be published that differs in its closing timestamp alone.
void Worker::look_for_changes() {
  if (push_round_.is_empty()) return;  // the first one that comes awaits the next view
  awaits_view_ = true;
  refresh_view();
  if (view()->newest_sequence() != round_sequence_) want_round();
}

void Worker::want_round() {
  round_wanted_ = true;
  begin_round_in_time();
}

std::chrono::steady_clock::time_point Worker::time() const {
  return driven_at_ ? *driven_at_ : std::chrono::steady_clock::now();
}

/// When the next round may begin: everybody's pushes keep the interval, and half of the time is for others.
std::chrono::steady_clock::time_point Worker::round_due() const {
  return round_ended_ +
         std::max<std::chrono::steady_clock::duration>(settings_.push_interval, round_ended_ - round_began_);
}

/// Begins the round that is wanted, or sets the timer for it. One that goes on does this at its end.
void Worker::begin_round_in_time() {
  if (!round_wanted_ || round_goes_on_) return;
  if (time() >= round_due()) return begin_round();
  if (driven_at_) return;
  round_timer_.expires_at(round_due());
  round_timer_.async_wait([this](const asio::error_code& error) {
    if (!error) begin_round_in_time();
  });
}

void Worker::begin_round() {
  refresh_view();
  round_wanted_ = false;
  round_goes_on_ = true;
  round_began_ = time();
  round_sequence_ = view()->newest_sequence();
  push_round_.begin();
  go_on_with_round();
}

/// A slice. What is ready meanwhile stands behind this in the queue of io_, and before the next slice.
void Worker::go_on_with_round() {
  refresh_view();
  const auto slice_ends = std::chrono::steady_clock::now() + slice_time;
  for (int visits = 0; !push_round_.is_over(); ++visits) {
    if (visits % visits_at_once == 0 && visits > 0 && std::chrono::steady_clock::now() >= slice_ends)
      return asio::post(io_, [this] { go_on_with_round(); });
    if (push_round_.next().push() == Connection::Pushed::later) round_wanted_ = true;
  }
  round_goes_on_ = false;
  round_ended_ = time();
  begin_round_in_time();
}

}  // namespace lekt

#include "server/net/host_pace.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "server/operators/clock.h"

namespace lekt {

void HostPace::ask_for_turn(std::shared_ptr<Reader> reader) {
  waiting_.push_back(std::move(reader));
  if (!is_going_on_) go_on();
}

/// Lets the next turn come: behind what else the thread has to do, and not before the slice allows it.
void HostPace::go_on() {
  is_going_on_ = true;
  if (spent_in_slice_ < share) return asio::post(io_, [this] { take_turn(); });
  pause_.expires_at(slice_began_ + std::max<Clock::duration>(slice, spent_in_slice_ * (slice / share)));
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error) take_turn();
  });
}

void HostPace::take_turn() {
  is_going_on_ = false;
  const std::shared_ptr<Reader> reader = std::move(waiting_.front());
  waiting_.pop_front();
  if (const Clock::time_point now = Clock::now(); now - slice_began_ >= slice) {
    slice_began_ = now;
    spent_in_slice_ = std::chrono::nanoseconds(0);
  }
  const std::chrono::nanoseconds began = thread_time();
  is_going_on_ = true;  // who asks now waits behind the others, and go_on() comes below
  reader->take_turn(buffer_);
  is_going_on_ = false;
  const std::chrono::nanoseconds took = thread_time() - began;
  spent_ += took;
  spent_in_slice_ += took;
  if (!waiting_.empty()) go_on();
}

}  // namespace lekt

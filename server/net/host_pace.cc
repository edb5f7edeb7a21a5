#include "server/net/host_pace.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

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
  const Clock::time_point began = Clock::now();
  if (began - slice_began_ >= slice) {
    slice_began_ = began;
    spent_in_slice_ = Clock::duration(0);
  }
  is_going_on_ = true;  // who asks now waits behind the others, and go_on() comes below
  reader->take_turn(buffer_);
  is_going_on_ = false;
  const Clock::duration took = Clock::now() - began;
  spent_ += took;
  spent_in_slice_ += took;
  if (!waiting_.empty()) go_on();
}

}  // namespace lekt

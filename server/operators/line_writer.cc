#include "server/operators/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

#include "server/operators/quiet_thread.h"

namespace lekt {

namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// After its work the thread looks for more in short naps, and only then waits to be woken.
constexpr auto nap = 5ms;
constexpr int naps_max = 200;

/// How soon a descriptor that has failed is tried again: a full disk may have room then.
constexpr auto retry_interval = 50ms;

std::int64_t milliseconds_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now().time_since_epoch()).count();
}

}  // namespace

LineWriter::LineWriter(int descriptor, DescribeLoss describe_loss, std::size_t bytes_max)
    : LineWriter(
          descriptor,
          [descriptor](std::span<const iovec> lines) {
            return ::writev(descriptor, lines.data(), static_cast<int>(lines.size()));
          },
          std::move(describe_loss), bytes_max) {}

LineWriter::LineWriter(Write write, DescribeLoss describe_loss, std::size_t bytes_max)
    : LineWriter(-1, std::move(write), std::move(describe_loss), bytes_max) {}

LineWriter::LineWriter(int descriptor, Write write, DescribeLoss describe_loss, std::size_t bytes_max)
    : descriptor_(descriptor),
      write_(std::move(write)),
      describe_loss_(std::move(describe_loss)),
      bytes_max_(bytes_max) {
  thread_ = start_without_signals([this] { run(); });
}

LineWriter::~LineWriter() {
  ending_ = true;
  asleep_ = 0;
  asleep_.notify_one();
  thread_.join();
  take();
  while (first_ != nullptr) delete std::exchange(first_, first_->next);
}

// ---- From any thread ----

bool LineWriter::make_room(std::size_t bytes) {
  if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= bytes_max_) return true;
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void LineWriter::write(std::string text) {
  const std::size_t bytes = text.size();
  if (!make_room(bytes)) return note_lost();
  auto* const line = new (std::nothrow) Line{newest_.load(std::memory_order_relaxed), std::move(text)};
  if (line == nullptr) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    return note_lost();
  }
  queued_.fetch_add(1, std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(line->next, line)) {
  }
  if (asleep_.load() != 0 && asleep_.exchange(0) != 0) asleep_.notify_one();
}

bool LineWriter::flush(Milliseconds patience, Milliseconds limit) {
  const std::uint64_t queued = queued_;
  const std::uint64_t lost = lost_;
  const Steady::time_point begun = Steady::now();
  Steady::time_point moved = begun;
  for (std::uint64_t done = done_; done < queued || told_ < lost;) {
    std::this_thread::sleep_for(1ms);
    const Steady::time_point now = Steady::now();
    if (std::exchange(done, done_) != done_) moved = now;
    if (now - moved >= patience || now - begun >= limit) return false;
  }
  return true;
}

LineWriter::State LineWriter::state() const {
  const std::int64_t since = blocked_since_;
  return {lost_, Milliseconds(since == 0 ? 0 : milliseconds_now() - since), error_};
}

// ---- On the thread ----

void LineWriter::run() {
  while (!ending_) {
    if (first_ == nullptr) take();
    tell_of_loss();
    first_ == nullptr&& loss_.empty() ? rest() : send();
  }
}

void LineWriter::tell_of_loss() {
  const std::uint64_t lost = lost_;
  if (!loss_.empty() || sent_ != 0 || lost == told_) return;
  try {
    loss_ = describe_loss_(lost - told_);
    losing_ = lost;
  } catch (const std::bad_alloc&) {
    // Later, then.
  }
}

/// Takes all lines from the queue, which has the newest in front.
void LineWriter::take() {
  Line* newest = newest_.exchange(nullptr);
  while (newest != nullptr) {
    Line* const older = newest->next;
    newest->next = first_;
    first_ = std::exchange(newest, older);
  }
}

/// Writes as many lines at once as a pipe takes whole.
void LineWriter::send() {
  naps_ = 0;
  std::array<iovec, 64> parts;
  std::size_t count = 0;
  std::size_t bytes = 0;
  const auto add = [&](std::string& text, std::size_t from) {
    const std::size_t size = text.size() - from;
    if (count == parts.size() || (count > 0 && bytes + size > PIPE_BUF)) return false;
    parts[count++] = {text.data() + from, size};
    bytes += size;
    return true;
  };
  if (!loss_.empty())
    add(loss_, sent_);
  else
    for (Line* line = first_; line != nullptr && add(line->text, line == first_ ? sent_ : 0);)
      line = line->next;
  if (blocked_since_ == 0) blocked_since_ = milliseconds_now();
  const std::ptrdiff_t written = write_(std::span(parts.data(), count));
  if (written < 0) return wait_for_descriptor(errno);
  drop_sent(static_cast<std::size_t>(written));
  error_ = 0;
  blocked_since_ = 0;
}

void LineWriter::drop_sent(std::size_t bytes) {
  sent_ += bytes;
  if (!loss_.empty()) {
    if (sent_ < loss_.size()) return;
    sent_ = 0;
    loss_.clear();
    told_ = losing_;
  }
  while (first_ != nullptr && sent_ >= first_->text.size()) {
    const std::size_t size = first_->text.size();
    sent_ -= size;
    delete std::exchange(first_, first_->next);
    bytes_.fetch_sub(size, std::memory_order_relaxed);
    ++done_;
  }
}

void LineWriter::wait_for_descriptor(int error) {
  if (error == EINTR) return;
  if (error != EAGAIN) {
    error_ = error;
    return std::this_thread::sleep_for(retry_interval);
  }
  error_ = 0;
  pollfd writable{descriptor_, POLLOUT, 0};
  poll(&writable, 1, 100);
  std::this_thread::sleep_for(1ms);  // some descriptors are called writable and then are not
}

void LineWriter::rest() {
  if (naps_ < naps_max) {
    ++naps_;
    return std::this_thread::sleep_for(nap);
  }
  asleep_ = 1;
  if (newest_.load() == nullptr && !ending_) asleep_.wait(1);
  asleep_ = 0;
  naps_ = 0;
}

}  // namespace lekt

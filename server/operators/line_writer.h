// Writes lines to a descriptor that somebody else empties: a pipe, a terminal, a socket, a disk. Threads that have a
// line never wait for it.
//
// They put it into a queue, without a lock, and a thread of the writer's own writes it out. That thread may wait as long
// as the descriptor takes nothing, and nobody waits for the thread. When the queue is full, lines are dropped and
// counted, and a line that says how many follows as soon as the descriptor takes something again.
//
// The descriptor is shared with other programs, so its O_NONBLOCK is left as it is; both kinds work. In place of a
// descriptor there may be a function, for a reader that wants lines in another way.
//
// A line costs no system call except one to wake the thread if it sleeps, at most once a second. The price: after a
// burst, a line may wait in the queue during the thread's nap of some milliseconds, and is lost if the process is killed
// in that time. A process that crashes waits for its lines (log.h).
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>

namespace lekt {

class LineWriter {
 public:
  using Milliseconds = std::chrono::milliseconds;

  /// Writes some of these lines, whole or in part, as writev(2) does: yields how many bytes, or -1 with errno. May wait.
  using Write = std::function<std::ptrdiff_t(std::span<const iovec> lines)>;

  /// Makes the line that says how many were lost.
  using DescribeLoss = std::function<std::string(std::uint64_t lost)>;

  struct State {
    std::uint64_t lost = 0;   ///< lines that did not fit, since the beginning
    Milliseconds blocked{0};  ///< for how long the descriptor takes nothing of what waits for it
    int error = 0;            ///< why, as an errno; 0 if it merely takes nothing
  };

  static constexpr std::size_t queue_bytes_max = 4 * 1024 * 1024;

  /// Starts the thread. Throws std::system_error if it cannot be started.
  LineWriter(int descriptor, DescribeLoss describe_loss, std::size_t bytes_max = queue_bytes_max);
  LineWriter(Write write, DescribeLoss describe_loss, std::size_t bytes_max = queue_bytes_max);
  /// Waits for the thread, which drops what the descriptor does not take. The descriptor has to take bytes or fail: a
  /// writer whose descriptor may be blocked must never be destroyed.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // ---- From any thread ----

  /// Queues a line, which ends with a line feed. Other writers of the same pipe do not tear one of at most 4096 bytes.
  void write(std::string line);
  /// Counts a line that could not even be made.
  void note_lost() { lost_.fetch_add(1, std::memory_order_relaxed); }

  /// Waits until everything before this call is written. Gives up, with false, when the descriptor has taken nothing for
  /// `patience`, or when `limit` is over. Allocates nothing and takes no lock: a signal handler may call it.
  bool flush(Milliseconds patience, Milliseconds limit);

  State state() const;

 private:
  struct Line {
    Line* next;  ///< in the queue the one before it, behind it once the thread has taken them
    std::string text;
  };

  LineWriter(int descriptor, Write write, DescribeLoss describe_loss, std::size_t bytes_max);
  bool make_room(std::size_t bytes);
  void run();
  void tell_of_loss();
  void take();
  void send();
  void drop_sent(std::size_t bytes);
  void wait_for_descriptor(int error);
  void rest();

  const int descriptor_;  ///< which is asked whether it takes something; -1 when only the function knows
  const Write write_;
  const DescribeLoss describe_loss_;
  const std::size_t bytes_max_;

  std::atomic<Line*> newest_{nullptr};    ///< the queue
  std::atomic<std::size_t> bytes_{0};     ///< of lines in the queue, and of those that the thread has taken
  std::atomic<std::uint64_t> queued_{0};  ///< lines, since the beginning
  std::atomic<std::uint64_t> done_{0};    ///< of these, written
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> told_{0};          ///< of the lost ones, in a line that is written
  std::atomic<std::int64_t> blocked_since_{0};  ///< steady milliseconds; 0 when nothing waits
  std::atomic<int> error_{0};
  std::atomic<int> asleep_{0};
  std::atomic<bool> ending_{false};

  // The thread's own.
  Line* first_ = nullptr;     ///< the lines that it has taken, the oldest first
  std::size_t sent_ = 0;      ///< bytes of the first
  std::string loss_;          ///< says that lines were lost; it goes before the others
  std::uint64_t losing_ = 0;  ///< how many lines are lost when that is said
  int naps_ = 0;
  std::thread thread_;
};

}  // namespace lekt

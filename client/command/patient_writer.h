// Writes to a descriptor that somebody else empties, on a thread of its own. A pipe that nobody reads, a stopped
// terminal or a full disk holds up nothing but that thread.
//
// Texts are written whole and in order, or not at all. What waits is bounded: one text of any size, and further
// ones as long as they fit together. A text that does not fit is refused; the caller has to say what is missing
// then.
//
// The descriptor is duplicated. So it may be closed while the writer lives; and if a writer ends while a write is
// blocked, its thread never writes to another file that has got the same number.
//
// One thread calls offer(), is_ready() and take_lost(). The destructor waits for nothing; finish() does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace lekt::command {

class PatientWriter {
 public:
  struct Options {
    std::size_t bytes_max = 4 << 20;
    std::chrono::milliseconds retry_first{1000};  ///< wait after an error, doubled with each one
    std::chrono::milliseconds retry_last{30000};
    /// Called at most once, on the writer's thread, when the reader has gone and nothing will be written any more.
    /// It must not call the writer.
    std::function<void()> on_gone = {};
  };

  PatientWriter(int descriptor, Options options);
  ~PatientWriter();
  PatientWriter(const PatientWriter&) = delete;
  PatientWriter& operator=(const PatientWriter&) = delete;

  /// Hands a text over. False: none of it will be written. `changes` is what take_lost() counts if it is lost later.
  bool offer(std::string text, std::uint64_t changes);

  /// Whether everything is written, and, after an error, whether it is time to try again.
  bool is_ready() const;

  /// What has been lost in errors since the last call of take_lost().
  struct Lost {
    bool any = false;
    std::uint64_t changes = 0;
  };
  Lost take_lost();

  /// The number of the last error, until something can be written again; 0: none.
  int error() const;
  bool is_gone() const;

  /// Whether everything has been written within this time. An error ends the waiting.
  bool finish(std::chrono::milliseconds limit);

 private:
  struct State;
  static void work(State& state);

  const std::shared_ptr<State> state_;
};

}  // namespace lekt::command

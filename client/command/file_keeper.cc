#include "client/command/file_keeper.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "client/command/output.h"
#include "common/errors.h"
#include "common/mutex.h"
#include "common/text.h"

namespace lekt::command {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds last_moment{2};

}  // namespace

/// Shared with the thread, which outlives the keeper when the disk hangs. The thread alone uses the file.
struct FileKeeper::State {
  State(OutputFile output, std::function<void(std::uint64_t)> tell, const Times& when)
      : file(std::move(output)), times(when), on_written(std::move(tell)) {}

  bool is_finished() const LEKT_REQUIRES(mutex) { return !unwritten || attempts > 0; }

  void tell_of_in_place();
  // write() and look() release the lock while they use the file.
  void write() LEKT_REQUIRES(mutex);
  void look() LEKT_REQUIRES(mutex);

  OutputFile file;
  const Times times;
  std::string told_in_place;
  std::string told_trouble;
  bool told_of_others = false;
  Clock::time_point look_at = {};

  Mutex mutex;
  ConditionVariable changed;
  std::function<void(std::uint64_t)> on_written LEKT_GUARDED_BY(mutex);
  std::shared_ptr<const std::string> text LEKT_GUARDED_BY(mutex);  ///< the newest text
  std::uint64_t version LEKT_GUARDED_BY(mutex) = 0;
  bool unwritten LEKT_GUARDED_BY(mutex) = false;
  int attempts LEKT_GUARDED_BY(mutex) = 0;  ///< failed ones since the last success
  Clock::time_point attempt_at LEKT_GUARDED_BY(mutex) = {};
  bool stopping LEKT_GUARDED_BY(mutex) = false;
  bool ended LEKT_GUARDED_BY(mutex) = false;
};

FileKeeper::FileKeeper(OutputFile file, std::function<void(std::uint64_t)> on_written, const Times& times)
    : state_(std::make_shared<State>(std::move(file), std::move(on_written), times)) {
  state_->tell_of_in_place();
  std::thread([state = state_] { keep(*state); }).detach();
}

FileKeeper::~FileKeeper() {
  const MutexLock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait_for(state_->mutex, last_moment,
                           [this]() LEKT_REQUIRES(state_->mutex) { return state_->ended; });
  state_->on_written = nullptr;
}

void FileKeeper::put(std::string text, std::uint64_t version) {
  const MutexLock lock(state_->mutex);
  state_->text = std::make_shared<const std::string>(std::move(text));
  state_->version = version;
  state_->unwritten = true;
  state_->changed.notify_all();
}

bool FileKeeper::finish(std::chrono::milliseconds limit) {
  const MutexLock lock(state_->mutex);
  state_->changed.wait_for(state_->mutex, limit,
                           [this]() LEKT_REQUIRES(state_->mutex) { return state_->is_finished(); });
  return !state_->unwritten;
}

bool FileKeeper::has_failed() const {
  const MutexLock lock(state_->mutex);
  return state_->unwritten && state_->attempts > 0;
}

void FileKeeper::keep(State& state) {
  const MutexLock lock(state.mutex);
  for (bool last = false; !last;) {
    last = state.stopping;
    if (last && !state.unwritten) break;
    if (state.text == nullptr) {
      state.changed.wait(state.mutex);
      continue;
    }
    const auto due = state.unwritten ? state.attempt_at : state.look_at;
    if (!last && Clock::now() < due) {
      state.changed.wait_until(state.mutex, due);
      continue;
    }
    if (state.unwritten)
      state.write();
    else
      state.look();
  }
  state.ended = true;
  state.changed.notify_all();
}

void FileKeeper::State::write() {
  const auto newest = text;
  const std::uint64_t newest_version = version;
  std::string trouble;
  {
    const MutexPause pause(mutex);
    try {
      file.write(*newest);
      tell_of_in_place();
    } catch (const CodedError& error) {
      trouble = error.what();
    }
    if (!trouble.empty() && trouble != told_trouble)
      print_status(trouble + "; it is tried again until it works");
    if (trouble.empty() && !told_trouble.empty())
      print_status("\"" + escape(file.path()) + "\" could be written again");
    told_trouble = trouble;
  }
  if (!trouble.empty()) {
    const auto delay = times.retry_first * (1 << std::min(attempts, 10));
    attempts = std::min(attempts + 1, 10);
    attempt_at = Clock::now() + std::min<std::chrono::milliseconds>(delay, times.retry_last);
  } else {
    attempts = 0;
    attempt_at = {};
    unwritten = version != newest_version;
    look_at = Clock::now() + times.look_every;
    if (on_written) on_written(newest_version);
  }
  changed.notify_all();
}

void FileKeeper::State::look() {
  const auto newest = text;
  OutputFile::Found found = OutputFile::Found::same;
  {
    const MutexPause pause(mutex);
    found = file.look(*newest);
    if (found == OutputFile::Found::other && !std::exchange(told_of_others, true))
      print_status(Rejection{ErrorCode::output_contested,
                             "\"" + escape(file.path()) +
                                 "\" was changed by another program, and is written anew; two programs that "
                                 "keep one file overwrite each other"}
                       .text());
  }
  look_at = Clock::now() + times.look_every;
  if (found != OutputFile::Found::same) unwritten = true;
}

void FileKeeper::State::tell_of_in_place() {
  if (file.in_place() == told_in_place) return;
  told_in_place = file.in_place();
  if (!told_in_place.empty())
    print_status("\"" + escape(file.path()) + "\" is written in place, since " + told_in_place +
                 ": who reads it at that moment can see a part of it");
}

}  // namespace lekt::command

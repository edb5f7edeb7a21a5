#include "server/operators/handler_log_files.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/error_message.h"
#include "common/errors.h"
#include "common/mutex.h"
#include "server/operators/log.h"

namespace lekt {

namespace {

using Steady = std::chrono::steady_clock;

std::string line_of_missing_lines(std::uint64_t count) {
  if (count == 0) return {};
  return "# " + std::to_string(count) + (count == 1 ? " line is" : " lines are") +
         " missing here: the disk did not take them\n";
}

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

/// Lines of an address that wait for the disk, and how many behind them did not fit.
struct WaitingLines {
  std::string text;
  std::uint64_t missing = 0;
};

using Batch = std::map<Address, WaitingLines>;

}  // namespace

struct HandlerLogFiles::Shared {
  const Limits limits;
  std::atomic<std::uint64_t> lost{0};

  Mutex mutex{};
  Batch waiting LEKT_GUARDED_BY(mutex){};
  std::size_t bytes LEKT_GUARDED_BY(mutex) = 0;        ///< of their texts
  bool is_posted LEKT_GUARDED_BY(mutex) = false;       ///< a job that has not taken them yet
  std::string trouble LEKT_GUARDED_BY(mutex){};        ///< empty when all is well
  std::string told LEKT_GUARDED_BY(mutex){};           ///< of it, to operators
  Steady::time_point failed LEKT_GUARDED_BY(mutex){};  ///< last

  // The disk thread's own.
  HandlerLogDirectory directory;
  std::map<Address, std::uint64_t> missing{};  ///< lines that failed, in no line of the file yet

  Shared(const std::filesystem::path& path, const Limits& given, HandlerLogDirectory::OpenFile open)
      : limits(given), directory(path, given.directory, std::move(open)) {}

  bool add(Address device, const std::string& line) LEKT_REQUIRES(mutex);
  void note_failure(const std::string& what) LEKT_REQUIRES(mutex);
  void note_success() LEKT_REQUIRES(mutex);
  void write_waiting();
  void write(Address device, const WaitingLines& lines);
};

/// False when there is no room. Then this address gets none before the disk has taken what waits, so that those that are
/// missing are in one place.
bool HandlerLogFiles::Shared::add(Address device, const std::string& line) {
  const bool has_room = line.size() <= limits.queue_bytes_max - std::min(bytes, limits.queue_bytes_max);
  const auto known = waiting.find(device);
  const bool fits = has_room && (known == waiting.end() || known->second.missing == 0);
  if (!fits) {
    ++lost;
    // Memory is bounded however many addresses there are: of one too many only the sum is known.
    if (known != waiting.end() || waiting.size() < limits.directory.files) ++waiting[device].missing;
    note_failure("the disk does not take lines of the devices' handler log as fast as they come");
    return false;
  }
  waiting[device].text += line;
  bytes += line.size();
  return true;
}

void HandlerLogFiles::Shared::note_failure(const std::string& what) {
  failed = Steady::now();
  if (!trouble.empty()) return;
  trouble = what;
  log_event(LogLevel::error, "device_log_failed",
            {{"message", Rejection{ErrorCode::device_log_failed, what}.text()}});
}

void HandlerLogFiles::Shared::note_success() {
  if (trouble.empty() || Steady::now() - failed < limits.calm) return;
  trouble.clear();
  log_event(LogLevel::info, "device_log_recovered", {{"lost", lost.load()}});
}

/// On the disk thread.
void HandlerLogFiles::Shared::write_waiting() {
  Batch batch;
  {
    const MutexLock lock(mutex);
    std::swap(batch, waiting);
    bytes = 0;
    is_posted = false;
  }
  std::optional<std::string> failure;
  for (const auto& [device, lines] : batch) try {
      write(device, lines);
    } catch (const CodedError& error) {
      failure = message_of(error);
    }
  const MutexLock lock(mutex);
  failure ? note_failure(*failure) : note_success();
}

/// What is missing before the lines, the lines, what is missing behind them. What fails is missing before the next ones.
void HandlerLogFiles::Shared::write(Address device, const WaitingLines& lines) {
  const auto before = missing.find(device);
  const std::uint64_t missing_before = before == missing.end() ? 0 : before->second;
  const std::string tail = line_of_missing_lines(lines.missing);
  const std::string all = line_of_missing_lines(missing_before) + lines.text + tail;
  std::string_view left = all;
  try {
    directory.append(device, left);
    if (before != missing.end()) missing.erase(before);
  } catch (const CodedError&) {
    const std::size_t unwritten =
        std::min(left.size() - std::min(left.size(), tail.size()), lines.text.size());
    const std::uint64_t failed_lines =
        count_lines(std::string_view(lines.text).substr(lines.text.size() - unwritten));
    const bool none_is_written = left.size() == all.size();
    lost += failed_lines;
    if (before != missing.end() || missing.size() < limits.directory.files)
      missing[device] = (none_is_written ? missing_before : 0) + failed_lines + lines.missing;
    throw;
  }
}

HandlerLogFiles::HandlerLogFiles(const std::filesystem::path& directory)
    : HandlerLogFiles(directory, Limits()) {}

HandlerLogFiles::HandlerLogFiles(const std::filesystem::path& directory, const Limits& limits,
                                 HandlerLogDirectory::OpenFile open)
    : shared_(std::make_shared<Shared>(std::filesystem::absolute(directory), limits, std::move(open))),
      thread_(limits.queue_bytes_max) {}

HandlerLogFiles::~HandlerLogFiles() = default;

bool HandlerLogFiles::covers(Address device, HandlerLevel level) const {
  if (settings_.level == HandlerLevel::off || level > settings_.level) return false;
  return settings_.from.empty() ||
         std::ranges::any_of(settings_.from, [&](const Block& block) { return block.contains(device); });
}

void HandlerLogFiles::note(Address device, LoggedTime time, const HandlerEvent& event) {
  if (!covers(device, event.level)) return;
  const std::string line = handler_line(settings_.level, time, event);
  const MutexLock lock(shared_->mutex);
  shared_->add(device, line);
  if (!shared_->is_posted)
    shared_->is_posted = thread_.post_last([shared = shared_] { shared->write_waiting(); });
}

std::uint64_t HandlerLogFiles::lost() const { return shared_->lost.load(std::memory_order_relaxed); }

void HandlerLogFiles::tell(Warnings& warnings) {
  const MutexLock lock(shared_->mutex);
  if (shared_->told == shared_->trouble) return;
  shared_->told = shared_->trouble;
  if (shared_->trouble.empty()) return warnings.clear(ErrorCode::device_log_failed);
  warnings.raise(ErrorCode::device_log_failed, shared_->trouble);
}

}  // namespace lekt

#include "client/command/command_queue.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ranges>
#include <system_error>
#include <utility>

#include "client/command/output.h"
#include "common/duration.h"
#include "common/errors.h"
#include "common/method_words.h"

namespace lekt::command {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds reap_every{1000};

std::string tcp_port_text(const Offer& offer) {
  if (offer.methods.empty() || offer.methods.front().index != tcp_index) return "";
  return std::to_string(ByteReader(offer.methods.front().information).u32());
}

std::string first_name(const Offer& offer) {
  const std::vector<std::string> names = names_in(offer.methods);
  return names.empty() ? "" : names.front();
}

std::vector<std::string> variables_of(const PeerChange& change, const MethodCatalogue& catalogue) {
  const auto methods = [&](const Offer& offer) {
    return cut_words(describe(offer, catalogue), CommandQueue::variable_bytes_max);
  };
  return {"LEKT_EVENT=" + std::string(name_of(change.kind)),
          "LEKT_ADDRESS=" + to_string(change.address),
          "LEKT_METHODS=" + methods(change.now),
          "LEKT_METHODS_BEFORE=" + methods(change.before),
          "LEKT_TCP_PORT=" + tcp_port_text(change.now),
          "LEKT_NAME=" + first_name(change.now)};
}

/// What messages call the command: "the command for '+ 10.0.0.7 tcp:7890'".
template <class Runs>
std::string title_of(const Runs& runs, bool batch, const MethodCatalogue& catalogue) {
  if (batch) return "the command for " + std::to_string(runs.size()) + " events";
  const RunReason& reason = runs.front().reason;
  std::string text;
  if (const auto* change = std::get_if<PeerChange>(&reason)) {
    text = text_of(*change, catalogue);
    text.pop_back();
  } else {
    text = name_of(std::get<ConnectionEvent>(reason).kind);
  }
  return "the command for '" + cut_words(text, title_bytes_max) + "'";
}

void report(ErrorCode code, const std::string& text) { print_status(Rejection{code, text}.text()); }

Descriptor make_stop_event() {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
  return event;
}

}  // namespace

CommandQueue::CommandQueue(Options options, const MethodCatalogue& catalogue)
    : options_(std::move(options)),
      catalogue_(catalogue),
      wake_(make_stop_event()),
      thread_([this] { work(); }) {}

CommandQueue::~CommandQueue() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.value(), &one, sizeof one);
  thread_.join();
}

void CommandQueue::add(std::vector<RunReason> reasons, std::uint64_t version) {
  {
    const MutexLock lock(mutex_);
    for (RunReason& reason : reasons) waiting_.add({std::move(reason), version});
  }
  changed_.notify_all();
}

void CommandQueue::release(std::uint64_t version) {
  {
    const MutexLock lock(mutex_);
    released_ = version;
  }
  changed_.notify_all();
}

bool CommandQueue::finish(milliseconds limit) {
  const MutexLock lock(mutex_);
  finishing_ = true;
  changed_.notify_all();
  return changed_.wait_for(mutex_, limit,
                           [this]() LEKT_REQUIRES(mutex_) { return waiting_.size() == 0 && !running_; });
}

void CommandQueue::work() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const auto now = finishing_ ? Clock::time_point::max() : Clock::now();
    std::vector<Run> runs;
    if (options_.batch)
      runs = waiting_.take_all(released_, now);
    else if (auto run = waiting_.take(released_, now))
      runs.push_back(*std::move(run));
    if (!runs.empty()) {
      running_ = true;
      {
        const MutexPause pause(mutex_);
        execute(std::move(runs));
      }
      running_ = false;
      changed_.notify_all();
      continue;
    }
    if (options_.reaps) {
      reap_strangers(-1);
      changed_.wait_for(mutex_, reap_every);
    } else if (const auto due = waiting_.next_due(released_)) {
      changed_.wait_until(mutex_, *due);
    } else {
      changed_.wait(mutex_);
    }
  }
}

void CommandQueue::execute(std::vector<Run> runs) {
  const std::string title = title_of(runs, options_.batch, catalogue_);
  int status = 0;
  try {
    Hook hook(options_.command, variables_of_runs(runs), input_of(runs));
    status = await(hook, title);
  } catch (const CodedError& error) {
    // The command did not start, as with too many processes, so nobody has seen these events yet.
    return try_again(std::move(runs),
                     title + " " + std::string(error.what()).substr(code_text(error.code()).size() + 1));
  }
  if (WIFSIGNALED(status))
    report(ErrorCode::output_failed, title + " was ended by signal " + std::to_string(WTERMSIG(status)));
  else if (WEXITSTATUS(status) == exit_try_again)
    try_again(std::move(runs),
              title + " asks to be run again (exit code " + std::to_string(exit_try_again) + ")");
  else if (WEXITSTATUS(status) != 0)
    report(ErrorCode::output_failed, title + " ended with exit code " + std::to_string(WEXITSTATUS(status)));
}

std::vector<std::string> CommandQueue::variables_of_runs(const std::vector<Run>& runs) const {
  if (options_.batch) return {"LEKT_EVENT=batch", "LEKT_EVENTS=" + std::to_string(runs.size())};
  const RunReason& reason = runs.front().reason;
  if (const auto* change = std::get_if<PeerChange>(&reason)) return variables_of(*change, catalogue_);
  return variables_of(std::get<ConnectionEvent>(reason));
}

std::string CommandQueue::input_of(const std::vector<Run>& runs) const {
  std::string lines;
  for (const Run& run : runs) {
    const auto* change = std::get_if<PeerChange>(&run.reason);
    lines +=
        change != nullptr ? json_of(*change, catalogue_) : json_of(std::get<ConnectionEvent>(run.reason));
  }
  return lines;
}

/// Waits for the command to end, and returns its status. A run that takes too long is asked to end, then killed.
int CommandQueue::await(Hook& hook, const std::string& title) {
  enum class Step { running, asked, killed } step = Step::running;
  const auto began = Clock::now();
  auto end = began + options_.limit;
  auto report_at = std::min(began + options_.report_after, end);
  bool stop_seen = false;
  for (;;) {
    const auto now = Clock::now();
    const auto next = step == Step::running ? std::min(report_at, end) : end;
    auto pause = std::chrono::ceil<milliseconds>(std::max(next - now, Clock::duration::zero()));
    pause = std::min(pause, reap_every);  // poll() must be able to take it, too
    if (hook.wait(stop_seen ? -1 : wake_.value(), pause)) return hook.status();
    if (options_.reaps) reap_strangers(hook.process());
    if (!stop_seen && is_stopping()) {
      stop_seen = true;
      end = std::min(end, Clock::now() + options_.stop_grace);
    }
    if (step == Step::running && Clock::now() >= report_at && report_at < end) {
      report(ErrorCode::command_slow, title + " has run for " + format_duration(options_.report_after) +
                                          ", " + std::to_string(waiting()) +
                                          " wait for it; it is ended after " +
                                          format_duration(options_.limit) + " (--exec-timeout)");
      report_at = Clock::time_point::max();
    }
    if (Clock::now() < end) continue;
    if (step == Step::running) {
      report(ErrorCode::command_slow,
             title + (stop_seen ? " still runs; it is ended"
                                : " has run for " + format_duration(options_.limit) + " and is ended"));
      hook.signal(SIGTERM);
      step = Step::asked;
    } else if (step == Step::killed && stop_seen) {
      return 0;  // the kernel holds the process, which ends once the kernel lets it go
    } else {
      hook.signal(SIGKILL);
      step = Step::killed;
    }
    end = Clock::now() + options_.kill_grace;
  }
}

void CommandQueue::try_again(std::vector<Run> runs, const std::string& why) {
  const MutexLock lock(mutex_);
  if (finishing_ || stopping_) return report(ErrorCode::output_failed, why + "; it is not run again");
  int failures = 0;
  for (const Run& run : runs) failures = std::max(failures, run.failures);
  const auto delay = std::min<milliseconds>(options_.retry_first * (1 << failures), options_.retry_last);
  report(ErrorCode::output_failed, why + "; it is run again in " + format_duration(delay));
  for (Run& run : std::views::reverse(runs)) {
    run.failures = std::min(failures + 1, 10);
    run.due = Clock::now() + delay;
    waiting_.put_back(std::move(run));
  }
}

std::size_t CommandQueue::waiting() {
  const MutexLock lock(mutex_);
  return waiting_.size();
}

bool CommandQueue::is_stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

}  // namespace lekt::command

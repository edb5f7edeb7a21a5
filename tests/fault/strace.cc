#include "tests/fault/strace.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/support.h"

namespace lekt::test {

namespace {

std::string joined_by_comma(const SystemCalls& calls) {
  std::string text;
  for (const std::string& call : calls) text += (text.empty() ? "" : ",") + call;
  return text;
}

std::vector<std::string> options(const Injection& injection, const std::filesystem::path& trace) {
  std::vector<std::string> words = {"-f", "-o", trace.string(), "-e",
                                    "trace=" + joined_by_comma(injection.calls)};
  for (const auto& file : injection.files) words.insert(words.end(), {"-P", file.string()});
  if (!injection.what.empty()) words.insert(words.end(), {"-e", "inject=" + injection.what});
  return words;
}

std::filesystem::path new_trace(const std::filesystem::path& directory) {
  static int number = 0;
  return directory / ("trace-" + std::to_string(++number));
}

}  // namespace

std::string cannot_trace() {
  if (access(STRACE_PROGRAM, X_OK) != 0) return "strace is not installed";
  const TempDirectory directory;
  const Process traced("/bin/sleep", {"60"}, directory.path());
  try {
    const Strace strace(traced.id(), {{"close"}, {}, {}}, directory.path());
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string Injection::kill_before(const std::string& call, std::size_t number) {
  return call + ":signal=KILL:when=" + std::to_string(number);
}

Strace::Strace(pid_t traced, const Injection& injection, const std::filesystem::path& directory)
    : trace_(new_trace(directory)) {
  std::vector<std::string> words = options(injection, trace_);
  words.insert(words.end(), {"-p", std::to_string(traced)});
  process_.emplace(STRACE_PROGRAM, words, directory);
  const bool attached = eventually(
      [this] { return process_->has_ended() || process_->errors().find("attached") != std::string::npos; },
      patience());
  if (!attached || process_->has_ended())
    throw std::runtime_error("strace does not attach: " + process_->errors());
}

Strace::~Strace() {
  process_->send_signal(SIGTERM);  // detaches
  eventually([this] { return process_->has_ended(); }, patience());
}

std::vector<std::string> Strace::arguments(const Injection& injection, const std::filesystem::path& trace,
                                           const std::vector<std::string>& command) {
  std::vector<std::string> words = options(injection, trace);
  words.insert(words.begin(), "-D");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

void Strace::wait() { process_->wait(); }

// A line is "4711  pwrite64(5, ...) = 24"; the end of an interrupted one is "4711  <... pwrite64 resumed>".
std::map<std::string, std::size_t> most_calls(const std::filesystem::path& trace) {
  std::map<std::pair<std::string, std::string>, std::size_t> by_thread;
  std::istringstream lines(read_text(trace));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string thread, call;
    words >> thread >> call;
    const std::size_t name_end = call.find('(');
    if (name_end != std::string::npos) ++by_thread[{thread, call.substr(0, name_end)}];
  }
  std::map<std::string, std::size_t> most;
  for (const auto& [key, calls] : by_thread) most[key.second] = std::max(most[key.second], calls);
  return most;
}

}  // namespace lekt::test

#include "bench/load/report.h"

#include <unistd.h>

#include <cstdio>

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

}  // namespace

nlohmann::ordered_json percentiles(const Histogram& histogram) {
  return {{"p50", microseconds(histogram.percentile(0.5))},
          {"p90", microseconds(histogram.percentile(0.9))},
          {"p99", microseconds(histogram.percentile(0.99))},
          {"p999", microseconds(histogram.percentile(0.999))},
          {"max", microseconds(histogram.longest())}};
}

Window::Window(const Crew& crew, pid_t pid) : crew_(crew) {
  if (pid != 0) usage_.emplace(pid);
  begin();
}

void Window::begin() {
  began_ = now();
  if (usage_) processor_began_ = usage_->processor_time();
  received_began_ = crew_.bytes_received();
  sent_began_ = crew_.bytes_sent();
}

nlohmann::ordered_json Window::end(std::uint64_t count) const {
  const auto lasted = now() - began_;
  nlohmann::ordered_json result{{"count", count},
                                {"seconds", seconds(lasted)},
                                {"per_second", static_cast<double>(count) / seconds(lasted)},
                                {"bytes_received", crew_.bytes_received() - received_began_},
                                {"bytes_sent", crew_.bytes_sent() - sent_began_}};
  if (!usage_) return result;
  const auto used = usage_->processor_time() - processor_began_;
  result["server_cpu_seconds"] = seconds(used);
  if (count != 0) result["server_cpu_us_each"] = microseconds(used) / static_cast<double>(count);
  return result;
}

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) != 0), next_(now() + (terminal_ ? 1s : 10s)) {}

Progress::~Progress() {
  if (shown_ && terminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(double share, std::uint64_t count) {
  const Time at = now();
  if (at < next_) return;
  next_ = at + (terminal_ ? 1s : 10s);
  shown_ = true;
  std::fprintf(stderr, "%s%s: %3.0f %%, %llu so far%s", terminal_ ? "\r" : "", what_.c_str(), 100 * share,
               static_cast<unsigned long long>(count), terminal_ ? "\x1b[K" : "\n");
}

}  // namespace lekt::bench

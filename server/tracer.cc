#include "server/tracer.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "common/duration.h"
#include "common/text.h"
#include "server/log.h"

namespace lekt {

namespace {

/// A client's packets are far smaller; more than this is no beginning of one.
constexpr std::size_t partial_bytes_max = 64 * 1024;

/// Kept free in each file for the line that says why it ends.
constexpr std::uint64_t last_words_bytes = 1024;

/// "2026-11-21T01:02:03.000123Z"
std::string time_text() {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(second), (now - second).count());
}

/// "trace-192.0.2.0-24-20261121T010203Z.txt"
std::string file_name(const Cidr& block) {
  std::string name = block.prefix == 32 ? to_string(block.network) : to_string(block);
  std::ranges::replace(name, '/', '-');
  return fmt::format("trace-{}-{:%Y%m%dT%H%M%SZ}.txt", name, fmt::gmtime(std::time(nullptr)));
}

[[noreturn]] void fail(const std::string& what) { throw CodedError(ErrorCode::trace_failed, what); }

/// A name that is there already gets a number: nothing is overwritten.
Descriptor make_file(const std::filesystem::path& directory, const Cidr& block, std::filesystem::path& path) {
  const std::filesystem::path first = std::filesystem::absolute(directory) / file_name(block);
  path = first;
  for (int number = 2;; ++number) {
    Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (file.is_open()) return file;
    if (errno != EEXIST || number > 100)
      fail("cannot make " + path.string() + ": " + std::strerror(errno) +
           "; the server's user has to be able to write there");
    path = first.parent_path() / (first.stem().string() + "-" + std::to_string(number) + ".txt");
  }
}

TraceStatus describe(const Cidr& block, const std::filesystem::path& file, std::uint64_t bytes,
                     std::chrono::duration<double> left) {
  return {to_string(block), file.string(), std::max(left.count(), 0.0), bytes};
}

}  // namespace

TraceStatus Tracer::start(const Cidr& block, std::chrono::seconds duration, Steady now) {
  const std::lock_guard lock(mutex_);
  for (Trace& trace : traces_)
    if (trace.block == block) close(trace, "another trace of the same addresses begins");
  std::erase_if(traces_, [&](const Trace& trace) { return trace.block == block; });
  if (traces_.size() >= traces_max)
    throw CodedError(
        ErrorCode::control_refused,
        std::to_string(traces_max) + " traces are running, as many as there may be; end one of them");
  duration = std::min(duration, duration_max);
  std::filesystem::path path;
  Descriptor file = make_file(directory_, block, path);
  traces_.push_back({block, path, std::move(file), now + duration});
  append(traces_.back(),
         "# LEKT protocol trace of " + to_string(block) + ", from " + time_text() + ", for " +
             format_duration(duration) +
             "\n# Each line with a time is what the server saw; packets follow byte by byte.\n");
  if (traces_.back().over) {
    traces_.pop_back();
    fail("cannot write " + path.string() + "; is the disk full?");
  }
  traces_changed();
  return describe(block, path, traces_.back().bytes, duration);
}

bool Tracer::end(const Cidr& block) {
  const std::lock_guard lock(mutex_);
  for (Trace& trace : traces_)
    if (trace.block == block) close(trace, "ended by the operator");
  const bool found = std::erase_if(traces_, [&](const Trace& trace) { return trace.block == block; }) > 0;
  traces_changed();
  return found;
}

void Tracer::end_expired(Steady now) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(traces_, [&](Trace& trace) {
    if (!trace.over && now < trace.ends) return false;
    if (!trace.over) close(trace, "its time has passed");
    log_event(LogLevel::info, "trace_ended",
              {{"block", to_string(trace.block)}, {"file", trace.file.string()}, {"bytes", trace.bytes}});
    return true;
  });
  traces_changed();
}

std::vector<TraceStatus> Tracer::list(Steady now) const {
  const std::lock_guard lock(mutex_);
  std::vector<TraceStatus> list;
  for (const Trace& trace : traces_)
    list.push_back(describe(trace.block, trace.file, trace.bytes, trace.ends - now));
  return list;
}

void Tracer::traces_changed() {
  count_.store(traces_.size(), std::memory_order_relaxed);
  std::erase_if(partial_, [&](const auto& entry) { return !is_covered(entry.second.address); });
}

bool Tracer::is_covered(Ipv4Address address) const {
  return std::ranges::any_of(traces_, [&](const Trace& trace) { return trace.block.contains(address); });
}

// ---- For connections ----

bool Tracer::covers(Ipv4Address address) const {
  if (count_.load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard lock(mutex_);
  return is_covered(address);
}

void Tracer::received(Ipv4Address address, std::uint64_t session, ByteView bytes,
                      const MethodCatalogue& catalogue) {
  const std::lock_guard lock(mutex_);
  if (!is_covered(address)) return;
  Bytes& partial = partial_.try_emplace(session, Partial{address, {}}).first->second.bytes;
  partial.append(bytes);
  const Annotation all = annotate(partial, Direction::to_server, catalogue);
  const std::string what = "received " + std::to_string(bytes.size()) + " bytes";
  if (all.complete || all.wrong || partial.size() > partial_bytes_max) {
    write(address, session, what, all.text);
    partial_.erase(session);
    return;
  }
  // What has come of the last packet is shown when the rest is here.
  const std::string complete =
      annotate(ByteView(partial).substr(0, all.understood), Direction::to_server, catalogue).text;
  partial.erase(0, all.understood);
  write(
      address, session,
      what + "; the last packet is not complete, " + std::to_string(partial.size()) + " bytes of it are here",
      all.understood == 0 ? std::string() : complete);
}

void Tracer::sent(Ipv4Address address, std::uint64_t session, Output& output,
                  const MethodCatalogue& catalogue) {
  if (output.size() == 0) return;
  Bytes bytes;
  output.copy(0, annotated_bytes_max, bytes);
  std::string lines = annotate(bytes, Direction::to_client, catalogue).text;
  if (bytes.size() < output.size())
    lines += "  " + std::to_string(output.size() - bytes.size()) + " bytes more are not shown\n";
  const std::lock_guard lock(mutex_);
  write(address, session, "sent " + std::to_string(output.size()) + " bytes", lines);
}

void Tracer::note(Ipv4Address address, std::uint64_t session, std::string_view what) {
  const std::lock_guard lock(mutex_);
  write(address, session, escape(what), {});
}

void Tracer::forget(std::uint64_t session) {
  const std::lock_guard lock(mutex_);
  partial_.erase(session);
}

void Tracer::write(Ipv4Address address, std::uint64_t session, const std::string& what,
                   const std::string& lines) {
  const std::string text = time_text() + " " + to_string(address) + " session " + std::to_string(session) +
                           " " + what + "\n" + lines;
  for (Trace& trace : traces_) {
    if (trace.over || !trace.block.contains(address)) continue;
    if (trace.bytes + text.size() + last_words_bytes > file_bytes_max)
      close(trace, "the file has as many bytes as it may have");
    else
      append(trace, text);
  }
}

void Tracer::append(Trace& trace, const std::string& text) {
  ByteView left = text;
  while (!left.empty() && !trace.over) {
    const ssize_t written = ::write(trace.descriptor.value(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      trace.over = true;
      const CodedError error(ErrorCode::trace_failed, "cannot write " + trace.file.string() + ": " +
                                                          std::strerror(errno) + "; the trace has ended");
      log_event(LogLevel::error, "trace_failed", {{"message", error.what()}});
      return;
    }
    left.remove_prefix(static_cast<std::size_t>(written));
    trace.bytes += static_cast<std::uint64_t>(written);
  }
}

void Tracer::close(Trace& trace, const std::string& why) {
  append(trace, "# " + time_text() + " the trace ends: " + why + "\n");
  trace.over = true;
}

}  // namespace lekt

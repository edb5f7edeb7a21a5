#include "server/operators/tracer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <utility>

#include "common/annotate_datagram.h"
#include "common/calendar.h"
#include "common/duration.h"
#include "common/outcome.h"
#include "common/text.h"
#include "server/operators/clock.h"
#include "server/operators/log.h"

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
  std::string text = to_iso(second.time_since_epoch().count());
  text.pop_back();
  return fmt::format("{}.{:06}Z", text, (now - second).count());
}

/// "trace-192.0.2.0-24-20261121T010203Z.txt"
std::string file_name(const Block& block) {
  std::string name = to_short_string(block);
  std::ranges::replace(name, '/', '-');
  return "trace-" + name + "-" + to_compact_iso(wall_seconds()) + ".txt";
}

[[noreturn]] void fail(const std::string& what) { throw CodedError(ErrorCode::trace_failed, what); }

/// A name that is there already gets a number: nothing is overwritten.
Descriptor make_first_free(const Tracer::MakeFile& make, std::filesystem::path& path) {
  const std::filesystem::path first = path;
  for (int number = 2;; ++number) {
    Descriptor file = make(path);
    if (file.is_open()) return file;
    if (errno != EEXIST || number > 100)
      fail("cannot make " + path.string() + ": " + std::strerror(errno) +
           "; the server's user has to be able to write there");
    path = first.parent_path() / (first.stem().string() + "-" + std::to_string(number) + ".txt");
  }
}

std::string line_of_missing(std::uint64_t count) {
  return "# " + std::to_string(count) + (count == 1 ? " entry is" : " entries are") +
         " missing here: the disk did not take them in time\n";
}

void check_count(std::size_t others) {
  if (others >= Tracer::traces_max)
    throw CodedError(
        ErrorCode::control_refused,
        std::to_string(Tracer::traces_max) + " traces are running, as many as there may be; end one of them");
}

}  // namespace

Descriptor Tracer::make_file(const std::filesystem::path& path) {
  return Descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640));
}

Tracer::Tracer(std::filesystem::path directory, MakeFile make, std::size_t queue_bytes_max)
    : directory_(std::filesystem::absolute(directory)), make_(std::move(make)), thread_(queue_bytes_max) {}

Tracer::~Tracer() {
  const MutexLock lock(mutex_);
  for (Trace& trace : traces_) close(trace, "the server stops");
}

TraceStatus Tracer::describe(const Trace& trace, std::chrono::duration<double> left) {
  return {trace.block, trace.file->path.string(), std::max(left.count(), 0.0), trace.file->bytes, trace.lost};
}

/// Makes the file and writes its first words. The lock is not held while the disk is waited for.
std::shared_ptr<Tracer::File> Tracer::begin_file(const Block& block, const std::string& first_words) {
  const auto file = std::make_shared<File>();
  const std::string wanted = (directory_ / file_name(block)).string();
  file->path = wanted;
  const auto begun = std::make_shared<std::promise<Outcome<bool>>>();
  const auto begin = [file, begun, first_words, make = make_] {
    if (file->failed) return;  // nobody waits for it any more
    begun->set_value(outcome_of([&] {
      file->descriptor = make_first_free(make, file->path);
      write_all(*file, first_words);
      if (file->failed) fail("cannot write " + file->path.string() + "; is the disk full?");
      return true;
    }));
  };
  auto answer = begun->get_future();
  if (!thread_.post(sizeof(File) + first_words.size(), begin) ||
      answer.wait_for(patience) != std::future_status::ready) {
    file->failed = true;
    fail("the disk does not take " + wanted + ": it hangs, or other traces write more than it takes");
  }
  result_of(answer.get());
  return file;
}

TraceStatus Tracer::start(const Block& block, std::chrono::seconds duration, Steady now) {
  const auto others = [&]() LEKT_REQUIRES(mutex_) {
    return static_cast<std::size_t>(
        std::ranges::count_if(traces_, [&](const Trace& trace) { return trace.block != block; }));
  };
  {
    const MutexLock lock(mutex_);
    check_count(others());
  }
  duration = std::min(duration, duration_max);
  const std::string first_words =
      "# LEKT protocol trace of " + to_string(block) + ", from " + time_text() + ", for " +
      format_duration(duration) +
      "\n# Each line with a time is what the server saw; packets follow byte by byte.\n";
  Trace trace{block, begin_file(block, first_words), now + duration};
  trace.bytes = first_words.size();
  const MutexLock lock(mutex_);
  check_count(others());
  end_all(block, "another trace of the same addresses begins");
  traces_.push_back(std::move(trace));
  traces_changed();
  return describe(traces_.back(), duration);
}

bool Tracer::end(const Block& block) {
  const MutexLock lock(mutex_);
  const bool found = end_all(block, "ended by the operator");
  traces_changed();
  return found;
}

bool Tracer::end_all(const Block& block, const std::string& why) {
  return std::erase_if(traces_, [&](Trace& trace) LEKT_REQUIRES(mutex_) {
           if (trace.block != block) return false;
           close(trace, why);
           return true;
         }) > 0;
}

void Tracer::end_expired(Steady now) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  const MutexLock lock(mutex_);
  std::erase_if(traces_, [&](Trace& trace) LEKT_REQUIRES(mutex_) {
    if (!trace.over && !trace.file->failed && now < trace.ends) return false;
    close(trace, "its time has passed");
    log_event(LogLevel::info, "trace_ended",
              {{"block", to_string(trace.block)},
               {"file", trace.file->path.string()},
               {"bytes", trace.bytes},
               {"lost", trace.lost}});
    return true;
  });
  traces_changed();
}

std::vector<TraceStatus> Tracer::list(Steady now) const {
  const MutexLock lock(mutex_);
  std::vector<TraceStatus> list;
  for (const Trace& trace : traces_) list.push_back(describe(trace, trace.ends - now));
  return list;
}

void Tracer::traces_changed() {
  count_.store(traces_.size(), std::memory_order_relaxed);
  std::erase_if(partial_,
                [&](const auto& entry) LEKT_REQUIRES(mutex_) { return !is_covered(entry.second.address); });
}

bool Tracer::is_covered(Address address) const {
  return std::ranges::any_of(traces_, [&](const Trace& trace) { return trace.block.contains(address); });
}

// ---- For connections ----

bool Tracer::covers(Address address) const {
  if (count_.load(std::memory_order_relaxed) == 0) return false;
  const MutexLock lock(mutex_);
  return is_covered(address);
}

void Tracer::received(Address address, std::uint64_t session, ByteView bytes,
                      const MethodCatalogue& catalogue) {
  const MutexLock lock(mutex_);
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

void Tracer::sent(Address address, std::uint64_t session, Output& output, const MethodCatalogue& catalogue) {
  if (output.size() == 0) return;
  Bytes bytes;
  output.copy(0, annotated_bytes_max, bytes);
  std::string lines = annotate(bytes, Direction::to_client, catalogue).text;
  if (bytes.size() < output.size())
    lines += "  " + std::to_string(output.size() - bytes.size()) + " bytes more are not shown\n";
  const MutexLock lock(mutex_);
  write(address, session, "sent " + std::to_string(output.size()) + " bytes", lines);
}

void Tracer::datagram(Address address, std::uint16_t client_port, Direction direction, ByteView datagram) {
  const std::string what = direction == Direction::to_server ? " received " : " sent ";
  const std::string text = time_text() + " " + to_string(address) + ":" + std::to_string(client_port) + what +
                           "a datagram of " + std::to_string(datagram.size()) + " bytes\n" +
                           annotate_datagram(datagram, direction).text;
  const MutexLock lock(mutex_);
  write(address, text);
}

void Tracer::note(Address address, std::uint64_t session, std::string_view what) {
  const MutexLock lock(mutex_);
  write(address, session, escape(what), {});
}

void Tracer::forget(std::uint64_t session) {
  const MutexLock lock(mutex_);
  partial_.erase(session);
}

void Tracer::write(Address address, std::uint64_t session, const std::string& what,
                   const std::string& lines) {
  write(address, time_text() + " " + to_string(address) + " session " + std::to_string(session) + " " + what +
                     "\n" + lines);
}

void Tracer::write(Address address, const std::string& text) {
  for (Trace& trace : traces_) {
    if (trace.over || trace.file->failed || !trace.block.contains(address)) continue;
    if (trace.bytes + text.size() + last_words_bytes > file_bytes_max)
      close(trace, "the file has as many bytes as it may have");
    else
      append(trace, text);
  }
}

void Tracer::append(Trace& trace, std::string text) {
  if (trace.untold > 0) text = line_of_missing(trace.untold) + text;
  const std::size_t size = text.size();
  if (!thread_.post(size, [file = trace.file, text = std::move(text)] { write_all(*file, text); })) {
    ++trace.lost;
    ++trace.untold;
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  trace.bytes += size;
  trace.untold = 0;
}

/// The last words have room always: there are as few as traces. Once the file is closed, its trace is over.
void Tracer::close(Trace& trace, const std::string& why) {
  if (std::exchange(trace.over, true)) return;
  std::string words = trace.untold > 0 ? line_of_missing(trace.untold) : std::string();
  words += "# " + time_text() + " the trace ends: " + why;
  if (trace.lost > 0) words += "; the disk did not take " + std::to_string(trace.lost) + " entries in time";
  words += "\n";
  trace.bytes += words.size();
  thread_.post_last([file = trace.file, words = std::move(words)] {
    write_all(*file, words);
    file->descriptor = Descriptor(-1);
  });
}

/// Writes on the tracer's thread.
void Tracer::write_all(File& file, const std::string& text) {
  ByteView left = text;
  while (!left.empty() && !file.failed) {
    const ssize_t written = ::write(file.descriptor.value(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const CodedError error(ErrorCode::trace_failed, "cannot write " + file.path.string() + ": " +
                                                          std::strerror(errno) + "; the trace has ended");
      log_event(LogLevel::error, "trace_failed", {{"message", error.what()}});
      file.failed = true;
      return;
    }
    left.remove_prefix(static_cast<std::size_t>(written));
    file.bytes += static_cast<std::uint64_t>(written);
  }
}

}  // namespace lekt

#include "lektd/lookout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "common/calendar.h"
#include "common/error_message.h"
#include "server/operators/clock.h"
#include "server/operators/log.h"

namespace lekt {

std::string describe_expiry(const std::vector<CertificateFile>& certificates, std::int64_t now) {
  std::string words;
  for (const CertificateFile& file : certificates)
    if (file.expires <= now + certificate_warning_seconds)
      words += (words.empty() ? "" : "; ") + file.path.string() +
               (file.expires <= now ? " has expired at " : " expires at ") + to_iso(file.expires);
  return words;
}

void Lookout::look(std::size_t output_bytes_max) {
  look_at_threads();
  look_at_silence();
  look_at_log();
  look_at_certificates();
  look_at_unread_answers(output_bytes_max);
}

void Lookout::watch(std::vector<CertificateFile> certificates) {
  certificates_ = std::move(certificates);
  look_at_certificates();
}

/// The main thread cannot find itself hanging: whoever asks for the server's health finds it.
void Lookout::look_at_threads() {
  watchdog_.look(std::chrono::steady_clock::now());
  const std::vector<HangingThread> hanging = watchdog_.hanging();
  std::vector<std::string> names;
  for (const HangingThread& thread : hanging) {
    names.push_back(thread.name);
    if (std::ranges::find(hanging_, thread.name) == hanging_.end())
      log_event(LogLevel::error, "thread_hangs",
                {{"thread", thread.name}, {"message", describe_hanging({thread}).text()}});
  }
  if (names == hanging_) return;
  for (const std::string& name : hanging_)
    if (std::ranges::find(names, name) == names.end())
      log_event(LogLevel::info, "thread_goes_on", {{"thread", name}});
  hanging_ = names;
  if (names.empty()) return warnings_.clear(ErrorCode::thread_hangs);
  warnings_.raise(ErrorCode::thread_hangs,
                  fmt::format("threads that make no progress: {}", fmt::join(names, ", ")));
}

void Lookout::look_at_silence() {
  const SilenceGuard::State state = doors_.silence_guard.look(steady_now());
  if (!state.changed) return;
  if (!state.doubting) {
    log_event(LogLevel::info, "mass_silence_over", {{"waited_for", state.held}, {"removed", state.removed}});
    return warnings_.clear(ErrorCode::mass_silence);
  }
  const Rejection doubt{ErrorCode::mass_silence,
                        "many clients fell silent at once; they are removed later, unless they come back"};
  log_event(LogLevel::warn, "mass_silence", {{"message", doubt.text()}});
  warnings_.raise(doubt.code, doubt.message);
}

/// A line that takes a second to be written is not written: nobody reads the log, or the disk is full.
void Lookout::look_at_log() {
  const LineWriter::State log = log_state();
  const bool is_blocked = log.blocked >= log_blocked_after;
  if (is_blocked == std::exchange(log_was_blocked_, is_blocked)) return;
  if (!is_blocked) return warnings_.clear(ErrorCode::log_blocked);
  const std::string why =
      log.error == 0 ? "whoever is to read it does not" : std::generic_category().message(log.error);
  warnings_.raise(ErrorCode::log_blocked,
                  "the log's output takes nothing: " + why + "; lines wait until it does, and those beyond " +
                      std::to_string(LineWriter::queue_bytes_max >> 20) + " MiB are lost");
}

/// Keeps the words the same until something changes, so that a warning is raised once.
void Lookout::look_at_certificates() {
  const std::string words = describe_expiry(certificates_, wall_seconds());
  if (words == std::exchange(certificate_warning_, words)) return;
  if (words.empty()) return warnings_.clear(ErrorCode::server_certificate_expires);
  const Rejection warning{ErrorCode::server_certificate_expires,
                          words + ": put a new certificate in its place and send SIGHUP"};
  log_event(LogLevel::warn, "certificate_expires", {{"message", warning.text()}});
  warnings_.raise(warning.code, warning.message);
}

/// Warns long before a client is disconnected. Each worker, too, keeps what was published before for up to half a
/// second.
void Lookout::look_at_unread_answers(std::size_t output_bytes_max) {
  constexpr int samples_worrying = 3;
  const PublishedView::Reader reader(doors_.published);
  const std::size_t held = reader.view()->bytes_of_older();
  const std::size_t most = old_answers_max(output_bytes_max, *reader.view());
  if (held < most / 4) unread_samples_ = 0;
  if (unread_samples_ == 0) warnings_.clear(ErrorCode::answers_unread);
  if (held < most / 2 || ++unread_samples_ != samples_worrying) return;
  const Rejection unread{
      ErrorCode::answers_unread,
      fmt::format("clients do not read to the end: older lists keep {} MiB in memory; from {} on, "
                  "who has read nothing for the longest time is let go (E302)",
                  held >> 20, most >> 20)};
  log_event(LogLevel::warn, "answers_unread", {{"message", unread.text()}});
  warnings_.raise(unread.code, unread.message);
}

}  // namespace lekt

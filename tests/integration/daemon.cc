#include "tests/integration/daemon.h"

#include <algorithm>
#include <csignal>
#include <regex>
#include <stdexcept>

#include "common/duration.h"
#include "tests/integration/raw_client.h"
#include "tests/support/paths.h"

namespace lekt::test {

namespace {

Flags with_defaults(const std::filesystem::path& directory, Flags flags) {
  if (std::ranges::find(flags, "--listen") == flags.end())
    flags.insert(flags.begin(), {"--listen", "127.0.0.1:0"});
  if (std::ranges::find(flags, "--database") == flags.end())
    flags.insert(flags.begin(), {"--database", (directory / "lekt.db").string()});
  return flags;
}

/// Of the events "listening", in either format of the log.
std::vector<std::uint16_t> ports_in(const std::string& log) {
  static const std::regex listening(R"re(listening"?[ ,]"?address"?[=:]"?[^ "]*:([0-9]+))re");
  std::vector<std::uint16_t> ports;
  for (std::sregex_iterator found(log.begin(), log.end(), listening), end; found != end; ++found)
    ports.push_back(static_cast<std::uint16_t>(std::stoul((*found)[1].str())));
  return ports;
}

}  // namespace

Daemon::Daemon(const std::filesystem::path& directory, const Flags& flags, const Environment& environment)
    : process_(program_file("lektd"), with_defaults(directory, flags), directory, environment) {
  const bool came_up = eventually(
      [this] {
        const std::string text = log();
        return process_.has_ended() || (count(text, "started") > 0 && text.ends_with("\n"));
      },
      patience());
  ports_ = ports_in(log());
  if (!came_up || process_.has_ended() || ports_.empty())
    throw std::runtime_error("lektd did not come up:\n" + log());
}

int Daemon::stop(int signal) {
  process_.send_signal(signal);
  return process_.wait();
}

void Daemon::kill() { stop(SIGKILL); }
void Daemon::pause() { process_.send_signal(SIGSTOP); }
void Daemon::resume() { process_.send_signal(SIGCONT); }

bool Daemon::logs(const std::string& text, std::size_t times) const {
  return eventually([&] { return count(log(), text) >= times; }, patience());
}

Daemon& DaemonTest::start(const Flags& flags, const Environment& environment) {
  daemon_.reset();
  return daemon_.emplace(directory_.path(), flags, environment);
}

std::string DaemonTest::try_to_join(const std::string& from) {
  RawClient client(daemon().port(), from);
  try {
    client.join(tcp(7890));
    return {};
  } catch (const UnexpectedInput& refused) {
    return refused.what();
  }
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

std::string duration_flag(std::chrono::milliseconds base) { return format_duration(slowed(base)); }

}  // namespace lekt::test

// `lektctl watch`: status, newest changes and who is here, always up to date.
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <sstream>
#include <stop_token>
#include <thread>

#include "common/calendar.h"
#include "common/errors.h"
#include "common/mutex.h"
#include "common/printable.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/screen.h"
#include "lektctl/command/status.h"
#include "server/operators/clock.h"

namespace lekt::lektctl {

namespace {

using namespace std::chrono_literals;

constexpr const char* watch_help =
    R"(Shows status, newest changes and who is here on the whole screen, anew each second.

Arrows, j and k scroll; so do Page Up and Page Down, or b and Space; g and G go to the beginning and the end.
q or Ctrl-C ends it. It goes on when the server stops, starts, hangs, or its database is restored.)";

constexpr const char* watch_footer = R"(
Examples:
  lektctl watch

Exit codes: 0 ended by q, Ctrl-C or a signal; 2 wrong usage, or not a terminal.)";

constexpr auto interval = 1s;
/// How long to wait for the server, whose silence must not hold back what the database knows.
constexpr auto look_wait = 1500ms;
constexpr std::size_t changes_shown = 10;
constexpr std::size_t clients_shown = 1000;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// What is known at one moment.
struct Sight {
  std::int64_t second = 0;
  std::optional<KnownStatus> status;
  std::vector<storage::StoredChange> changes;
  std::vector<storage::StoredClient> clients;  ///< the first ones, by address
  std::size_t clients_here = 0;
  std::string trouble;  ///< why the rest is not known
};

Sight look(const control::Instance& instance) {
  Sight sight;
  sight.second = wall_seconds();
  try {
    sight.status = gather_status(instance, look_wait);
    storage::Reader reader(instance.database);
    sight.changes = reader.changes({.count_max = changes_shown});
    sight.clients = reader.clients({.count_max = clients_shown});
    sight.clients_here = reader.server().clients;
  } catch (const CodedError& error) {
    sight.trouble = error.what();
  }
  return sight;
}

/// Looks again and again on a thread of its own, so that keys work while a server is slow to answer.
class Looker {
 public:
  explicit Looker(const control::Instance& instance)
      : instance_(instance),
        news_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  /// Becomes readable when there is a sight that was not taken yet.
  const Descriptor& news() const { return news_; }

  /// Takes the newest sight.
  Sight sight() {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t size = ::read(news_.value(), &ignored, sizeof(ignored));
    const MutexLock lock(mutex_);
    return sight_;
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Sight sight = look(instance_);
      const MutexLock lock(mutex_);
      sight_ = std::move(sight);
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t size = ::write(news_.value(), &one, sizeof(one));
      sleep_.wait_for(mutex_, stop, interval, [] { return false; });
    }
  }

  const control::Instance instance_;
  const Descriptor news_;
  Mutex mutex_;
  std::condition_variable_any sleep_;
  Sight sight_ LEKT_GUARDED_BY(mutex_);
  std::jthread thread_;
};

std::string describe_changes(const std::vector<storage::StoredChange>& changes, std::size_t width) {
  const Table table({{"TIME (UTC)", 19}, {"KIND", 7}, {"ADDRESS", 15}, {"REASON", 8}, {"METHODS"}}, width);
  std::string text = "\n" + table.head();
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    text += table.row({time_text(change->second), std::string(to_string(change->kind)),
                       to_string(change->address), change->reason, change->methods});
  return text;
}

std::string describe_clients(const Sight& sight, std::size_t width) {
  const Table table({{"CLIENT", 15}, {"STATUS", 9}, {"SESSIONS", 8}, {"SINCE (UTC)", 19}, {"METHODS"}},
                    width);
  std::string text = "\n" + table.head();
  for (const storage::StoredClient& client : sight.clients)
    text += table.row({to_string(client.address), std::string(to_string(client.status)),
                       std::to_string(client.sessions), time_text(client.since), client.methods});
  if (sight.clients_here > sight.clients.size())
    text += std::to_string(sight.clients_here - sight.clients.size()) + " more; see `lektctl clients`\n";
  return text;
}

/// All lines below the heading.
std::vector<std::string> describe(const Sight& sight, std::size_t width) {
  if (sight.second == 0) return {"looking..."};
  std::string text;
  try {
    if (sight.status) text += describe_status(*sight.status, width);
    if (sight.trouble.empty())
      text += describe_changes(sight.changes, width) + describe_clients(sight, width);
  } catch (const CodedError& error) {
    text += printable(error.what()) + "\n";
  }
  if (!sight.trouble.empty()) text += printable(sight.trouble) + "\n";
  return lines_of(text);
}

/// The part of a long text that is on the screen.
class Window {
 public:
  /// Moves the window so that it fills the screen, if there are enough lines.
  void fit(std::size_t lines, std::size_t rows) {
    rows_ = rows;
    last_ = lines > rows ? lines - rows : 0;
    first_ = std::min(first_, last_);
  }
  void move(Screen::Event event) {
    const std::size_t page = std::max<std::size_t>(rows_, 2) - 1;
    if (event == Screen::Event::up) first_ -= std::min<std::size_t>(first_, 1);
    if (event == Screen::Event::page_up) first_ -= std::min(first_, page);
    if (event == Screen::Event::down) ++first_;
    if (event == Screen::Event::page_down) first_ += page;
    if (event == Screen::Event::top) first_ = 0;
    if (event == Screen::Event::bottom) first_ = last_;
    first_ = std::min(first_, last_);
  }
  std::size_t first() const { return first_; }

 private:
  std::size_t first_ = 0;
  std::size_t last_ = 0;  ///< the largest first line
  std::size_t rows_ = 0;
};

/// The heading, and below it the lines that the window shows.
std::vector<std::string> frame(const control::Instance& instance, const Sight& sight, Size size,
                               Window& window) {
  constexpr std::size_t heading_rows = 2;
  const std::vector<std::string> all = describe(sight, size.columns);
  window.fit(all.size(), size.rows > heading_rows ? size.rows - heading_rows : 0);
  std::vector<std::string> shown = {time_text(sight.second) + " UTC  " +
                                        printable(instance.database.string()) + "  (q ends, arrows scroll)",
                                    ""};
  shown.insert(shown.end(), all.begin() + static_cast<std::ptrdiff_t>(window.first()), all.end());
  return shown;
}

int watch(control::Instance instance) {
  instance.on_wait = {};  // the status tells of the wait
  std::optional<Screen> screen(std::in_place);
  Looker looker(instance);
  Window window;
  Sight sight;
  auto event = Screen::Event::none;
  while (event != Screen::Event::ended) {
    screen->draw(frame(instance, sight, screen->size(), window));
    event = screen->wait(interval, looker.news());
    window.move(event);
    sight = looker.sight();
  }
  // The terminal is restored first, since the last look may still wait for a server.
  screen.reset();
  return exit_done;
}

}  // namespace

Run add_watch(CLI::App& app, const Options& options) {
  app.description(watch_help);
  app.footer(watch_footer);
  return [&options] {
    if (options.json) refuse("watch is for people; `lektctl status --json` is for programs");
    return watch(options.instance);
  };
}

}  // namespace lekt::lektctl

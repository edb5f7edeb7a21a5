#include "bench/storage/churn.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "common/catalogue.h"
#include "common/limits.h"
#include "server/core/writer.h"
#include "storage/database.h"

namespace lekt::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t started = 1'700'000'000;
constexpr std::uint32_t first_address = 0x0a000000;
constexpr auto progress_interval = 5s;

/// A tenth of these fills the operators' table of newest changes, the write-ahead log up to its checkpoint,
/// and touches every address.
constexpr std::uint64_t judged_changes = 200'000;
constexpr std::uint64_t judged_changes_per_address = 100;

std::size_t bytes_of(const std::filesystem::path& path) {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(path, missing);
  return missing ? 0 : static_cast<std::size_t>(size);
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  if (!(file >> pages >> resident)) throw std::runtime_error("/proc/self/statm cannot be read");
  return resident * sysconf(_SC_PAGESIZE);
}

void take(std::size_t size, Extent& extent) {
  extent.last = size;
  extent.largest = std::max(extent.largest, size);
}

bool grew(const Extent& early, const Extent& late) {
  return late.largest > early.largest + early.largest / 10;
}

/// The clients, the writer and the clock of one run.
class Day {
 public:
  explicit Day(const ChurnSettings& settings)
      : settings_(settings),
        random_(settings.seed),
        sessions_(settings.addresses, 0),
        touched_in_(settings.addresses, 0),
        path_(settings.directory / "lekt.db"),
        wal_path_(path_.string() + "-wal"),
        database_(database_settings()),
        writer_(database_, writer_settings(), now_) {}

  ChurnResult run();

 private:
  storage::DatabaseSettings database_settings() const;
  WriterSettings writer_settings() const;
  void turn();
  void change_somebody();
  void hear_everybody();
  void look_at_files(bool early);
  void report_progress(std::chrono::steady_clock::time_point begin);
  void count_rows();
  Address address(std::size_t client) const {
    return Address::v4(first_address + static_cast<std::uint32_t>(client));
  }

  const ChurnSettings& settings_;
  std::mt19937_64 random_;
  MethodCatalogue catalogue_;
  Moment now_{0ms, started};
  std::vector<SessionId> sessions_;        ///< of each address; 0: it is not here
  std::vector<std::uint64_t> touched_in_;  ///< the turn in which an address changed last
  std::filesystem::path path_;
  std::filesystem::path wal_path_;
  storage::Database database_;
  Writer writer_;
  SessionId last_session_ = 0;
  std::uint64_t turns_ = 0;
  std::chrono::steady_clock::time_point reported_ = std::chrono::steady_clock::now();
  ChurnResult result_;
};

storage::DatabaseSettings Day::database_settings() const {
  storage::DatabaseSettings settings{path_, &catalogue_, "benchmark", started};
  settings.durable = false;
  return settings;
}

WriterSettings Day::writer_settings() const {
  WriterSettings settings;
  settings.retention = settings_.retention;
  settings.limits = {settings_.addresses, limits::packet_bytes_default};
  return settings;
}

ChurnResult Day::run() {
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t turns = std::uint64_t{settings_.seconds} * settings_.turns_per_second;
  std::uint64_t asked = 0;
  AwakeTime heard{0};
  bool early = true;
  while (turns_ < turns) {
    ++turns_;
    now_.awake = AwakeTime(turns_ * 1000 / settings_.turns_per_second);
    now_.wall = started + now_.awake / 1s;
    for (; asked < settings_.changes * turns_ / turns; ++asked) change_somebody();
    if (settings_.heard_every > 0s && now_.awake - heard >= settings_.heard_every) {
      hear_everybody();
      heard = now_.awake;
    }
    turn();
    look_at_files(early);
    if (early && asked >= settings_.changes / 10) {
      early = false;
      result_.rss_early = resident_bytes();
    }
    report_progress(begin);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  result_.changes_per_second = static_cast<double>(result_.changes) / took.count();
  result_.rss_growth = resident_bytes() - result_.rss_early;
  if (result_.changes >= std::max(judged_changes, judged_changes_per_address * settings_.addresses))
    result_.bounded =
        !grew(result_.database_early, result_.database) && !grew(result_.wal_early, result_.wal);
  result_.log_entries = writer_.change_log().entries();
  result_.encodings_of_full_list = writer_.change_log().encodings_of_full_list();
  count_rows();
  return result_;
}

void Day::turn() {
  const Writer::Turn turn = writer_.turn(now_);
  if (turn.trouble != StorageState::usable) throw std::runtime_error(turn.message);
  for (const Writer::Completion& completion : turn.completions)
    if (completion.rejection) throw std::runtime_error(completion.rejection->text());
  result_.changes += turn.changes.size();
}

/// A client that is here leaves, one that is not joins. Once in a turn: leaving and joining in the same one
/// would be no change.
void Day::change_somebody() {
  std::size_t client = random_() % sessions_.size();
  while (touched_in_[client] == turns_) client = (client + 1) % sessions_.size();
  touched_in_[client] = turns_;
  SessionId& session = sessions_[client];
  if (session != 0) {
    writer_.leave(session, address(client), LeaveReason::closed);
    session = 0;
    return;
  }
  session = ++last_session_;
  const auto port = static_cast<std::uint16_t>(1 + random_() % 65'535);
  writer_.join(session, address(client), {{tcp_index, tcp_information(port)}}, now_);
}

void Day::hear_everybody() {
  for (std::size_t client = 0; client < sessions_.size(); ++client)
    if (sessions_[client] != 0) writer_.heard(address(client), now_.wall);
}

void Day::look_at_files(bool early) {
  take(bytes_of(path_), early ? result_.database_early : result_.database);
  take(bytes_of(wal_path_), early ? result_.wal_early : result_.wal);
}

void Day::report_progress(std::chrono::steady_clock::time_point begin) {
  const auto now = std::chrono::steady_clock::now();
  if (now - reported_ < progress_interval) return;
  reported_ = now;
  const std::chrono::duration<double> took = now - begin;
  std::fprintf(stderr, "%5.1f %%  %.0f changes/s  database %.1f MB  wal %.1f MB  rss %.1f MB\n",
               100.0 * static_cast<double>(result_.changes) / static_cast<double>(settings_.changes),
               static_cast<double>(result_.changes) / took.count(),
               static_cast<double>(bytes_of(path_)) / 1e6, static_cast<double>(bytes_of(wal_path_)) / 1e6,
               static_cast<double>(resident_bytes()) / 1e6);
}

void Day::count_rows() {
  const SQLite::Database reader(path_.string(), SQLite::OPEN_READONLY);
  const auto count = [&](const char* what) {
    SQLite::Statement query(reader, std::string("SELECT count(*) FROM ") + what);
    query.executeStep();
    return static_cast<std::size_t>(query.getColumn(0).getInt64());
  };
  result_.rows_present = count("client_record WHERE present = 1");
  result_.rows_removed = count("client_record WHERE present = 0");
  result_.rows_changes = count("change_record");
  const auto absent = static_cast<std::size_t>(std::ranges::count(sessions_, SessionId{0}));
  if (result_.rows_present != sessions_.size() - absent)
    throw std::runtime_error("the database holds " + std::to_string(result_.rows_present) + " clients, but " +
                             std::to_string(sessions_.size() - absent) + " are here");
}

}  // namespace

ChurnResult churn(const ChurnSettings& settings) { return Day(settings).run(); }

}  // namespace lekt::bench

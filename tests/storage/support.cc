#include "tests/storage/support.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace lekt::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t known_addresses = 50;

Change known_change(std::uint64_t sequence) {
  const Address address = Address::v4(0x0a000001u + static_cast<std::uint32_t>(sequence % known_addresses));
  if (sequence % 7 == 0) return {sequence, started + 1, UpdateKind::removed, address, {}};
  return added(sequence, started + 1, address,
               {{tcp_index, tcp_information(static_cast<std::uint16_t>(sequence % 60000 + 1))}});
}

}  // namespace

StorageTest::StorageTest(const fs::path& parent)
    : temporary_(parent), directory_(fs::canonical(temporary_.path())) {
  settings_.path = path();
  settings_.catalogue = &catalogue_;
  settings_.program_version = "0.1.0";
  settings_.started = started;
}

Address address_of(const char* text) { return parse_address(text).value(); }

Change added(std::uint64_t sequence, std::int64_t second, Address address, Methods methods) {
  return {sequence, second, UpdateKind::added, address, std::move(methods)};
}

Change added(std::uint64_t sequence, std::int64_t second, const char* address, std::uint16_t port) {
  return added(sequence, second, address_of(address), {{tcp_index, tcp_information(port)}});
}

Change removed(std::uint64_t sequence, std::int64_t second, const char* address, LeaveReason reason) {
  return {sequence, second, UpdateKind::removed, address_of(address), {}, reason};
}

CommitResult commit(Database& database, const std::vector<Change>& changes,
                    const std::vector<Presence>& presences) {
  Batch batch;
  batch.state = database.state();
  batch.changes = changes;
  batch.presences = presences;
  if (!changes.empty()) {
    batch.state.sequence = changes.back().sequence;
    batch.state.second = std::max(batch.state.second, changes.back().second);
  }
  return database.commit(batch);
}

std::vector<Change> load_all(Database& database) {
  std::vector<Change> changes;
  database.load([&](Change&& change) { changes.push_back(std::move(change)); });
  return changes;
}

CommitResult commit_next(Database& database) {
  std::vector<Change> changes;
  for (std::uint64_t i = 1; i <= known_batch; ++i)
    changes.push_back(known_change(database.state().sequence + i));
  return commit(database, changes);
}

void expect_whole(Database& database) {
  const std::uint64_t newest = database.state().sequence;
  const std::uint64_t oldest = newest > known_addresses ? newest - known_addresses + 1 : 1;
  std::vector<std::string> expected;
  for (std::uint64_t sequence = oldest; sequence <= newest; ++sequence)
    expected.push_back(describe(known_change(sequence)));
  EXPECT_EQ(describe(load_all(database)), expected);
}

std::string describe(const Change& change) {
  const std::string methods = MethodCatalogue().describe(change.methods);
  return std::to_string(change.sequence) + " " + static_cast<char>(change.kind) + " " +
         to_string(change.address) + (methods.empty() ? "" : " ") + methods + " @" +
         std::to_string(change.second);
}

std::vector<std::string> describe(const std::vector<Change>& changes) {
  std::vector<std::string> lines;
  for (const Change& change : changes) lines.push_back(describe(change));
  return lines;
}

CodedError error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const CodedError& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::start_failed, "nothing was thrown"};
}

std::string shell(const fs::path& path, const std::string& sql, const std::string& command) {
  const std::string line =
      command + " -column -header 'file:" + path.string() + "?mode=ro' \"" + sql + "\" 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(line.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe.get()))
    output.append(buffer.data(), size);
  return output;
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::vector<std::string> files_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

Child::Child(const std::function<void(int)>& action) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe failed");
  id_ = fork();
  if (id_ == 0) {
    close(ends[0]);
    action(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  input_ = ends[0];
}

Child::~Child() {
  kill();
  close(input_);
}

bool Child::read(std::uint64_t& number) { return ::read(input_, &number, sizeof number) == sizeof number; }

void Child::kill() {
  if (id_ < 0) return;
  ::kill(id_, SIGKILL);
  waitpid(id_, nullptr, 0);
  id_ = -1;
}

void send_number(int output, std::uint64_t number) {
  if (::write(output, &number, sizeof number) != sizeof number) _exit(1);
}

}  // namespace lekt::storage

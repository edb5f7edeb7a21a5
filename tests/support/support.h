// What the tests share: randomness that can be replayed, a directory that goes away, bytes in hexadecimal,
// bounded waiting.
//
// Nothing here knows the program beyond common/. Everything is used from a test's own thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace lekt::test {

/// Built with a sanitizer, and so several times slower: tests of many rounds make fewer of them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// The command that replays the running test with this seed.
std::string replay_command(std::uint64_t seed);

/// Random numbers of one test. The seed is new in each run unless the environment variable LEKT_TEST_SEED
/// gives it; the constructor prints the command that replays the running test with the seed.
class Random {
 public:
  Random();
  explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}

  std::uint64_t seed() const { return seed_; }

  /// Any 64 bits.
  std::uint64_t next() { return engine_(); }
  /// 0 to `end` - 1; `end` is at least 1.
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  /// `first` to `last`, both included.
  std::int64_t between(std::int64_t first, std::int64_t last);
  /// True in `percent` of 100 calls.
  bool chance(unsigned percent) { return below(100) < percent; }
  Bytes bytes(std::size_t size);

  /// An element of a container that is not empty.
  template <class Container>
  auto& pick(Container& container) {
    return *std::next(std::begin(container), static_cast<std::ptrdiff_t>(below(std::size(container))));
  }

  /// For std::shuffle and the distributions of <random>.
  std::mt19937_64& engine() { return engine_; }

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

/// A directory whose files are in memory, where there is one: for tests that make thousands of files and do
/// not care how slow a real disk syncs them.
std::filesystem::path directory_in_memory();

/// A new, empty directory, removed with all it holds at the end of the scope.
class TempDirectory {
 public:
  explicit TempDirectory(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The bytes that hexadecimal digits name; white space between bytes is skipped. Throws std::invalid_argument
/// on anything else, so that a slip in a test is a failure and not an empty string. The way back is to_hex()
/// of common.
Bytes hex(std::string_view digits);

/// The text of a file. Throws std::runtime_error when it cannot be read.
std::string read_text(const std::filesystem::path& path);

/// Asks `condition` every few milliseconds until it is true, at most for `limit`. Returns its last answer.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace lekt::test

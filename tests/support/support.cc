#include "tests/support/support.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "common/text.h"

namespace lekt::test {

namespace {

std::uint64_t chosen_seed() {
  const char* given = std::getenv("LEKT_TEST_SEED");
  if (given != nullptr) return std::stoull(given);
  return std::random_device()();
}

/// The program that runs, as a path that a shell can start.
std::string own_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string("./test") : path.string();
}

}  // namespace

std::string replay_command(std::uint64_t seed) {
  std::string command = "LEKT_TEST_SEED=" + std::to_string(seed) + " " + own_program();
  const testing::TestInfo* running = testing::UnitTest::GetInstance()->current_test_info();
  if (running != nullptr)
    command.append(" --gtest_filter=").append(running->test_suite_name()).append(".").append(running->name());
  return command;
}

Random::Random() : Random(chosen_seed()) { std::cout << "replay: " << replay_command(seed_) << std::endl; }

std::int64_t Random::between(std::int64_t first, std::int64_t last) {
  return std::uniform_int_distribution<std::int64_t>(first, last)(engine_);
}

Bytes Random::bytes(std::size_t size) {
  Bytes result(size, '\0');
  for (char& byte : result) byte = static_cast<char>(engine_());
  return result;
}

std::filesystem::path directory_in_memory() {
  const std::filesystem::path memory = "/dev/shm";
  return access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

TempDirectory::TempDirectory(const std::filesystem::path& parent) {
  std::string pattern = (parent / "lekt-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Bytes hex(std::string_view digits) {
  auto bytes = parse_hex(digits);
  if (!bytes) throw std::invalid_argument("not hexadecimal: " + std::string(digits));
  return *std::move(bytes);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace lekt::test

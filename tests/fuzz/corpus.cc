#include "tests/fuzz/corpus.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "common/text.h"

namespace lekt::fuzz {

namespace {

Bytes read_seed(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string digits;
  for (std::string line; std::getline(file, line);) digits += line.substr(0, line.find('#')) + "\n";
  auto bytes = parse_hex(digits);
  if (!bytes) throw std::runtime_error(path.string() + " is not hexadecimal");
  return *std::move(bytes);
}

}  // namespace

std::vector<Seed> read_corpus(const std::filesystem::path& directory) {
  std::vector<Seed> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() == ".hex")
      seeds.push_back({entry.path().stem().string(), read_seed(entry.path())});
  std::ranges::sort(seeds, {}, &Seed::name);
  return seeds;
}

std::vector<Seed> read_found(const std::filesystem::path& path) {
  std::vector<Seed> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    auto bytes = parse_hex(line);
    if (!bytes) throw std::runtime_error(path.string() + " has a line that is not hexadecimal");
    seeds.push_back({"found-" + std::to_string(seeds.size() + 1), *std::move(bytes)});
  }
  return seeds;
}

}  // namespace lekt::fuzz

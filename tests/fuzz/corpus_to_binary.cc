// Writes seeds as the binary files that libFuzzer reads: corpus_to_binary SEED_DIRECTORY FOUND_FILE
// TO_DIRECTORY
#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/fuzz/corpus.h"

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: corpus_to_binary SEED_DIRECTORY FOUND_FILE TO_DIRECTORY\n";
    return 2;
  }
  try {
    const std::filesystem::path target = arguments[3];
    std::filesystem::create_directories(target);
    auto seeds = lekt::fuzz::read_corpus(arguments[1]);
    std::ranges::move(lekt::fuzz::read_found(arguments[2]), std::back_inserter(seeds));
    for (const auto& seed : seeds) {
      std::ofstream file(target / seed.name, std::ios::binary);
      file << seed.bytes;
      if (!file.flush()) throw std::runtime_error("cannot write " + (target / seed.name).string());
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}

// Writes a seed corpus as the binary files that libFuzzer reads: corpus_to_binary FROM_DIRECTORY TO_DIRECTORY
#include <exception>
#include <fstream>
#include <iostream>

#include "tests/fuzz/corpus.h"

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: corpus_to_binary FROM_DIRECTORY TO_DIRECTORY\n";
    return 2;
  }
  try {
    const std::filesystem::path target = arguments[2];
    std::filesystem::create_directories(target);
    for (const auto& seed : lekt::fuzz::read_corpus(arguments[1])) {
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

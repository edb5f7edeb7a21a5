// The seed corpus: readable files of hexadecimal, so that no binary file is in the repository.
//
// A file has the name of what it shows and ends in ".hex". '#' begins a comment; the rest is hexadecimal.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace lekt::fuzz {

struct Seed {
  std::string name;
  Bytes bytes;
};

/// All seeds in a directory, by name. Throws std::runtime_error for one that is not hexadecimal.
std::vector<Seed> read_corpus(const std::filesystem::path& directory);

}  // namespace lekt::fuzz

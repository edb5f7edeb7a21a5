// The seed corpus: readable files of hexadecimal, so that no binary file is in the repository.
//
// corpus/ has a directory for each fuzzer, of seeds that somebody wrote: a file has the name of what it shows
// and ends in ".hex". '#' begins a comment; the rest is hexadecimal. found/ has a file for each fuzzer, of
// inputs that long searches have kept because they reach further: one a line.
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

/// The inputs of a file, one a line; none when there is no such file. Throws like read_corpus().
std::vector<Seed> read_found(const std::filesystem::path& path);

}  // namespace lekt::fuzz

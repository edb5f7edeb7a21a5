// Where the repository and the programs of this build are.
//
// Only paths.cc is compiled with these paths. Every other file of the tests is the same in each checkout, so that what a
// compiler's cache has of one checkout serves the others.
#pragma once

#include <string>
#include <string_view>

namespace lekt::test {

/// The absolute path of a file of the repository, for example "docs/errors.md".
std::string source_file(std::string_view name);

/// The absolute path of a program of this build, for example "lektd".
std::string program_file(std::string_view name);

}  // namespace lekt::test

#include "tests/support/paths.h"

namespace lekt::test {

std::string source_file(std::string_view name) { return std::string(LEKT_SOURCE_DIR "/").append(name); }

std::string program_file(std::string_view name) { return std::string(LEKT_PROGRAM_DIR "/").append(name); }

}  // namespace lekt::test

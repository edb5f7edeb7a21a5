// What libFuzzer calls. The build chooses the fuzzer by its name.
#include <cstdint>

#include "tests/fuzz/fuzzers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lekt::fuzz::LEKT_FUZZER(lekt::ByteView(reinterpret_cast<const char*>(data), size));
  return 0;
}

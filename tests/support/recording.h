// Conversations of earlier releases, byte for byte (tests/client/fixtures/record).
#pragma once

#include <string>
#include <vector>

#include "common/bytes.h"

namespace lekt::test {

/// What one side has said before the other one spoke.
struct Turn {
  bool by_client = false;
  Bytes bytes;
};

/// The turns of tests/client/fixtures/NAME.txt, in order. Throws if there are none.
std::vector<Turn> recording(const std::string& name);

}  // namespace lekt::test

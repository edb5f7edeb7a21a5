// The table of everything that a client can get wrong: each field of each of its packets, in each phase, with
// the words in which the server has to refuse it; and the values next to these that it has to accept.
//
// The bytes are made by hand, not by the codec under test. The catalogue is example_catalogue(). One table
// for two drivers: a session without I/O, and a real server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace lekt::test {

/// Valid bytes that bring a client to a phase. The server answers them with an accept (unless there are none)
/// and with requests for these indices.
struct Way {
  std::string phase;
  Bytes bytes;
  std::vector<std::uint32_t> requests;
};

struct Input {
  std::string name;
  const Way* way;
  Bytes bytes;  ///< in one piece, behind those of the way
  /// Timestamps of the heartbeats that are answered before the refusal, or before the rest.
  std::vector<std::int64_t> answers = {};
  std::string refusal = {};  ///< begins with the code; empty if the bytes are right
  Bytes rest = {};           ///< of right bytes: what is missing to the heartbeat phase
};

const std::vector<Input>& wrong_inputs();
const std::vector<Input>& right_inputs();

}  // namespace lekt::test

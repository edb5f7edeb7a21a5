#include <algorithm>

#include "common/annotate.h"
#include "common/printable.h"
#include "common/text.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/round_trip.h"

namespace lekt::fuzz {

namespace {

bool is_harmless(std::string_view text) {
  std::string line(text);
  std::erase(line, '\n');
  return is_plain_text(line) && (text.empty() || text.back() == '\n');
}

}  // namespace

void fuzz_annotate(ByteView input) {
  for (const Direction direction : {Direction::detect, Direction::to_server, Direction::to_client}) {
    const Annotation annotation = annotate(input, direction, test::example_catalogue());
    require(is_harmless(annotation.text), "only printable lines come out");
    require(annotation.direction != Direction::detect, "a direction is chosen");
    require(input.empty() || !annotation.text.empty(), "something is said of every input");
    if (annotation.complete)
      require(annotation.packets * 8 <= input.size(), "a packet has at least its header");
  }
  static_cast<void>(parse_hex(input));  // the other form of input
}

}  // namespace lekt::fuzz

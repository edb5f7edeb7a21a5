#include "tests/fuzz/fuzzers.h"
#include "tests/support/screens.h"

namespace lekt::fuzz {

void fuzz_screen_items(ByteView input) {
  if (input.size() < 2) return;
  Screen screen(1 + static_cast<std::uint8_t>(input[0]) % 4, 1 + static_cast<std::uint8_t>(input[1]) % 16);
  // Wide characters everywhere, so that whatever is drawn meets halves of them.
  for (std::size_t row = 0; row < screen.rows(); ++row)
    for (std::size_t column = 0; column < screen.columns(); column += 2)
      screen.put(row, column, U'漢', test::reverse);
  const Screen before = screen;
  const Screen::Applied applied = screen.apply(input.substr(2));
  require(test::flaw_of(screen).empty(), "a screen keeps its promises whatever is applied");
  if (applied.fault) {
    require(!applied.fault->empty(), "what is refused has a reason");
    require(!applied.rings && screen == before, "nothing is applied of a message with a fault");
    return;
  }
  Screen again = screen;
  again.apply(input.substr(2));
  require(again == screen, "a message that is applied twice does nothing the second time");
}

}  // namespace lekt::fuzz

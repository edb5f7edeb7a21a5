#include <algorithm>

#include "common/device_packets.h"
#include "devices/terminal.h"
#include "tests/fuzz/byte_program.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/screens.h"

namespace lekt::fuzz {

namespace {

/// What a byte means; any other says how many of the bytes that follow, less `terminal_operations`, the host writes.
enum class TerminalOperation : std::uint8_t { resize, type, reset };
constexpr std::uint8_t terminal_operations = 3;

/// A host, and a user.
class TerminalProgram {
 public:
  explicit TerminalProgram(ByteView input) : program_(input) {}

  void run() {
    while (!program_.is_over()) {
      const std::uint8_t byte = program_.byte();
      if (byte < terminal_operations)
        perform(static_cast<TerminalOperation>(byte));
      else
        write(program_.bytes(byte - terminal_operations));
      check();
    }
    perform(TerminalOperation::reset);
    write("x");
    check();
    require(screen_.row(0)[0].character == U'x', "a terminal works after a reset");
  }

 private:
  void perform(TerminalOperation operation) {
    switch (operation) {
      case TerminalOperation::resize:
        rows_ = 1 + program_.byte() % limits::screen_rows_max;
        columns_ = 1 + program_.byte() % limits::screen_columns_max;
        whole_.resize(rows_, columns_);
        cut_.resize(rows_, columns_);
        return;
      case TerminalOperation::type: {
        const ByteView items = program_.bytes();
        whole_.type(items);
        cut_.type(items);
        said_by_whole_.clear();
        said_by_cut_.clear();
        return;
      }
      case TerminalOperation::reset:
        // CAN ends what a host has begun.
        write(
            "\x18\x1b"
            "c");
    }
  }

  void write(ByteView bytes) {
    whole_.write(bytes);
    for (const char& byte : bytes) cut_.write({&byte, 1});
    // A question may have begun before.
    require(said_by_whole_.size() <= Terminal::answers_max * (bytes.size() + 2),
            "no host gets many more bytes than it writes");
    require(said_by_whole_ == said_by_cut_, "answers do not depend on how the bytes come");
    said_by_whole_.clear();
    said_by_cut_.clear();
  }

  void check() {
    whole_.draw(screen_);
    Screen screen_of_cut(1, 1);
    cut_.draw(screen_of_cut);
    require(test::flaw_of(screen_).empty(), "a screen keeps its promises whatever is written");
    require(screen_.rows() == rows_ && screen_.columns() == columns_, "a host does not change the size");
    require(screen_ == screen_of_cut, "the screen does not depend on how the bytes come");
    require(whole_.take_bell() == cut_.take_bell(), "the bell does not depend on how the bytes come");
  }

  ByteProgram program_;
  std::size_t rows_ = 4;
  std::size_t columns_ = 9;
  Bytes said_by_whole_;
  Bytes said_by_cut_;
  Screen screen_{1, 1};
  Terminal whole_{"screen-256color", rows_, columns_, [this](ByteView bytes) { said_by_whole_ += bytes; }};
  Terminal cut_{"screen-256color", rows_, columns_, [this](ByteView bytes) { said_by_cut_ += bytes; }};
};

}  // namespace

void fuzz_terminal(ByteView input) { TerminalProgram(input).run(); }

}  // namespace lekt::fuzz

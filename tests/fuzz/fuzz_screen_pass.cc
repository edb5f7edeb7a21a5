#include "common/screen_pass.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/screens.h"

namespace lekt::fuzz {

namespace {

/// What a byte means; any other says how many of the bytes that follow, less `pass_operations`, are items of the contents.
enum class PassOperation : std::uint8_t {
  send,      ///< one message, whatever is acknowledged
  send_all,  ///< to the end of the pass
  ring,
  forget,  ///< and the device too
};
constexpr std::uint8_t pass_operations = 4;
/// So that no run takes long: a pass of the largest screen has 213.
constexpr int messages_max = 2'000;

/// A server whose host does what the bytes say, and a device.
class PassProgram {
 public:
  explicit PassProgram(ByteView input) : input_(input) {}

  void run() {
    while (!input_.empty() && messages_ < messages_max) {
      const auto byte = static_cast<std::uint8_t>(input_.front());
      input_.remove_prefix(1);
      if (byte < pass_operations)
        perform(static_cast<PassOperation>(byte));
      else
        change(byte - pass_operations);
    }
    pass_.contents_changed();
    while (send()) continue;
    pass_.contents_changed();
    while (send()) continue;
    require(device_ == contents_, "in the end the device shows the contents");
    pass_.contents_changed();
    require(!send(), "nothing is sent that the device shows already");
  }

 private:
  void change(std::size_t size) {
    contents_.apply(input_.substr(0, size));
    input_.remove_prefix(std::min(size, input_.size()));
    pass_.contents_changed();
  }

  void perform(PassOperation operation) {
    switch (operation) {
      case PassOperation::send:
        send();
        return;
      case PassOperation::send_all:
        while (send() && pass_.is_under_way()) continue;
        return;
      case PassOperation::ring:
        pass_.ring();
        return;
      case PassOperation::forget:
        pass_.forget();
        device_ = Screen(2, 3);
    }
  }

  bool send() {
    now_ += ScreenPass::interval;
    Bytes items;
    if (!pass_.next_message(contents_, now_, true, items)) return false;
    ++messages_;
    require(!items.empty() && items.size() <= ScreenPass::items_bytes_max, "a message fits a datagram");
    require(!device_.apply(items).fault, "a message has no fault");
    require(test::flaw_of(device_).empty(), "a screen keeps its promises whatever is applied");
    require(pass_.shown() == device_, "the server knows what the device shows");
    return true;
  }

  ByteView input_;
  Screen contents_{4, 9};
  Screen device_{1, 1};
  ScreenPass pass_;
  ScreenPass::Time now_{0};
  int messages_ = 0;
};

}  // namespace

void fuzz_screen_pass(ByteView input) { PassProgram(input).run(); }

}  // namespace lekt::fuzz

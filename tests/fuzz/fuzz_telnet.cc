#include <string_view>
#include <utility>

#include "devices/telnet_dialogue.h"
#include "tests/fuzz/byte_program.h"
#include "tests/fuzz/fuzzers.h"

namespace lekt::fuzz {

namespace {

using namespace std::string_view_literals;

/// What a byte means, modulo the number of these.
enum class TelnetOperation : std::uint8_t {
  host_sends,  ///< bytes behind their length
  user_types,  ///< likewise
  resize,      ///< rows and columns, u8
};
constexpr std::uint8_t telnet_operations = 3;
/// DO NAWS, 3 bytes, gets WILL NAWS and at most 13 bytes with the size.
constexpr std::size_t answer_factor = 6;

/// A host that takes what it is sent apart, and breaks the fuzzer's promise for what none would understand.
class TelnetHost {
 public:
  void take(ByteView stream) {
    while (!stream.empty()) {
      const char byte = stream.front();
      if (byte != iac || stream.substr(1, 1) == "\xff"sv) {
        take_text(byte);
        stream.remove_prefix(byte == iac ? 2 : 1);
      } else {
        require(!awaits_end_of_cr_, "no command is between CR and what ends it");
        stream.remove_prefix(size_of_command(stream));
      }
    }
  }

  /// What the user has typed.
  const Bytes& text() const { return text_; }

 private:
  static constexpr char iac = '\xff';

  void take_text(char byte) {
    if (std::exchange(awaits_end_of_cr_, false)) {
      require(byte == '\0' || byte == '\n', "CR is followed by NUL or LF");
      if (byte == '\0') return;
    }
    text_ += byte;
    awaits_end_of_cr_ = byte == '\r' && !is_binary_;
  }

  std::size_t size_of_command(ByteView stream) {
    require(stream.size() >= 3, "a command is sent whole");
    const char option = stream[2];
    switch (stream[1]) {
      case '\xfb':
        require("\x00\x03\x18\x1f"sv.find(option) != ByteView::npos, "this side has only its options");
        if (option == 0) is_binary_ = true;
        return 3;
      case '\xfd':
        require("\x00\x01\x03"sv.find(option) != ByteView::npos, "the host is allowed only its options");
        return 3;
      case '\xfc':
        if (option == 0) is_binary_ = false;
        return 3;
      case '\xfe':
        return 3;
      default:
        return size_of_subnegotiation(stream);
    }
  }

  static std::size_t size_of_subnegotiation(ByteView stream) {
    constexpr ByteView type = "\xff\xfa\x18\x00vt220\xff\xf0"sv;
    if (stream.starts_with(type)) return type.size();
    require(stream.starts_with("\xff\xfa\x1f"sv), "nothing is said but the type and the size");
    std::size_t size = 3;
    for (int number = 0; number < 4; ++number) size += stream.substr(size, 2) == "\xff\xff"sv ? 2 : 1;
    require(stream.substr(size, 2) == "\xff\xf0"sv, "a size has four bytes, doubled if they are 255");
    return size + 2;
  }

  Bytes text_;
  bool is_binary_ = false;  ///< what it is sent
  bool awaits_end_of_cr_ = false;
};

class TelnetEnd final : public TelnetDialogue::Outside {
 public:
  void text_of_host(ByteView bytes) override {
    require(!bytes.empty() && !dialogue.fault(), "text is handed on while the host can be followed");
    text += bytes;
  }
  void send_to_host(ByteView bytes) override {
    require(!dialogue.fault(), "nothing is sent after a fault");
    sent += bytes;
    host.take(bytes);
  }

  TelnetDialogue dialogue{"vt220", 24, 80, *this};
  TelnetHost host;
  Bytes text;
  Bytes sent;
};

/// Two sides that are told the same, of which one gets the host's bytes one by one.
class TelnetProgram {
 public:
  explicit TelnetProgram(ByteView input) : program_(input) {}

  void run() {
    while (!program_.is_over()) {
      step();
      require(whole_.text == cut_.text && whole_.sent == cut_.sent, "it does not matter how bytes are cut");
      require(whole_.dialogue.fault().has_value() == cut_.dialogue.fault().has_value(), "nor for a fault");
      require(whole_.host.text() == typed_, "the host understands what was typed");
    }
  }

 private:
  void step() {
    switch (static_cast<TelnetOperation>(program_.byte() % telnet_operations)) {
      case TelnetOperation::host_sends:
        return receive(program_.bytes());
      case TelnetOperation::user_types:
        return type(program_.bytes());
      case TelnetOperation::resize: {
        const std::size_t rows = program_.byte(), columns = program_.byte();
        whole_.dialogue.resize(rows, columns);
        cut_.dialogue.resize(rows, columns);
      }
    }
  }

  void receive(ByteView bytes) {
    const std::size_t before = whole_.sent.size();
    whole_.dialogue.receive(bytes);
    for (const char& byte : bytes) cut_.dialogue.receive({&byte, 1});
    received_ += bytes.size();
    answered_ += whole_.sent.size() - before;
    require(answered_ <= answer_factor * received_, "answers are bounded by what the host sends");
  }

  void type(ByteView text) {
    if (!whole_.dialogue.fault()) typed_ += text;
    whole_.dialogue.send(text);
    cut_.dialogue.send(text);
  }

  ByteProgram program_;
  TelnetEnd whole_;
  TelnetEnd cut_;
  Bytes typed_;
  std::size_t received_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace

void fuzz_telnet(ByteView input) { TelnetProgram(input).run(); }

}  // namespace lekt::fuzz

#include "server/operators/settings_file.h"
#include "tests/fuzz/fuzzers.h"

namespace lekt::fuzz {

namespace {

void expect_in_file(std::uint32_t line, std::uint32_t column, ByteView input) {
  require(line > 0 && column > 0, "a place begins with 1");
  require(line <= input.size() + 1 && column <= input.size() + 1, "a place is in the file");
}

}  // namespace

void fuzz_settings_file(ByteView input) {
  std::vector<FileSetting> settings;
  try {
    settings = parse_settings(input, "f");
  } catch (const WrongSetting& wrong) {
    const std::string_view message = wrong.what();
    require(message.starts_with("f:"), "what is refused has its place");
    for (const char c : message)
      require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a message cannot control a terminal");
    return;
  }
  for (const FileSetting& setting : settings) {
    expect_in_file(setting.line, setting.column, input);
    expect_in_file(setting.value.line, setting.value.column, input);
    require(setting.value.kind != FileValue::Kind::table, "a table is refused");
    require(setting.value.kind == FileValue::Kind::list || setting.value.elements.empty(),
            "only a list has elements");
    require(setting.value.text.find('\0') == std::string::npos, "no value ends before its end");
  }
}

}  // namespace lekt::fuzz

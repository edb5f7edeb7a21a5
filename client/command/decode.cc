// `lekt decode`: packets with the meaning of every byte.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/output.h"
#include "common/annotate.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

constexpr const char* decode_help = R"(Prints packets with the meaning of their bytes.

The bytes are one direction of a conversation and begin at the start of a packet. They come from FILE or standard
input, as they are or as hexadecimal digits with white space or ':' between the bytes. For example:

  echo 4c454b54 48000000 00000001 00000001 | lekt decode
  printf 'LEKTH\0\0\0\0\0\0\0' | timeout 1 nc 127.0.0.1 7890 | lekt decode --from server)";

constexpr const char* decode_footer = R"(
Exit codes: 0 all bytes were understood; 1 something is wrong or missing, and the last line says what; 2 wrong
usage, or nothing could be read.)";

/// Many hours of heartbeats, and little enough to print.
constexpr std::size_t input_bytes_max = 16 * 1024 * 1024;

struct DecodeOptions {
  std::string file;
  bool hex = false;
  bool raw = false;
  Direction direction = Direction::detect;
  MethodCatalogue catalogue;
};

[[noreturn]] void fail_to_read(const std::string& file, const std::string& reason) {
  throw CodedError(
      ErrorCode::usage_wrong,
      "cannot read " + (file.empty() ? "standard input" : quote_if_needed(file)) + ": " + reason);
}

Bytes read_input(const std::string& file) {
  const auto close = [](std::FILE* stream) {
    if (stream != stdin) std::fclose(stream);
  };
  const std::unique_ptr<std::FILE, decltype(close)> input(file.empty() ? stdin
                                                                       : std::fopen(file.c_str(), "rb"));
  if (input == nullptr) fail_to_read(file, std::strerror(errno));
  Bytes bytes;
  std::array<char, 64 * 1024> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), input.get())) {
    bytes.append(buffer.data(), size);
    if (bytes.size() > input_bytes_max)
      fail_to_read(file, "it has more than " + std::to_string(input_bytes_max) + " bytes, which are allowed");
  }
  if (std::ferror(input.get()) != 0) fail_to_read(file, std::strerror(errno));
  return bytes;
}

/// No packet is made of hexadecimal digits alone: it has an 'L'.
Bytes interpret(Bytes input, const DecodeOptions& options) {
  if (options.raw) return input;
  auto parsed = parse_hex(input);
  if (parsed) return *std::move(parsed);
  if (options.hex)
    throw CodedError(ErrorCode::usage_wrong,
                     "the input is not hexadecimal; digits, two a byte, white space and ':' are allowed");
  return input;
}

int run_decode(const DecodeOptions& options) {
  const Bytes bytes = interpret(read_input(options.file), options);
  if (bytes.empty()) fail_to_read(options.file, "it has no bytes");
  const Annotation annotation = annotate(bytes, options.direction, options.catalogue);
  print(annotation.text);
  return annotation.complete ? exit_done : exit_failed;
}

}  // namespace

Run add_decode(CLI::App& app) {
  const auto options = std::make_shared<DecodeOptions>();
  app.description(decode_help);
  app.footer(decode_footer);
  app.add_option("FILE", options->file, "The file to read (default: standard input)");
  const auto hex = app.add_flag("--hex", options->hex, "The input is hexadecimal (default: if it looks so)");
  app.add_flag("--raw", options->raw, "The input is the bytes themselves")->excludes(hex);
  add_choice(
      app, "--from", "Who sent the bytes (auto: whose packets they look like)", options->direction,
      {{"auto", Direction::detect}, {"client", Direction::to_server}, {"server", Direction::to_client}});
  add_catalogue(app, options->catalogue);
  return [options] { return run_decode(*options); };
}

}  // namespace lekt::command

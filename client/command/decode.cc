// `lekt decode`: packets with the meaning of every byte.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "client/command/arguments.h"
#include "client/command/capture_file.h"
#include "client/command/commands.h"
#include "client/command/output.h"
#include "client/command/tcp_streams.h"
#include "common/annotate.h"
#include "common/annotate_datagram.h"
#include "common/errors.h"
#include "common/packets.h"
#include "common/text.h"

namespace lekt::command {

namespace {

constexpr const char* decode_help = R"(Prints packets with the meaning of their bytes.

The bytes come from FILE, or from standard input if it is - or missing:
  one direction of a conversation that begins at the start of a packet, as it is or as hexadecimal digits with white
  space or ':' between the bytes;
  or what was captured of a network: a pcap file (tcpdump -w, Wireshark), or its frames in hexadecimal with an offset
  in each line, as text2pcap reads them. Both directions of each conversation that is LEKT are printed;
  or, with --datagram, datagrams of the device protocol in hexadecimal, one a line.

  echo 4c454b54 48000000 00000001 00000001 | lekt decode
  printf 'LEKTH\0\0\0\0\0\0\0' | timeout 1 nc 127.0.0.1 7890 | lekt decode --from server
  tcpdump -w - port 7890 | lekt decode -
  echo 4c454b54 4e000000 01234567 89abcdef 00000000 00000004 | lekt decode --datagram)";

constexpr const char* decode_footer = R"(
Exit codes: 0 all bytes were understood; 1 something is wrong or missing, and a line says what; 2 wrong usage, or
nothing could be read.)";

/// The largest input: enough for many hours of heartbeats, and little enough to print.
constexpr std::size_t input_bytes_max = 16 * 1024 * 1024;

constexpr std::string_view hexadecimal_allowed = "digits, two a byte, white space and ':' are allowed";

struct DecodeOptions {
  std::string file;
  bool hex = false;
  bool raw = false;
  bool datagrams = false;
  Direction direction = Direction::detect;
  MethodCatalogue catalogue;
};

bool is_standard_input(const std::string& file) { return file.empty() || file == "-"; }

[[noreturn]] void fail_to_read(const std::string& file, const std::string& reason) {
  throw CodedError(
      ErrorCode::usage_wrong,
      "cannot read " + (is_standard_input(file) ? "standard input" : quote_if_needed(file)) + ": " + reason);
}

Bytes read_input(const std::string& file) {
  const auto close = [](std::FILE* stream) {
    if (stream != stdin) std::fclose(stream);
  };
  const std::unique_ptr<std::FILE, decltype(close)> input(
      is_standard_input(file) ? stdin : std::fopen(file.c_str(), "rb"));
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

/// Turns hexadecimal input into its bytes. No packet can be mistaken for hexadecimal, since each has an 'L'.
Bytes interpret(Bytes input, const DecodeOptions& options) {
  if (options.raw) return input;
  auto parsed = parse_hex(input);
  if (parsed) return *std::move(parsed);
  if (options.hex)
    throw CodedError(ErrorCode::usage_wrong,
                     "the input is not hexadecimal; " + std::string(hexadecimal_allowed));
  return input;
}

/// The frames of the input, if it is a capture.
std::optional<Frames> frames_of(ByteView input, const DecodeOptions& options) {
  if (options.raw) return std::nullopt;
  if (!options.hex)
    if (auto frames = read_pcap(input)) return frames;
  return read_dump(input);
}

/// Whether the stream is LEKT: one that was captured from its middle on is, if a packet seems to begin anywhere.
bool is_lekt(const TcpStream& stream) {
  const std::size_t place = stream.bytes.find(packet_begins);
  return place == 0 || (place != stream.bytes.npos && !stream.from_start);
}

bool is_tls(const TcpStream& stream) { return stream.bytes.starts_with("\x16\x03"); }

/// Prints one direction of a conversation; returns whether all of it was understood.
bool print_stream(const TcpStream& stream, const std::string& to, Direction direction,
                  const DecodeOptions& options) {
  if (stream.bytes.empty() && stream.gap == 0) return true;
  print("\n" + stream.from + " to " + to + "\n");
  ByteView bytes = stream.bytes;
  // A capture that begins in the middle starts with the rest of a packet, whose beginning is unknown.
  const std::size_t begin = stream.from_start ? 0 : std::min(bytes.find(packet_begins), bytes.size());
  if (begin > 0)
    print("The capture begins in the middle; " + std::to_string(begin) +
          " bytes before a packet are left out.\n");
  bytes.remove_prefix(begin);
  bool understood = true;
  if (!bytes.empty()) {
    const Annotation annotation = annotate(bytes, direction, options.catalogue);
    print(annotation.text);
    understood = annotation.complete;
  }
  if (stream.gap == 0) return understood;
  print(std::to_string(stream.gap) + " bytes are missing here in the capture; " +
        std::to_string(stream.behind_gap) + " bytes behind them are left out.\n");
  return false;
}

/// Prints all conversations that are LEKT; returns whether all of them were understood.
bool print_capture(const Frames& frames, const DecodeOptions& options) {
  const TcpStreams streams = tcp_streams(frames);
  std::size_t shown = 0;
  std::size_t of_tls = 0;
  bool understood = true;
  for (const TcpConnection& connection : streams.connections) {
    const auto& [first, second, client_known] = connection;
    of_tls += is_tls(first) || is_tls(second) ? 1 : 0;
    if (!is_lekt(first) && !is_lekt(second)) continue;
    print((shown == 0 ? "" : "\n") + std::string("Conversation ") + std::to_string(shown + 1) + "\n");
    ++shown;
    const auto known = [&](Direction direction) { return client_known ? direction : options.direction; };
    understood &= print_stream(first, second.from, known(Direction::to_server), options);
    understood &= print_stream(second, first.from, known(Direction::to_client), options);
  }
  if (shown == 0) {
    if (streams.connections.empty()) fail_to_read(options.file, "no TCP connection was captured in it");
    const std::string tls =
        of_tls == 0 ? "" : "; " + std::to_string(of_tls) + " speak TLS, which cannot be read";
    fail_to_read(options.file, "none of the " + std::to_string(streams.connections.size()) +
                                   " TCP connections in it begins with a packet of LEKT" + tls);
  }
  if (frames.cut_off) print("\nThe file ends in the middle of a frame.\n");
  return understood && !frames.cut_off;
}

/// The datagrams of the input, one a line. An empty line is no datagram.
std::vector<Bytes> datagrams_of(ByteView input) {
  std::vector<Bytes> datagrams;
  for (std::size_t line = 1; !input.empty(); ++line) {
    const ByteView digits = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(digits.size() + 1, input.size()));
    auto datagram = parse_hex(digits);
    if (!datagram)
      throw CodedError(ErrorCode::usage_wrong, "line " + std::to_string(line) + " is not hexadecimal; " +
                                                   std::string(hexadecimal_allowed));
    if (!datagram->empty()) datagrams.push_back(*std::move(datagram));
  }
  return datagrams;
}

/// Prints datagrams; returns whether all of them were understood.
bool print_datagrams(const std::vector<Bytes>& datagrams, Direction direction) {
  bool understood = true;
  std::size_t index = 0;
  for (const Bytes& datagram : datagrams) {
    const DatagramAnnotation annotation = annotate_datagram(datagram, direction, ++index);
    print(annotation.text);
    understood &= annotation.complete;
  }
  return understood;
}

int run_decode(const DecodeOptions& options) try {
  Bytes input = read_input(options.file);
  if (options.datagrams) {
    const auto datagrams = datagrams_of(input);
    if (datagrams.empty()) fail_to_read(options.file, "it has no datagram");
    return print_datagrams(datagrams, options.direction) ? exit_done : exit_failed;
  }
  if (const auto frames = frames_of(input, options))
    return print_capture(*frames, options) ? exit_done : exit_failed;
  const Bytes bytes = interpret(std::move(input), options);
  if (bytes.empty()) fail_to_read(options.file, "it has no bytes");
  const Annotation annotation = annotate(bytes, options.direction, options.catalogue);
  print(annotation.text);
  return annotation.complete ? exit_done : exit_failed;
} catch (const CaptureError& error) {
  fail_to_read(options.file, error.what());
}

}  // namespace

Run add_decode(CLI::App& app) {
  const auto options = std::make_shared<DecodeOptions>();
  app.description(decode_help);
  app.footer(decode_footer);
  app.add_option("FILE", options->file, "The file to read; - is standard input, which is the default");
  const auto hex = app.add_flag("--hex", options->hex, "The input is hexadecimal (default: if it looks so)");
  const auto raw = app.add_flag("--raw", options->raw, "The input is the bytes themselves")->excludes(hex);
  app.add_flag("--datagram", options->datagrams,
               "Each line is a datagram of the device protocol, in hexadecimal (docs/device-protocol.md)")
      ->excludes(raw);
  add_choice(
      app, "--from", "Who sent the bytes (auto: whose packets they look like); a device is a client",
      options->direction,
      {{"auto", Direction::detect}, {"client", Direction::to_server}, {"server", Direction::to_client}});
  add_catalogue(app, options->catalogue);
  return [options] { return run_decode(*options); };
}

}  // namespace lekt::command

// The list of fuzzers. Each is a plain function of any bytes: it returns when the code under test kept its
// promises, and throws BrokenPromise when it did not.
//
// libfuzzer_main.cc runs one of them under libFuzzer; fuzz_smoke_test.cc runs all of them in the normal
// suite, on the seed corpus and on random changes of it.
#pragma once

#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace lekt::fuzz {

struct BrokenPromise : std::logic_error {
  using std::logic_error::logic_error;
};

/// Throws unless `kept`.
inline void require(bool kept, const char* promise) {
  if (!kept) throw BrokenPromise(promise);
}

/// One packet: byte 0 chooses form and context, the rest is the packet. What is read is written back the
/// same.
void fuzz_codec(ByteView input);

/// What `lekt decode` does: no input makes it throw, or print what could control a terminal.
void fuzz_annotate(ByteView input);

/// One datagram of a device session, in both directions. What is read is written back the same, and is explained; what
/// is not has a reason; nothing is printed that could control a terminal.
void fuzz_datagram(ByteView input);

/// A client's bytes into the server's session: byte 0 chooses chunks and decisions, the rest is the stream.
/// The answers are packets of the protocol, and do not depend on the chunks.
void fuzz_session(ByteView input);

/// A server's bytes into the client's conversation: byte 0 chooses chunks, the rest is the stream. Events,
/// requests and list do not depend on the chunks.
void fuzz_conversation(ByteView input);

/// What a trusted proxy sends before LEKT. The header is the same however its bytes come, and none is asked
/// for that is not its own.
void fuzz_proxy_header(ByteView input);

/// Several clients and a worker with real sockets: the bytes say what clients, writer, operators and the
/// clock do. Nothing is used after its end, no limit is passed by, and everything is given back.
void fuzz_worker(ByteView input);

/// A settings' file. What is refused has its place, and what is taken is what a setting can be.
void fuzz_settings_file(ByteView input);

/// Devices and strangers at the desk, as the bytes say. Nobody is amplified, every answer is a datagram that breaks no rule,
/// no invariant is broken, and when nobody says anything more everything is over some day.
void fuzz_device_desk(ByteView input);

/// A device, and a server that does anything. What the device sends is right and bounded, and it always has something to
/// do until it has a session.
void fuzz_device_link(ByteView input);

/// What a device says of itself: read within its limits, told to other programs without a value that could begin another,
/// and one line of the handler log whatever it contains.
void fuzz_device_string(ByteView input);

/// Lines that are device groups and hosts, the last one also a type. What is taken is written as the same, and the group
/// that a device gets fits it and is the closest.
void fuzz_device_groups(ByteView input);

/// Both sides of DTLS, and a network that loses, repeats, changes and forges: byte 0 chooses whether the server asks for a
/// certificate. Nothing is received that was not sent, an open session does nothing about what is forged, a handshake ends
/// and sends a bounded number of bytes.
void fuzz_dtls(ByteView input);

/// Items of a screen that is full of wide characters: bytes 0 and 1 choose its size. Nothing leaves the grid or halves a
/// character, and a message with a fault does nothing.
void fuzz_screen_items(ByteView input);

/// A host that draws, and passes that bring it to a device: the bytes say what is drawn, and when a message is made. The
/// device shows what the server thinks it does, and in the end what the host has drawn.
void fuzz_screen_pass(ByteView input);

/// A host that writes anything on a terminal whose size changes, and a user who types. What is seen, answered and heard does
/// not depend on how the bytes come; nobody is amplified; and after a reset the terminal is as new.
void fuzz_terminal(ByteView input);

/// A telnet host, what a user types and sizes of the screen, as the bytes say. The host understands what was typed, answers
/// are bounded by what it sends, and it does not matter how its bytes are cut.
void fuzz_telnet(ByteView input);

/// A session with hosts, a user and a host that does anything, as the bytes say. The screen has the device's size and changes only
/// when that is told, what is typed reaches the host in order, and a user always finds the way to a host.
void fuzz_workplace(ByteView input);

struct Fuzzer {
  std::string_view name;
  void (*run)(ByteView input);
  int changes = 4000;  ///< random ones that the smoke test tries

  /// How GoogleTest names it.
  friend void PrintTo(const Fuzzer& fuzzer, std::ostream* out) { *out << fuzzer.name; }
};

inline constexpr Fuzzer fuzzers[] = {
    {"fuzz_codec", fuzz_codec},
    {"fuzz_annotate", fuzz_annotate},
    {"fuzz_datagram", fuzz_datagram},
    {"fuzz_session", fuzz_session},
    {"fuzz_conversation", fuzz_conversation},
    {"fuzz_proxy_header", fuzz_proxy_header},
    {"fuzz_worker", fuzz_worker, 1000},
    {"fuzz_settings_file", fuzz_settings_file},
    {"fuzz_device_desk", fuzz_device_desk},
    {"fuzz_device_link", fuzz_device_link},
    {"fuzz_device_string", fuzz_device_string},
    {"fuzz_device_groups", fuzz_device_groups},
    {"fuzz_dtls", fuzz_dtls, 2000},
    {"fuzz_screen_items", fuzz_screen_items},
    {"fuzz_screen_pass", fuzz_screen_pass, 2000},
    {"fuzz_terminal", fuzz_terminal, 1000},
    {"fuzz_telnet", fuzz_telnet},
    {"fuzz_workplace", fuzz_workplace, 2000},
};

}  // namespace lekt::fuzz

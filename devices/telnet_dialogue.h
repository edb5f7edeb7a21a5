// A conversation with a telnet host (RFC 854), over libtelnet: options are answered, and text goes both ways without them.
//
// This side has the options TTYPE (RFC 1091), NAWS (RFC 1073), BINARY (RFC 856) and SGA (RFC 858), and lets the host
// have ECHO (RFC 857), SGA and BINARY; all others are refused. A host that compresses without being asked cannot be
// followed (E917), nor one whose subnegotiation does not end.
//
// As long as a direction is not BINARY, a CR that is no part of CR LF is CR NUL on the wire, and CR on this side.
//
// What is answered is bounded by what was received: a command of 3 bytes gets 3, and 13 more if it asks for sizes; a
// question of 6 bytes for the terminal gets its type and 6 bytes.
//
// Knows no terminal, no socket, no clock and no thread. Each connection to a host has one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/bytes.h"
#include "common/errors.h"

namespace lekt {

class TelnetDialogue {
 public:
  /// Where the two directions go. Nothing here may call the dialogue, but send().
  class Outside {
   public:
    virtual ~Outside() = default;
    /// Text of the host, for the terminal.
    virtual void text_of_host(ByteView text) = 0;
    /// Bytes for the connection as they are. No subnegotiation is cut: there are hosts that take the size for text unless all
    /// of it comes at once.
    virtual void send_to_host(ByteView bytes) = 0;
  };

  /// `term`: the type of terminal that the host is told. Says nothing before the host does. Throws std::bad_alloc.
  TelnetDialogue(std::string term, std::size_t rows, std::size_t columns, Outside& outside);
  ~TelnetDialogue();
  TelnetDialogue(const TelnetDialogue&) = delete;
  TelnetDialogue& operator=(const TelnetDialogue&) = delete;

  /// Takes bytes of the connection, cut anywhere. After a fault nothing is done with them.
  void receive(ByteView bytes);
  /// Takes text for the host: what is typed, and the terminal's answers. After a fault nothing is sent.
  void send(ByteView text);
  /// Takes another size of the screen, of which the host is told if it has asked for sizes.
  void resize(std::size_t rows, std::size_t columns);

  /// Why the host cannot be followed any more (E917); nothing while it can.
  const std::optional<Rejection>& fault() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace lekt

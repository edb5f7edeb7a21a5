// Where a reply ends: the framing of what servers answer, read piece by piece and without keeping it.
//
// A load generator must notice a wrong or refused answer, and must not cost much more than the server. So
// this checks what delimits packets, counts clients, and skips what is in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/packets.h"

namespace lekt::bench {

/// The server said something else than the benchmark is about, or nothing. Ends the run with its words.
class BenchError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ReplyForm {
  enum class Kind : std::uint8_t {
    fixed,   ///< `size` bytes
    answer,  ///< LEKT's answer to a heartbeat: packets up to the closing one
    resp,    ///< `size` values of Redis's protocol
    http,    ///< a response with Content-Length
  };
  Kind kind = Kind::fixed;
  std::size_t size = 0;
};

class ReplyReader {
 public:
  /// Begins a reply.
  void expect(const ReplyForm& form);
  /// Takes bytes from the front of `input`; true once the reply is complete. Throws BenchError.
  bool take(ByteView& input);

  /// Keeps the addresses of added clients of every answer from here on.
  void collect() { collects_ = true; }

  std::uint64_t entries() const { return entries_; }                  ///< answer: clients added and removed
  const std::vector<std::uint32_t>& added() const { return added_; }  ///< when collected
  std::int64_t timestamp() const { return timestamp_; }               ///< answer: of the closing packet

 private:
  bool take_fixed(ByteView& input);
  bool take_answer(ByteView& input);
  bool take_values(ByteView& input);
  bool take_http(ByteView& input);
  bool gather(ByteView& input, std::size_t size);
  bool gather_line(ByteView& input);
  void skip(ByteView& input);
  void begin_packet();

  ReplyForm form_;
  std::array<char, 128> head_{};  ///< a header, a line or a size that is not complete yet
  std::size_t head_size_ = 0;
  std::size_t to_skip_ = 0;
  std::size_t left_ = 0;  ///< fixed: bytes; answer: entries of the packet; resp: values
  bool in_packet_ = false;
  bool in_body_ = false;
  bool collects_ = false;
  UpdateKind kind_ = UpdateKind::added;
  std::uint64_t entries_ = 0;
  std::int64_t timestamp_ = 0;
  std::vector<std::uint32_t> added_;
};

}  // namespace lekt::bench

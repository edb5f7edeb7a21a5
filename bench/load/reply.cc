#include "bench/load/reply.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/limits.h"
#include "common/text.h"

namespace lekt::bench {

namespace {

/// The type of a LEKT packet stands behind "LEKT"; a reject's text behind its header.
constexpr std::size_t type_offset = 4;

std::int64_t number_in(std::string_view line) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc()) throw BenchError("a number was expected, and this came: " + escape(line));
  return number;
}

bool is_content_length(std::string_view line) {
  constexpr std::string_view name = "content-length:";
  return line.size() > name.size() &&
         std::ranges::equal(line.substr(0, name.size()), name, {}, [](char letter) {
           return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
         });
}

}  // namespace

void ReplyReader::expect(const ReplyForm& form) {
  form_ = form;
  head_size_ = to_skip_ = 0;
  left_ = form.size;
  in_packet_ = in_body_ = false;
  entries_ = 0;
  added_.clear();
}

bool ReplyReader::take(ByteView& input) {
  switch (form_.kind) {
    case ReplyForm::Kind::fixed:
      return take_fixed(input);
    case ReplyForm::Kind::answer:
      return take_answer(input);
    case ReplyForm::Kind::resp:
      return take_values(input);
    case ReplyForm::Kind::http:
      return take_http(input);
  }
  return false;
}

bool ReplyReader::gather(ByteView& input, std::size_t size) {
  const std::size_t taken = std::min(size - head_size_, input.size());
  std::copy_n(input.data(), taken, head_.data() + head_size_);
  input.remove_prefix(taken);
  head_size_ += taken;
  return head_size_ == size;
}

/// Gathers up to a line's end, without its "\r\n". What a line has beyond the buffer is dropped.
bool ReplyReader::gather_line(ByteView& input) {
  while (!input.empty()) {
    const char letter = input.front();
    input.remove_prefix(1);
    if (letter == '\n') return true;
    if (letter != '\r' && head_size_ < head_.size()) head_[head_size_++] = letter;
  }
  return false;
}

void ReplyReader::skip(ByteView& input) {
  const std::size_t skipped = std::min(to_skip_, input.size());
  input.remove_prefix(skipped);
  to_skip_ -= skipped;
}

bool ReplyReader::take_fixed(ByteView& input) {
  const std::size_t kept = std::min(left_, head_.size() - head_size_);
  ByteView piece = input.substr(0, std::min(left_, input.size()));
  input.remove_prefix(piece.size());
  left_ -= piece.size();
  piece = piece.substr(0, kept);
  (void)gather(piece, head_size_ + piece.size());
  const std::string_view seen(head_.data(), head_size_);
  if (seen.size() > limits::header_bytes && seen.starts_with("LEKTR"))
    throw BenchError("the server rejected: " + escape(seen.substr(limits::header_bytes)));
  return left_ == 0;
}

bool ReplyReader::take_answer(ByteView& input) {
  while (!input.empty()) {
    if (to_skip_ > 0) {
      skip(input);
    } else if (left_ > 0) {
      if (!gather(input, collects_ ? 8 : 4)) return false;
      ByteReader reader(ByteView(head_.data(), head_size_));
      to_skip_ = reader.u32() - reader.left();
      if (collects_) added_.push_back(reader.u32());
      head_size_ = 0;
      --left_;
    } else {
      if (!gather(input, limits::update_header_bytes)) return false;
      begin_packet();
      if (kind_ == UpdateKind::added && left_ == 0) return true;
    }
  }
  return false;
}

void ReplyReader::begin_packet() {
  const ByteView header(head_.data(), limits::update_header_bytes);
  if (header.substr(0, type_offset) != "LEKT" || header[type_offset] != UpdatePacket::type)
    throw BenchError("not an update packet: " + escape(header));
  ByteReader reader(header.substr(limits::header_bytes));
  timestamp_ = reader.i64();
  kind_ = static_cast<UpdateKind>(reader.u8());
  left_ = reader.u24();
  head_size_ = 0;
  entries_ += left_;
  if (kind_ == UpdateKind::added) return;
  to_skip_ = 4 * left_;
  left_ = 0;
}

/// Redis's values need no stack to be counted: an array stands for as many values as it holds.
bool ReplyReader::take_values(ByteView& input) {
  while (left_ > 0 && !input.empty()) {
    if (to_skip_ > 0) {
      skip(input);
      continue;
    }
    if (!gather_line(input)) return false;
    const std::string_view line(head_.data(), head_size_);
    head_size_ = 0;
    if (line.empty()) throw BenchError("an empty line came from Redis");
    if (line.front() == '-') throw BenchError("Redis refused: " + escape(line));
    --left_;
    if (line.front() == '*') {
      left_ += static_cast<std::size_t>(std::max<std::int64_t>(number_in(line.substr(1)), 0));
    } else if (line.front() == '$') {
      const std::int64_t size = number_in(line.substr(1));
      if (size >= 0) to_skip_ = static_cast<std::size_t>(size) + 2;
    }
  }
  skip(input);
  return left_ == 0 && to_skip_ == 0;
}

bool ReplyReader::take_http(ByteView& input) {
  while (!in_body_) {
    if (!gather_line(input)) return false;
    const std::string_view line(head_.data(), head_size_);
    head_size_ = 0;
    if (!in_packet_ && !line.starts_with("HTTP/1.1 200"))
      throw BenchError("the server refused: " + escape(line));
    in_packet_ = true;
    if (is_content_length(line)) {
      const std::size_t begin = line.find_first_of("0123456789");
      if (begin == std::string_view::npos) throw BenchError("no length in: " + escape(line));
      to_skip_ = static_cast<std::size_t>(number_in(line.substr(begin)));
    }
    in_body_ = line.empty();
  }
  skip(input);
  return to_skip_ == 0;
}

}  // namespace lekt::bench

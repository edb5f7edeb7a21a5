// Asks the machine for the addresses of a name, without making anybody wait.
//
// getaddrinfo() cannot be interrupted, and takes as long as the machine's name servers are silent. So each
// question has a thread of its own, which shares nothing with the asker but the question. An asker that no longer
// wants the answer, or is destroyed, leaves the thread behind; it ends when getaddrinfo() does. At most
// `lookups_max` such threads exist in a process.
//
// Private to the library. Used only by the thread that runs the io_context, which outlives it.
#pragma once

#include <asio.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/address.h"

namespace lekt {

/// The most threads that wait for name servers, of all clients of the process together.
inline constexpr std::size_t lookups_max = 16;

struct NameAnswer {
  std::vector<Address> addresses;  ///< in the machine's order of preference, each once
  std::string trouble;             ///< why there are none, in half a sentence; empty if there are any
  bool is_definite = true;         ///< false: name servers could not be asked, so the name may have some
};

class NameLookup {
 public:
  using Handler = std::function<void(const NameAnswer&)>;

  NameLookup(asio::io_context& context, std::string host) : context_(context), host_(std::move(host)) {}
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// Calls the handler with an answer, later and once. A question that was cancelled and is still open is
  /// resumed, so that name servers that need longer than one attempt to connect still help the next attempt.
  void ask(Handler handler);

  /// Gives the question up: the handler is destroyed and will not be called.
  void cancel();

 private:
  struct Question;
  void begin();
  static void work(const std::shared_ptr<Question>& question);
  static void answer(const std::shared_ptr<Question>& question, NameAnswer found);

  asio::io_context& context_;
  const std::string host_;
  std::shared_ptr<Question> question_;  ///< the question that was asked last; null: none
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> busy_;  ///< while one is awaited
};

}  // namespace lekt

// The operator's end of the control socket. Blocking, with deadlines; used by one thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "control/messages.h"

namespace lekt::control {

class ControlClient {
 public:
  /// Called once for each request that has no answer yet when `notice` has passed.
  using OnWait = std::function<void(const std::string& message)>;

  /// How long to wait for an answer: longer than the server waits for its own threads.
  static constexpr std::chrono::seconds patience{15};
  /// After this time a healthy server has answered, unless it was asked for something that takes long.
  static constexpr std::chrono::seconds notice{2};

  /// Connects; yields nothing when nobody listens there. Throws CodedError E801 when a server may listen and cannot be
  /// reached.
  static std::optional<ControlClient> connect(const std::filesystem::path& socket, OnWait on_wait = {});

  /// Sends a request and yields the result. Throws CodedError with the server's code and words, or E801 when no
  /// sensible answer comes in time.
  Json request(const Json& request, std::chrono::milliseconds wait = patience);

  /// Sends one of the requests of messages.h, and yields its answer. Throws like the function above.
  template <class Request>
  typename Request::Answer ask(const Request& message, std::chrono::milliseconds wait = patience) {
    return read<typename Request::Answer>(request(to_request(message), wait));
  }

  /// Reads a result, or a part of one. Throws CodedError E801 when it comes from another version.
  template <class Message>
  static Message read(const Json& result) {
    try {
      return from_json<Message>(result);
    } catch (const WrongJson&) {
      fail_to_read();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  ControlClient(std::filesystem::path socket, Descriptor descriptor, OnWait on_wait);

  [[noreturn]] static void fail_to_read();
  [[noreturn]] void fail(const std::string& why) const;
  Envelope read_answer(const std::string& line) const;
  void send(std::string_view line) const;
  std::string receive(Clock::time_point deadline);
  void await_input(Clock::time_point deadline);
  bool has_input_before(Clock::time_point end) const;

  std::filesystem::path socket_;
  Descriptor descriptor_;
  OnWait on_wait_;
  std::string server_;                        ///< "process 4711 (lektd)"
  std::optional<Clock::time_point> told_at_;  ///< when on_wait_ is to be called for the request under way
  std::string received_;                      ///< what came after the last line
};

}  // namespace lekt::control

// The operator's end of the control socket. Blocking, with deadlines; used by one thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "control/json.h"

namespace lekt::control {

class ControlClient {
 public:
  /// Longer than the server waits for its own threads.
  static constexpr std::chrono::seconds patience{15};

  /// Nothing when nobody listens there. Throws CodedError E801 when somebody may, and cannot be reached.
  static std::optional<ControlClient> connect(const std::filesystem::path& socket);

  /// The result. Throws CodedError with the server's code and words, or E801 when there is no sensible
  /// answer in time.
  Json request(const Json& request, std::chrono::milliseconds wait = patience);

 private:
  ControlClient(std::filesystem::path socket, Descriptor descriptor)
      : socket_(std::move(socket)), descriptor_(std::move(descriptor)) {}

  [[noreturn]] void fail(const std::string& why) const;
  void send(std::string_view line) const;
  std::string receive(std::chrono::steady_clock::time_point deadline);
  void await_input(std::chrono::steady_clock::time_point deadline) const;

  std::filesystem::path socket_;
  Descriptor descriptor_;
  std::string received_;  ///< behind the last line
};

}  // namespace lekt::control

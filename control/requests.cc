#include "control/requests.h"

#include <array>
#include <cstddef>
#include <functional>

#include "common/errors.h"
#include "common/text.h"
#include "control/json.h"
#include "server/tracer.h"

namespace lekt::control {

namespace {

/// A reason is a remark in a table, for operators.
constexpr std::size_t reason_bytes_max = 200;

constexpr std::size_t rejects_default = 20;

constexpr std::int64_t trace_seconds_max = Tracer::duration_max.count();

[[noreturn]] void refuse(const std::string& message) {
  throw CodedError(ErrorCode::control_refused, message);
}

[[noreturn]] void not_found(const std::string& message) { throw CodedError(ErrorCode::not_found, message); }

/// The arguments of one request. Each is taken once; what nobody has taken is refused, so a slip in the name
/// of an optional one is not passed over.
class Arguments {
 public:
  explicit Arguments(Json object) : object_(std::move(object)) {}

  std::optional<std::string> text(const char* key) {
    const Json value = take(key);
    if (value.is_null()) return std::nullopt;
    if (!value.is_string()) refuse(std::string("\"") + key + "\" must be a string");
    return value.get<std::string>();
  }

  std::optional<std::int64_t> number(const char* key, std::int64_t first, std::int64_t last) {
    const Json value = take(key);
    if (value.is_null()) return std::nullopt;
    // A number beyond 63 bits would wrap around.
    const bool fits = value.is_number_integer() && value <= last && value >= first;
    if (!fits)
      refuse(std::string("\"") + key + "\" must be a whole number from " + std::to_string(first) + " to " +
             std::to_string(last));
    return value.get<std::int64_t>();
  }

  std::optional<Cidr> optional_block() {
    const auto text_of_block = text("block");
    if (!text_of_block) return std::nullopt;
    const auto block = parse_cidr(*text_of_block);
    if (!block)
      refuse(
          "\"block\" must be an IPv4 address or a block of them without bits behind its prefix, such as "
          "10.0.0.7 or 10.0.0.0/8; it is \"" +
          escape(*text_of_block) + "\"");
    return block;
  }

  Cidr block() {
    const auto block = optional_block();
    if (!block) refuse("\"block\" is missing");
    return *block;
  }

  Ipv4Address address() {
    const auto text_of_address = text("address");
    if (!text_of_address) refuse("\"address\" is missing");
    const auto address = parse_ipv4(*text_of_address);
    if (!address)
      refuse("\"address\" must be an IPv4 address, such as 10.0.0.7; it is \"" + escape(*text_of_address) +
             "\"");
    return *address;
  }

  void expect_none_left() const {
    if (!object_.empty()) refuse("\"" + escape(object_.begin().key()) + "\" is not known to this command");
  }

 private:
  Json take(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) return nullptr;
    Json value = std::move(*found);
    object_.erase(found);
    return value;
  }

  Json object_;
};

/// What runs when all arguments have been read.
using Action = std::function<Json()>;

Action status(Arguments&, Request&, Operations& operations) {
  return [&operations] { return to_json(operations.status()); };
}

Action sessions(Arguments& arguments, Request& request, Operations& operations) {
  const Ipv4Address address = arguments.address();
  request.subject = to_string(address);
  return [=, &operations] { return to_json(operations.sessions(address)); };
}

Action rejects(Arguments& arguments, Request&, Operations& operations) {
  const auto block = arguments.optional_block();
  const auto count = arguments.number("count", 1, rejects_max).value_or(rejects_default);
  return [=, &operations] { return to_json(operations.rejects(block, static_cast<std::size_t>(count))); };
}

Action kick(Arguments& arguments, Request& request, Operations& operations) {
  const Ipv4Address address = arguments.address();
  request.subject = to_string(address);
  return [=, &operations] {
    const Operations::Kicked kicked = operations.kick(address);
    if (kicked.sessions == 0 && !kicked.was_waiting)
      not_found("no client " + to_string(address) + " is here");
    return to_json(kicked);
  };
}

Action ban(Arguments& arguments, Request& request, Operations& operations) {
  const Cidr block = arguments.block();
  const std::string reason = arguments.text("reason").value_or("");
  if (const auto wrong = problem_of_reason(reason)) refuse("\"reason\" " + *wrong);
  request.subject = block_text(block);
  return [=, &operations] { return to_json(operations.ban(block, reason)); };
}

Action unban(Arguments& arguments, Request& request, Operations& operations) {
  const Cidr block = arguments.block();
  request.subject = block_text(block);
  return [=, &operations] {
    if (!operations.unban(block)) not_found(missing_ban(block));
    return Json::object();
  };
}

Action compact(Arguments&, Request&, Operations& operations) {
  return [&operations] { return to_json(operations.compact()); };
}

Action trace(Arguments& arguments, Request& request, Operations& operations) {
  const Cidr block = arguments.block();
  const auto seconds = arguments.number("seconds", 1, trace_seconds_max);
  if (!seconds) refuse("\"seconds\" is missing");
  request.subject = block_text(block);
  return [=, &operations] { return to_json(operations.trace(block, std::chrono::seconds(*seconds))); };
}

Action untrace(Arguments& arguments, Request& request, Operations& operations) {
  const Cidr block = arguments.block();
  request.subject = block_text(block);
  return [=, &operations] {
    if (!operations.end_trace(block)) not_found("there is no trace of " + block_text(block));
    return Json::object();
  };
}

struct Command {
  std::string_view name;
  bool steers;
  Action (*read)(Arguments&, Request&, Operations&);
};

constexpr std::array commands = {
    Command{"status", false, status},   Command{"sessions", false, sessions},
    Command{"rejects", false, rejects}, Command{"kick", true, kick},
    Command{"ban", true, ban},          Command{"unban", true, unban},
    Command{"compact", true, compact},  Command{"trace", true, trace},
    Command{"untrace", true, untrace},
};

const Command& find_command(const std::string& name) {
  for (const Command& command : commands)
    if (command.name == name) return command;
  std::string known;
  for (const Command& command : commands) known += (known.empty() ? "" : ", ") + std::string(command.name);
  refuse("there is no command \"" + escape(name) + "\"; known are " + known);
}

Json execute(std::string_view line, Operations& operations, Request& request) {
  Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) refuse("a request is one JSON object on one line");
  Arguments arguments(std::move(object));
  const auto name = arguments.text("command");
  if (!name) refuse("\"command\" is missing");
  const Command& command = find_command(*name);
  const Action action = command.read(arguments, request, operations);
  arguments.expect_none_left();
  request.command = *name;
  request.steers = command.steers;
  return action();
}

/// The message of a CodedError without its code.
std::string message_of(const CodedError& error) {
  return std::string(error.what()).substr(code_text(error.code()).size() + 1);
}

std::string failure(ErrorCode code, const std::string& message) {
  return to_line({{"ok", false}, {"code", code_text(code)}, {"message", message}});
}

}  // namespace

std::optional<std::string> problem_of_reason(std::string_view reason) {
  if (reason.size() > reason_bytes_max)
    return "has " + std::to_string(reason.size()) + " bytes; at most " + std::to_string(reason_bytes_max) +
           " are allowed";
  for (const char character : reason)
    if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f)
      return "has a control character; write one line of text";
  return std::nullopt;
}

std::string missing_ban(const Cidr& block) {
  return "there is no ban of exactly " + block_text(block) + "; see `lektctl bans`";
}

Answer answer_request(std::string_view line, Operations& operations) {
  Answer answer;
  try {
    answer.line = to_line({{"ok", true}, {"result", execute(line, operations, answer.request)}});
    answer.done = true;
  } catch (const CodedError& error) {
    answer.line = failure(error.code(), message_of(error));
  } catch (const std::exception& error) {
    answer.line = failure(ErrorCode::control_refused, error.what());
  }
  return answer;
}

std::string refusal(const std::string& message) { return failure(ErrorCode::control_refused, message); }

}  // namespace lekt::control

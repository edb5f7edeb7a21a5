#include "control/requests.h"

#include <array>
#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "common/error_message.h"
#include "common/errors.h"
#include "common/printable.h"
#include "common/text.h"

namespace lekt::control {

namespace {

/// The longest reason. It is a remark in a table, for operators.
constexpr std::size_t reason_bytes_max = 200;

[[noreturn]] void refuse(const std::string& message) {
  throw CodedError(ErrorCode::control_refused, message);
}

[[noreturn]] void not_found(const std::string& message) { throw CodedError(ErrorCode::not_found, message); }

/// What runs when a request has been read.
using Action = std::function<Json()>;

Status carry_out(const AskStatus&, Operations& operations) { return operations.status(); }

Healthy carry_out(const AskHealth& asked, Operations& operations) {
  const Health health = operations.health();
  if (health.hangs) throw CodedError(health.hangs->code, health.hangs->message);
  const auto& why = health.not_ready;
  if (asked.ready && why) throw CodedError(why->code, "not ready: " + why->message);
  return {health.threads, !why};
}

Operations::Reloaded carry_out(const Reload&, Operations& operations) { return operations.reload(); }

std::vector<SessionStatus> carry_out(const AskSessions& asked, Operations& operations) {
  return operations.sessions(asked.address);
}

std::vector<RejectStatus> carry_out(const AskRejects& asked, Operations& operations) {
  return operations.rejects(asked.block, asked.count);
}

std::vector<DeviceStatus> carry_out(const AskDevices&, Operations& operations) {
  return operations.devices();
}

std::vector<DeviceDetails> carry_out(const AskDevice& asked, Operations& operations) {
  std::vector<DeviceDetails> devices = operations.device(asked.device);
  if (devices.empty()) not_found(missing_device(asked.device));
  return devices;
}

std::vector<DeviceScreen> carry_out(const AskDeviceScreen& asked, Operations& operations) {
  std::vector<DeviceScreen> screens = operations.device_screens(asked.device);
  if (screens.empty()) not_found(missing_device(asked.device));
  return screens;
}

std::vector<DeviceAlertStatus> carry_out(const AskDeviceAlerts& asked, Operations& operations) {
  return operations.device_alerts(asked.count);
}

Operations::Kicked carry_out(const KickDevice& wanted, Operations& operations) {
  const Operations::Kicked kicked = operations.kick_device(wanted.uid);
  if (kicked.sessions == 0)
    not_found("no device with the uid " + quote_if_needed(wanted.uid) +
              " has a session; see `lektctl devices`");
  return kicked;
}

Operations::Kicked carry_out(const Kick& wanted, Operations& operations) {
  const Operations::Kicked kicked = operations.kick(wanted.address);
  if (kicked.sessions == 0 && !kicked.was_waiting)
    not_found("no client " + to_string(wanted.address) + " is here");
  return kicked;
}

Operations::Banned carry_out(const Ban& wanted, Operations& operations) {
  return operations.ban(wanted.block, wanted.reason, wanted.duration);
}

Done carry_out(const Unban& wanted, Operations& operations) {
  if (!operations.unban(wanted.block)) not_found(missing_ban(wanted.block));
  return {};
}

Operations::Compacted carry_out(const Compact&, Operations& operations) { return operations.compact(); }

TraceStatus carry_out(const Trace& wanted, Operations& operations) {
  return operations.trace(wanted.block, wanted.duration);
}

Done carry_out(const Untrace& wanted, Operations& operations) {
  if (!operations.end_trace(wanted.block)) not_found("there is no trace of " + to_short_string(wanted.block));
  return {};
}

/// Whom a request is about, for the log; empty if it is about nobody in particular.
template <class Message>
std::string subject_of(const Message& message) {
  if constexpr (requires { to_string(message.address); }) return to_string(message.address);
  if constexpr (requires { to_short_string(message.block); }) return to_short_string(message.block);
  if constexpr (requires { message.uid; }) return message.uid;
  if constexpr (requires { message.device; }) return message.device;
  return {};
}

struct Command {
  std::string_view name;
  Lane lane;
  bool reveals;
  Action (*read)(JsonReader& reader, Request& request, Operations& operations);
};

/// Checks what the list of a request's fields cannot express.
template <class Message>
void check(const Message&) {}

void check(const Ban& ban) {
  if (const auto wrong = problem_of_reason(ban.reason)) refuse("\"reason\" " + *wrong);
}

template <class Message>
Action read_message(JsonReader& reader, Request& request, Operations& operations) {
  Message message;
  Message::fields(message, reader);
  check(message);
  request.subject = subject_of(message);
  return [=, &operations] { return to_json(carry_out(message, operations)); };
}

/// Whether the answer shows what is private to a user.
template <class Message>
constexpr bool reveals() {
  if constexpr (requires { Message::reveals; }) return Message::reveals;
  return false;
}

template <class... Messages>
constexpr auto table_of(std::tuple<Messages...>*) {
  return std::array{Command{Messages::name, Messages::lane, reveals<Messages>(), read_message<Messages>}...};
}

constexpr auto commands = table_of(static_cast<Requests*>(nullptr));

const Command& find_command(const std::string& name) {
  for (const Command& command : commands)
    if (command.name == name) return command;
  std::string known;
  for (const Command& command : commands) known += (known.empty() ? "" : ", ") + std::string(command.name);
  refuse("there is no command \"" + printable(name) + "\"; known are " + known);
}

std::string failure(ErrorCode code, const std::string& message) {
  return to_line(to_json(Envelope{.ok = false, .result = {}, .code = code_text(code), .message = message}));
}

/// Runs a step, and turns whatever it throws into the answer.
template <class Step>
void with_answers(Answer& answer, Step step) {
  try {
    step();
  } catch (const CodedError& error) {
    answer.line = failure(error.code(), message_of(error));
  } catch (const std::exception& error) {
    answer.line = failure(ErrorCode::control_refused, error.what());
  }
}

}  // namespace

std::optional<std::string> problem_of_reason(std::string_view reason) {
  if (reason.size() > reason_bytes_max)
    return "has " + std::to_string(reason.size()) + " bytes; at most " + std::to_string(reason_bytes_max) +
           " are allowed";
  if (!is_plain_text(reason))
    return "has a control character, one that is invisible or turns the text around, or is not UTF-8; write "
           "one "
           "line of text";
  return std::nullopt;
}

std::string missing_device(const std::string& uid_or_address) {
  return "no device has the uid or the address " + quote_if_needed(uid_or_address) +
         "; see `lektctl devices`, and `lektctl devices --alerts`";
}

std::string missing_ban(const Block& block) {
  return "there is no ban of exactly " + to_short_string(block) + "; see `lektctl bans`";
}

ReadRequest::ReadRequest(std::string_view line, Operations& operations) {
  with_answers(answer_, [&] { read(line, operations); });
}

void ReadRequest::read(std::string_view line, Operations& operations) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) refuse("a request is one JSON object on one line");
  JsonReader reader(object);
  std::string name;
  reader.field(command_key, name);
  const Command& command = find_command(name);
  Action action = command.read(reader, answer_.request, operations);
  reader.expect_none_left();
  answer_.request.command = name;
  answer_.request.steers = command.lane != Lane::look;
  answer_.request.reveals = command.reveals;
  lane_ = command.lane;
  action_ = std::move(action);
}

Answer ReadRequest::run() {
  if (action_)
    with_answers(answer_, [&] {
      answer_.line = to_line(to_json(Envelope{.ok = true, .result = action_(), .code = {}, .message = {}}));
      answer_.done = true;
    });
  return std::move(answer_);
}

std::string refusal(const std::string& message) { return failure(ErrorCode::control_refused, message); }

}  // namespace lekt::control

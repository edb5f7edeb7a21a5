#include "devices/telnet_dialogue.h"

#include <libtelnet.h>

#include <bitset>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace lekt {

namespace {

constexpr telnet_telopt_t telnet_options[] = {
    {TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO}, {TELNET_TELOPT_ECHO, TELNET_WONT, TELNET_DO},
    {TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO},    {TELNET_TELOPT_TTYPE, TELNET_WILL, TELNET_DONT},
    {TELNET_TELOPT_NAWS, TELNET_WILL, TELNET_DONT}, {-1, 0, 0},
};

/// Whether the library has lost the stream, and not only skipped a command that it does not understand. Version 0.21
/// says so in words alone: a full buffer, or lack of memory, is a warning, and no code is set.
bool loses_the_stream(const telnet_event_t& event) {
  const std::string_view message = event.error.msg;
  return event.type == TELNET_EV_ERROR || message.find("limit reached") != message.npos ||
         message.find("failed") != message.npos;
}

/// Text for a host that expects the ends of lines of RFC 854.
Bytes with_telnet_line_ends(ByteView text) {
  Bytes bytes;
  bytes.reserve(text.size() + 1);
  for (std::size_t index = 0; index < text.size(); ++index) {
    bytes += text[index];
    const bool ends_line = index + 1 < text.size() && text[index + 1] == '\n';
    if (text[index] == '\r' && !ends_line) bytes += '\0';
  }
  return bytes;
}

struct FreeTelnet {
  void operator()(telnet_t* telnet) const { telnet_free(telnet); }
};

}  // namespace

struct TelnetDialogue::State {
  State(std::string its_term, std::size_t its_rows, std::size_t its_columns, Outside& its_outside)
      : term(std::move(its_term)), rows(its_rows), columns(its_columns), outside(its_outside) {
    if (telnet == nullptr) throw std::bad_alloc();
  }

  /// The function that the library calls. It is C, so no exception passes through it: finish() throws.
  static void on_event(telnet_t*, telnet_event_t* event, void* state) {
    State& self = *static_cast<State*>(state);
    if (self.fault || self.thrown) return;
    try {
      self.take(*event);
    } catch (...) {
      self.thrown = std::current_exception();
    }
  }

  /// Hands on what the library has written, which comes in small parts.
  void flush() {
    if (!written.empty()) outside.send_to_host(std::exchange(written, {}));
  }

  /// Ends each call: hands on what is left, and throws what the outside has thrown.
  void finish() {
    flush();
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  }

  void take(const telnet_event_t& event) {
    switch (event.type) {
      case TELNET_EV_DATA:
        return take_text({event.data.buffer, event.data.size});
      case TELNET_EV_SEND:
        written.append(event.data.buffer, event.data.size);
        return;
      case TELNET_EV_WILL:
      case TELNET_EV_WONT:
        hosts.set(event.neg.telopt, event.type == TELNET_EV_WILL);
        return;
      case TELNET_EV_DO:
      case TELNET_EV_DONT:
        ours.set(event.neg.telopt, event.type == TELNET_EV_DO);
        if (event.type == TELNET_EV_DO && event.neg.telopt == TELNET_TELOPT_NAWS) say_size();
        return;
      case TELNET_EV_TTYPE:
        if (event.ttype.cmd == TELNET_TTYPE_SEND && ours[TELNET_TELOPT_TTYPE]) say_term();
        return;
      case TELNET_EV_COMPRESS:
        return give_up(
            "the host compresses (MCCP2) without having been asked; switch compression off at the host");
      case TELNET_EV_WARNING:
      case TELNET_EV_ERROR:
        if (loses_the_stream(event))
          give_up(std::string("the host's telnet cannot be followed: ") + event.error.msg);
        return;
      default:
        return;  // what is not understood, or only told once more
    }
  }

  void take_text(ByteView text) {
    if (hosts[TELNET_TELOPT_BINARY]) {
      after_cr = false;
      return pass(text);
    }
    std::size_t passed = 0;
    for (std::size_t index = 0; index < text.size(); ++index) {
      if (after_cr && text[index] == '\0') {
        pass(text.substr(passed, index - passed));
        passed = index + 1;
      }
      after_cr = text[index] == '\r';
    }
    pass(text.substr(passed));
  }

  void pass(ByteView text) {
    if (!text.empty()) outside.text_of_host(text);
  }

  void say_term() {
    const Bytes is = char{TELNET_TTYPE_IS} + term;
    telnet_subnegotiation(telnet.get(), TELNET_TELOPT_TTYPE, is.data(), is.size());
  }

  void say_size() {
    Bytes size;
    ByteWriter writer(size);
    writer.u16(static_cast<std::uint16_t>(columns));
    writer.u16(static_cast<std::uint16_t>(rows));
    telnet_subnegotiation(telnet.get(), TELNET_TELOPT_NAWS, size.data(), size.size());
  }

  /// Gives up. What was answered before is still sent, and nothing after it.
  void give_up(std::string why) {
    flush();
    fault = Rejection{ErrorCode::host_stream_broken, std::move(why)};
  }

  const std::string term;
  std::size_t rows;
  std::size_t columns;
  Outside& outside;
  std::bitset<256> ours;   ///< options that this side has been allowed
  std::bitset<256> hosts;  ///< options that the host has been allowed
  bool after_cr = false;   ///< whether the host's text so far ends with a CR
  std::optional<Rejection> fault;
  Bytes written;              ///< for the host
  std::exception_ptr thrown;  ///< what the outside threw while the library was at work
  const std::unique_ptr<telnet_t, FreeTelnet> telnet{telnet_init(telnet_options, on_event, 0, this)};
};

TelnetDialogue::TelnetDialogue(std::string term, std::size_t rows, std::size_t columns, Outside& outside)
    : state_(std::make_unique<State>(std::move(term), rows, columns, outside)) {}

TelnetDialogue::~TelnetDialogue() = default;

void TelnetDialogue::receive(ByteView bytes) {
  if (state_->fault) return;
  telnet_recv(state_->telnet.get(), bytes.data(), bytes.size());
  state_->finish();
}

void TelnetDialogue::send(ByteView text) {
  const Bytes bytes = state_->ours[TELNET_TELOPT_BINARY] ? Bytes(text) : with_telnet_line_ends(text);
  telnet_send(state_->telnet.get(), bytes.data(), bytes.size());
  state_->finish();
}

void TelnetDialogue::resize(std::size_t rows, std::size_t columns) {
  if (rows == state_->rows && columns == state_->columns) return;
  state_->rows = rows;
  state_->columns = columns;
  if (state_->ours[TELNET_TELOPT_NAWS]) state_->say_size();
  state_->finish();
}

const std::optional<Rejection>& TelnetDialogue::fault() const { return state_->fault; }

}  // namespace lekt

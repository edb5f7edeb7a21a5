#include "devices/workplace.h"

#include <utility>

#include "devices/server_screen.h"
#include "devices/terminal.h"

namespace lekt {

namespace {

bool is_key(const InputItem& item, Key key) {
  const auto* const its = std::get_if<KeyItem>(&item);
  return its != nullptr && its->key == key;
}

}  // namespace

/// What exists while there is a connection.
struct Workplace::Connection {
  Connection(const DeviceHost& host, const DeviceString& device, TelnetDialogue::Outside& outside)
      : dialogue(host.term, device.rows, device.columns, outside),
        terminal(host.term, device.rows, device.columns, [this](ByteView text) { dialogue.send(text); }) {}

  TelnetDialogue dialogue;
  Terminal terminal;
};

Workplace::Workplace(const DeviceSession& session, Outside& outside)
    : session_(session), outside_(outside), selection_(session.offer()) {}

Workplace::~Workplace() = default;

void Workplace::begin() {
  if (has_choice())
    state_ = State::selecting;
  else if (!hosts().empty())
    connect(0);
}

// ---- What is typed ----

void Workplace::input(ByteView items) {
  if (state_ == State::working) return connection_->terminal.type(items);
  ItemReader reader(items);
  InputItem item;
  for (std::size_t begin = 0; reader.next(item); begin = reader.consumed())
    take(item, items.substr(begin, reader.consumed() - begin));
}

void Workplace::take(const InputItem& item, ByteView bytes) {
  switch (state_) {
    case State::selecting:
      return select(item);
    case State::connecting:
      return is_key(item, Key::escape) ? give_up() : keep(item, bytes);
    case State::trouble:
      if (is_key(item, Key::enter)) return connect(*host_);
      if (is_key(item, Key::escape) && has_choice()) return come_back({});
      return;
    case State::no_host:
    case State::working:  // one input makes no connection
    case State::over:
      return;
  }
}

void Workplace::select(const InputItem& item) {
  const auto host = selection_.take(item, session_.device().rows);
  if (!host) return outside_.screen_changed();
  connect(*host);
  enter_ends_number_ = std::holds_alternative<TypedItem>(item);
}

/// Keeps an item until the host is there. Once one was lost, none is kept: a host must not get half of what was typed.
void Workplace::keep(const InputItem& item, ByteView bytes) {
  if (std::exchange(enter_ends_number_, false) && is_key(item, Key::enter)) return;
  typed_too_much_ = typed_too_much_ || typed_ahead_.size() + bytes.size() > typed_ahead_max;
  if (!typed_too_much_) return void(typed_ahead_ += bytes);
  rings_ = true;
  outside_.screen_changed();
}

// ---- The connection ----

void Workplace::connect(std::size_t host) {
  host_ = host;
  state_ = State::connecting;
  enter_ends_number_ = false;
  outside_.connect(hosts()[host]);
  outside_.screen_changed();
}

/// Drops the connection, and nothing more is typed into it.
void Workplace::disconnect() {
  connection_.reset();
  typed_ahead_ = Bytes();
  typed_too_much_ = false;
}

void Workplace::give_up() {
  disconnect();
  outside_.disconnect();
  if (has_choice()) return come_back({});
  state_ = State::trouble;
  words_ = "There is no connection to " + host()->name;
  outside_.screen_changed();
}

void Workplace::come_back(std::string notice) {
  state_ = State::selecting;
  selection_.come_back(*host_, std::move(notice));
  outside_.screen_changed();
}

void Workplace::fail(const Rejection& rejection) {
  disconnect();
  state_ = State::trouble;
  words_ = rejection.text();
  outside_.alert(rejection);
  outside_.screen_changed();
}

void Workplace::connected() {
  if (state_ != State::connecting) return;
  connection_ =
      std::make_unique<Connection>(*host(), session_.device(), static_cast<TelnetDialogue::Outside&>(*this));
  state_ = State::working;
  if (!typed_ahead_.empty()) connection_->terminal.type(std::exchange(typed_ahead_, Bytes()));
  typed_too_much_ = false;
  outside_.screen_changed();
}

void Workplace::failed(const std::string& reason) {
  if (state_ != State::connecting) return;
  fail({ErrorCode::host_unreachable, full_name(*host()) + " cannot be reached: " + reason});
}

void Workplace::received(ByteView bytes) {
  if (state_ != State::working) return;
  has_drawn_ = false;
  connection_->dialogue.receive(bytes);
  if (const auto fault = connection_->dialogue.fault()) {
    outside_.disconnect();
    return fail({fault->code, full_name(*host()) + ": " + fault->message});
  }
  if (has_drawn_) outside_.screen_changed();
}

void Workplace::text_of_host(ByteView text) {
  has_drawn_ = true;
  connection_->terminal.write(text);
}

void Workplace::hung_up(const std::string& reason) {
  if (state_ != State::working) return;
  const std::string words = reason.empty() ? host()->name + " has closed the connection"
                                           : "the connection to " + host()->name + " broke: " + reason;
  rings_ = take_bell();
  disconnect();
  if (has_choice()) return come_back(words);
  state_ = State::over;
  words_ = words;
  outside_.over({ErrorCode::host_hung_up, words});
}

// ---- The screen ----

void Workplace::resized() {
  const DeviceString& device = session_.device();
  if (connection_ != nullptr) {
    connection_->terminal.resize(device.rows, device.columns);
    connection_->dialogue.resize(device.rows, device.columns);
  }
  outside_.screen_changed();
}

bool Workplace::take_bell() {
  const bool host_rings = connection_ != nullptr && connection_->terminal.take_bell();
  return std::exchange(rings_, false) || host_rings;
}

void Workplace::draw(Screen& screen) const {
  switch (state_) {
    case State::working:
      return connection_->terminal.draw(screen);
    case State::no_host:
      screen = draw_session(session_);
      return;
    case State::selecting:
    case State::connecting:
    case State::trouble:
    case State::over:
      screen.resize(session_.device().rows, session_.device().columns);
      return draw_own(screen);
  }
}

void Workplace::draw_own(Screen& screen) const {
  if (state_ == State::selecting) return selection_.draw(screen);
  draw_title(screen, host()->name, session_.group().name);
  const bool is_connecting = state_ == State::connecting;
  std::size_t row = draw_lines(screen, 2, is_connecting ? "Connecting to " + host()->name + " ..." : words_);
  if (state_ == State::trouble) row = draw_lines(screen, row + 1, "Enter: try again");
  if (state_ == State::trouble && has_choice()) row = draw_lines(screen, row, "Escape: select another host");
  draw_cursor(screen, row);
}

std::string_view to_string(Workplace::State state) {
  switch (state) {
    case Workplace::State::no_host:
      return "no host";
    case Workplace::State::selecting:
      return "selecting";
    case Workplace::State::connecting:
      return "connecting";
    case Workplace::State::working:
      return "working";
    case Workplace::State::trouble:
      return "in trouble";
    case Workplace::State::over:
      return "over";
  }
  return {};
}

}  // namespace lekt

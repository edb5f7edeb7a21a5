#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "tests/fuzz/byte_program.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/tls/dtls_pair.h"

namespace lekt::fuzz {

namespace {

using DtlsPhase = DtlsSession::Phase;

/// What a byte means; its highest bit says which side gets something, or does.
enum class DtlsOperation : std::uint8_t {
  pass,      ///< the next genuine datagram arrives
  pass_all,  ///< in both directions, until nothing is under way
  drop,
  overtake,  ///< a later one arrives first
  repeat,    ///< an earlier one arrives again
  change,    ///< a byte of the next one, which arrives
  join,      ///< the next two arrive as one datagram
  forge_record,
  forge,  ///< the bytes arrive as they are
  say,
  wait,  ///< tenths of a second
  close,
};
constexpr std::uint8_t dtls_operations = 12;

/// What both sides use in all runs.
struct DtlsRules {
  /// The files are needed only while they are read.
  DtlsRules() : DtlsRules(test::TestCertificates()) {}
  explicit DtlsRules(const test::TestCertificates& files)
      : server(test::settings_of(files.server)),
        asking_server(test::settings_of(files.server, files.ca)),
        client(make_dtls_context({files.ca, files.client.certificate, files.client.key})) {}

  DtlsContext server;
  DtlsContext asking_server;  ///< wants a certificate of the client
  DtlsContext client;
};

const DtlsRules& dtls_rules() {
  static const DtlsRules rules;
  return rules;
}

/// One of both, and what it has given to the network.
struct DtlsSide {
  template <class... Arguments>
  explicit DtlsSide(const Arguments&... arguments) : session(arguments...) {}

  DtlsSession session;
  std::vector<Bytes> sent;
  std::size_t passed = 0;        ///< of `sent`
  std::set<std::size_t> spent;   ///< those of `sent` that have come to an open session: they are good once
  std::set<Bytes> said;          ///< what the other side may receive, each once
  std::size_t bytes_heard = 0;   ///< before it was open
  std::size_t bytes_shaken = 0;  ///< what it sent meanwhile
};

/// A server and a client, with a network between them that does as the bytes say.
class DtlsProgram {
 public:
  explicit DtlsProgram(ByteView input)
      : program_(input),
        server_(program_.byte() % 2 == 0 ? dtls_rules().server : dtls_rules().asking_server, AwakeTime(0)),
        client_(dtls_rules().client, make_dtls_check("127.0.0.1"), AwakeTime(0)) {}

  void run() {
    wait(AwakeTime(0));
    while (!program_.is_over()) {
      const std::uint8_t byte = program_.byte();
      DtlsSide& side = (byte & 0x80) == 0 ? server_ : client_;
      perform(static_cast<DtlsOperation>((byte & 0x7f) % dtls_operations), side);
    }
    come_to_an_end();
  }

 private:
  static constexpr std::size_t handshake_bytes_max = 24 * 1024;
  /// A session keeps few sealed records until it has its keys, also if they are the same.
  static constexpr int repeated_max = 6;
  /// So long the network may lose everything, and there is time for one more flight of each side.
  static constexpr AwakeTime lossy_max{5'000};

  DtlsSide& other(const DtlsSide& side) { return &side == &server_ ? client_ : server_; }

  void perform(DtlsOperation operation, DtlsSide& to) {
    DtlsSide& from = other(to);
    const std::size_t next = from.passed;
    switch (operation) {
      case DtlsOperation::pass_all:
        return pass_all();
      case DtlsOperation::forge_record:
        return arrive_forged(to, forged_record());
      case DtlsOperation::forge:
        return arrive_forged(to, program_.bytes());
      case DtlsOperation::say:
        return say(to);
      case DtlsOperation::wait:
        return wait(AwakeTime(100 * program_.byte()));
      case DtlsOperation::close: {
        std::vector<Bytes> last;
        to.session.close(last);
        is_disturbed_ = true;
        return take(to, last);
      }
      case DtlsOperation::repeat:
        is_disturbed_ = is_disturbed_ || ++repeated_ == repeated_max;
        if (next > 0) arrive_again(to, program_.byte() % next);
        return;
      default:
        if (next < from.sent.size()) pass(operation, to, from);
    }
  }

  /// What becomes of the next datagram.
  void pass(DtlsOperation operation, DtlsSide& to, DtlsSide& from) {
    const std::size_t next = from.passed++;
    Bytes bytes = from.sent[next];
    switch (operation) {
      case DtlsOperation::drop:
        return;
      case DtlsOperation::overtake:
        return arrive_again(to, next + program_.byte() % (from.sent.size() - next));
      case DtlsOperation::change: {
        const std::size_t place = program_.byte() * 256u + program_.byte();
        bytes[place % bytes.size()] ^= static_cast<char>(1 + program_.byte() % 255);
        if (to.session.phase() == DtlsPhase::handshaking) is_disturbed_ = true;
        return arrive(to, bytes);
      }
      case DtlsOperation::join:
        if (from.passed < from.sent.size()) bytes += from.sent[from.passed++];
        return arrive(to, bytes);
      default:
        return arrive_again(to, next);
    }
  }

  /// A record whose head is right, or nearly so.
  Bytes forged_record() {
    Bytes record;
    ByteWriter out(record);
    out.u8(static_cast<std::uint8_t>(20 + program_.byte() % 6));
    out.u16(0xfefd);
    out.u16(program_.byte() % 3);
    out.zeros(5);
    out.u8(program_.byte());
    const ByteView content = program_.bytes();
    out.u16(static_cast<std::uint16_t>(content.size()));
    out.bytes(content);
    return record;
  }

  void say(DtlsSide& side) {
    const Bytes words = "words " + std::to_string(++words_) + (&side == &server_ ? " of the server" : "");
    std::vector<Bytes> records;
    if (side.session.send(words, records)) {
      require(records.size() == 1, "one datagram is one record");
      side.said.insert(words);
    }
    require(side.session.phase() == DtlsPhase::open || records.empty(), "nothing is said without keys");
    take(side, records);
  }

  /// One of the genuine datagrams, for the first time or once more.
  void arrive_again(DtlsSide& to, std::size_t number) {
    DtlsSide& from = other(to);
    const bool is_open = to.session.phase() == DtlsPhase::open;
    const Bytes bytes = from.sent[number];
    if (is_open && !from.spent.insert(number).second) return arrive_forged(to, bytes);
    arrive(to, bytes);
  }

  /// What nobody has sealed for this session does nothing once it is open.
  void arrive_forged(DtlsSide& to, ByteView bytes) {
    const DtlsPhase before = to.session.phase();
    const std::size_t sent = to.sent.size();
    const std::size_t said = other(to).said.size();
    arrive(to, bytes);
    if (before == DtlsPhase::handshaking) is_disturbed_ = true;
    if (before != DtlsPhase::open) return;
    require(to.session.phase() == DtlsPhase::open, "an open session survives what is forged or repeated");
    require(to.sent.size() == sent, "an open session does not answer what is forged or repeated");
    require(other(to).said.size() == said, "nothing is received of what is forged or repeated");
  }

  void arrive(DtlsSide& to, ByteView bytes) {
    DtlsSide& from = other(to);
    const DtlsPhase before = to.session.phase();
    if (before == DtlsPhase::handshaking) to.bytes_heard += bytes.size();
    // A copy that ends where its memory ends.
    const std::vector<char> copy(bytes.begin(), bytes.end());
    std::vector<Bytes> answers;
    std::vector<Bytes> received;
    to.session.receive({copy.data(), copy.size()}, now_, answers, received);
    for (const Bytes& words : received)
      require(from.said.erase(words) == 1, "what is received was sent by the other side, and comes once");
    require(received.empty() || before == DtlsPhase::open || to.session.phase() == DtlsPhase::open,
            "nothing is received without keys");
    if (before == DtlsPhase::open && to.session.phase() != DtlsPhase::open)
      require(from.session.phase() == DtlsPhase::closed || from.session.phase() == DtlsPhase::failed,
              "only the other side ends an open session");
    if (before == DtlsPhase::closed || before == DtlsPhase::failed)
      require(to.session.phase() == before && answers.empty() && received.empty(), "what is over stays so");
    take(to, answers);
  }

  void take(DtlsSide& side, std::vector<Bytes>& datagrams) {
    for (Bytes& bytes : datagrams) {
      require(!bytes.empty() && bytes.size() <= dtls_datagram_bytes_max, "no datagram is too large");
      require(is_dtls_record(bytes), "what is sent is a record");
      if (side.session.phase() == DtlsPhase::handshaking) side.bytes_shaken += bytes.size();
      side.sent.push_back(std::move(bytes));
    }
    // A client answers each demand for a cookie.
    const std::size_t asked = &side == &client_ ? 16 * side.bytes_heard : 0;
    require(side.bytes_shaken <= handshake_bytes_max + asked, "a handshake has a bounded number of bytes");
    require(!side.session.due() || side.session.phase() == DtlsPhase::handshaking,
            "nothing is due but a handshake");
  }

  void pass_all() {
    for (std::size_t count = 0; server_.passed < server_.sent.size() || client_.passed < client_.sent.size();
         ++count) {
      require(count < 10'000, "an exchange has an end");
      for (DtlsSide* const to : {&server_, &client_})
        if (other(*to).passed < other(*to).sent.size()) pass(DtlsOperation::pass, *to, other(*to));
    }
  }

  void wait(AwakeTime time) {
    now_ += time;
    clock_.advance(time);
    for (DtlsSide* const side : {&server_, &client_}) {
      std::vector<Bytes> records;
      side->session.on_timer(now_, records);
      require(!side->session.due() || *side->session.due() > now_, "what was due has been done");
      take(*side, records);
    }
  }

  /// The network is good again. Nobody shakes hands for ever; two whom nobody has disturbed have done so in time; and then
  /// they understand each other.
  void come_to_an_end() {
    is_disturbed_ = is_disturbed_ || now_ > lossy_max;
    const AwakeTime end = now_ + DtlsSession::handshake_limit;
    for (pass_all(); now_ < end; pass_all()) {
      std::optional<AwakeTime> due = end;
      earliest(due, server_.session.due());
      earliest(due, client_.session.due());
      wait(*due - now_);
    }
    for (DtlsSide* const side : {&server_, &client_})
      require(side->session.phase() != DtlsPhase::handshaking, "a handshake has an end");
    const bool both_open =
        server_.session.phase() == DtlsPhase::open && client_.session.phase() == DtlsPhase::open;
    require(both_open || is_disturbed_, "who only loses datagrams opens a session");
    if (!both_open) return;
    for (DtlsSide* const side : {&server_, &client_}) {
      say(*side);
      const Bytes words = *std::ranges::find_if(
          side->said, [this](const Bytes& said) { return said.find(std::to_string(words_)) != said.npos; });
      pass_all();
      require(!side->said.contains(words), "two open sessions understand each other");
    }
  }

  ByteProgram program_;
  test::VirtualWallClock clock_;
  AwakeTime now_{0};
  int words_ = 1000;
  int repeated_ = 0;
  /// Something was forged during a handshake, or nothing arrived for too long, or a side has closed.
  bool is_disturbed_ = false;
  DtlsSide server_;
  DtlsSide client_;
};

}  // namespace

void fuzz_dtls(ByteView input) { DtlsProgram(input).run(); }

}  // namespace lekt::fuzz

#include "tls/dtls_session.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "tls/openssl_error.h"

namespace lekt {

namespace {

constexpr std::size_t record_head_bytes = 13;

/// The most that a record can hold (RFC 5246, section 6.2.1).
constexpr std::size_t record_plain_bytes_max = 16 * 1024;

// Types of records, from change_cipher_spec on (RFC 5246, section 6.2.1).
constexpr std::uint8_t first_type = 20;
constexpr std::uint8_t application_data = 23;

constexpr std::uint16_t version_1_2 = 0xfefd;
/// A client's first flight may say 1.0.
constexpr std::uint16_t version_1_0 = 0xfeff;

/// OpenSSL keeps each sealed record that comes before its keys, up to 100, with 17 KB. A handshake has one, and one more
/// each time that it is repeated.
constexpr std::uint8_t sealed_records_max = 12;

/// The time before a flight is repeated, in microseconds; `last` is 0 the first time.
unsigned int next_repeat(SSL*, unsigned int last) {
  using std::chrono::microseconds;
  const microseconds next = last == 0 ? microseconds(DtlsSession::repeat_first) : microseconds(last) * 2;
  return static_cast<unsigned int>(std::min(next, microseconds(DtlsSession::repeat_max)).count());
}

/// What a suite adds to the contents of a record: a seal and, but for ChaCha20, a number.
std::size_t added_bytes(const SSL_CIPHER& suite) {
  return SSL_CIPHER_get_cipher_nid(&suite) == NID_chacha20_poly1305 ? 16 : 24;
}

/// The scope in which OpenSSL reads and writes.
class Exchange {
 public:
  Exchange(DatagramPassage& passage, std::vector<Bytes>& outgoing) : passage_(passage) {
    passage_.outgoing = &outgoing;
    ERR_clear_error();
  }
  ~Exchange() {
    passage_ = {};
    ERR_clear_error();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

 private:
  DatagramPassage& passage_;
};

}  // namespace

/// What is on the wire before a record (RFC 6347, section 4.1). Its number and its version are left out.
struct DtlsSession::RecordHead {
  std::uint8_t type;
  std::uint16_t epoch;
  std::size_t size;  ///< bytes that follow the head
};

/// The head of the record that begins here; none if it is no record of DTLS 1.2, or not a whole one.
std::optional<DtlsSession::RecordHead> DtlsSession::read_record(ByteView bytes) {
  ByteReader reader(bytes);
  RecordHead head{};
  head.type = reader.u8();
  const std::uint16_t version = reader.u16();
  head.epoch = reader.u16();
  reader.take(6);
  head.size = reader.u16();
  if (reader.ran_short() || head.size > reader.left()) return {};
  if (head.type < first_type || head.type > application_data) return {};
  if (version != version_1_2 && version != version_1_0) return {};
  return head;
}

void DtlsSession::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

DtlsSession::DtlsSession(const DtlsContext& context, AwakeTime now)
    : ssl_(SSL_new(context.native_handle())), deadline_(now + handshake_limit), due_(deadline_) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* const bio = make_datagram_bio(passage_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), static_cast<long>(dtls_datagram_bytes_max));
  DTLS_set_timer_cb(ssl_.get(), next_repeat);
  if (SSL_is_server(ssl_.get()) == 1)
    SSL_set_accept_state(ssl_.get());
  else
    SSL_set_connect_state(ssl_.get());
}

DtlsSession::DtlsSession(const DtlsContext& context, DtlsServerCheck check, AwakeTime now)
    : DtlsSession(context, now) {
  check_ = std::move(check);
  due_ = now;
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, judge);
  if (!check_.name.empty() && SSL_set_tlsext_host_name(ssl_.get(), check_.name.c_str()) != 1)
    throw std::bad_alloc();
}

DtlsSession::~DtlsSession() = default;

int DtlsSession::judge(int sound, X509_STORE_CTX* chain) {
  auto* const ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& session = *static_cast<DtlsSession*>(SSL_get_app_data(ssl));
  session.trouble_ = session.check_.trouble(sound == 1, *chain);
  return session.trouble_.empty() ? 1 : 0;
}

void DtlsSession::receive(ByteView datagram, AwakeTime now, Datagrams& to_send, Datagrams& received) {
  if (phase_ != Phase::handshaking && phase_ != Phase::open) return;
  const Exchange exchange(passage_, to_send);
  const ByteView good = good_part(datagram);
  if (good.empty()) return;
  passage_.incoming = good;
  if (phase_ == Phase::handshaking) shake_hands();
  if (phase_ == Phase::open) read_records(received);
  set_due(now);
}

bool DtlsSession::send(ByteView plain, Datagrams& to_send) {
  if (phase_ != Phase::open || plain.empty() || plain.size() > plain_bytes_max) return false;
  const Exchange exchange(passage_, to_send);
  std::size_t written = 0;
  if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written) == 1) return true;
  fail(take_openssl_failure(*ssl_));
  return false;
}

void DtlsSession::on_timer(AwakeTime now, Datagrams& to_send) {
  if (!due_ || now < *due_) return;
  if (now >= deadline_)
    fail("it was not complete after " + std::to_string(handshake_limit / std::chrono::seconds(1)) + " s");
  if (phase_ == Phase::handshaking) {
    const Exchange exchange(passage_, to_send);
    DTLSv1_handle_timeout(ssl_.get());
    shake_hands();
  }
  set_due(now);
}

void DtlsSession::close(Datagrams& to_send) {
  if (phase_ != Phase::open && phase_ != Phase::handshaking) return;
  const Exchange exchange(passage_, to_send);
  if (phase_ == Phase::open) SSL_shutdown(ssl_.get());
  phase_ = Phase::closed;
  due_.reset();
}

/// The records at the beginning of a datagram that OpenSSL may see. Others, which anybody can forge, would make it end
/// the session, or it would keep them during the handshake, with 17 KB each.
ByteView DtlsSession::good_part(ByteView datagram) {
  std::size_t used = 0;
  while (used < datagram.size()) {
    const std::optional<RecordHead> record = read_record(datagram.substr(used));
    if (!record || (record->epoch == 0 ? record->size > record_plain_bytes_max : !may_be_sealed(*record)))
      break;
    used += record_head_bytes + record->size;
  }
  return datagram.substr(0, used);
}

/// Whether a record of a later epoch than the first can be one of this session.
bool DtlsSession::may_be_sealed(const RecordHead& record) {
  const SSL_CIPHER* suite = SSL_get_current_cipher(ssl_.get());
  if (suite == nullptr) suite = SSL_get_pending_cipher(ssl_.get());  // agreed, and not yet in use
  if (suite == nullptr || record.epoch != 1 || record.size < added_bytes(*suite) ||
      record.size > record_plain_bytes_max + added_bytes(*suite))
    return false;
  if (phase_ == Phase::open) return true;
  if (record.type == application_data || sealed_records_ == sealed_records_max) return false;
  ++sealed_records_;
  return true;
}

void DtlsSession::shake_hands() {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1)
    phase_ = Phase::open;
  else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ)
    fail(trouble_.empty() ? take_openssl_failure(*ssl_) : trouble_);
}

void DtlsSession::read_records(Datagrams& received) {
  std::array<char, record_plain_bytes_max> buffer;
  for (;;) {
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    if (result == 1) {
      received.emplace_back(buffer.data(), size);
      continue;
    }
    const int reason = SSL_get_error(ssl_.get(), result);
    if (reason == SSL_ERROR_WANT_READ) return;
    if (reason != SSL_ERROR_ZERO_RETURN) return fail(take_openssl_failure(*ssl_));
    SSL_shutdown(ssl_.get());  // the other side is waiting for the same
    phase_ = Phase::closed;
    return;
  }
}

void DtlsSession::fail(const std::string& what) {
  const char* const failed =
      phase_ == Phase::open ? "the DTLS session failed: " : "the DTLS handshake failed: ";
  failure_.message = failed + what;
  phase_ = Phase::failed;
  due_.reset();
}

void DtlsSession::set_due(AwakeTime now) {
  due_.reset();
  if (phase_ != Phase::handshaking) return;
  due_ = deadline_;
  timeval left{};
  if (DTLSv1_get_timeout(ssl_.get(), &left) != 1) return;
  // By OpenSSL's clock it may not be time yet when it is by ours.
  const std::chrono::microseconds wait =
      std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  earliest(due_, now + std::max(std::chrono::ceil<AwakeTime>(wait), AwakeTime(1)));
}

}  // namespace lekt

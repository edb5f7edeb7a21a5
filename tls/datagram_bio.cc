#include "tls/datagram_bio.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace lekt {

namespace {

DatagramPassage& passage_of(BIO* bio) { return *static_cast<DatagramPassage*>(BIO_get_data(bio)); }

int write_datagram(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  if (std::vector<Bytes>* const outgoing = passage_of(bio).outgoing)
    outgoing->emplace_back(bytes, static_cast<std::size_t>(size));
  return size;
}

/// Reads one whole datagram. What does not fit is cut off, as with recv().
int read_datagram(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  auto& incoming = passage_of(bio).incoming;
  if (!incoming || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(incoming->size(), static_cast<std::size_t>(size));
  std::memcpy(buffer, incoming->data(), taken);
  incoming.reset();
  return static_cast<int>(taken);
}

/// Everything is sent at once, so there is nothing to flush. All other questions, of which many are about a socket's
/// datagrams, are answered with 0: does not apply.
long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using BioMethod = std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>;

BioMethod make_method() {
  BioMethod method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams"), BIO_meth_free);
  if (method == nullptr || BIO_meth_set_write(method.get(), write_datagram) != 1 ||
      BIO_meth_set_read(method.get(), read_datagram) != 1 || BIO_meth_set_ctrl(method.get(), control) != 1)
    throw std::bad_alloc();
  return method;
}

}  // namespace

BIO* make_datagram_bio(DatagramPassage& passage) {
  static const BioMethod method = make_method();
  BIO* const bio = BIO_new(method.get());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &passage);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace lekt

#include "devices/token.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "common/bytes.h"

namespace lekt {

namespace {

constexpr std::size_t second_bytes = 4;
constexpr std::size_t hash_bytes = 32;

void expect_hashed(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot make an HMAC-SHA256");
}

const unsigned char* unsigned_bytes(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// The bytes that are hashed. An address of another family than IPv4 will have another length, so no two subjects have
/// the same bytes.
Bytes packed(const TokenSubject& subject, std::uint32_t second) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.bytes("LEKT");
  writer.u32(subject.address.as_v4());
  writer.u8(static_cast<std::uint8_t>(subject.port >> 8));
  writer.u8(static_cast<std::uint8_t>(subject.port & 0xff));
  writer.u64(subject.registration);
  writer.u32(second);
  writer.u8(subject.extra);
  return bytes;
}

}  // namespace

void TokenMaker::ContextDeleter::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

TokenMaker::TokenMaker(const TokenSecret& secret) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  expect_hashed(hmac != nullptr);
  context_.reset(EVP_MAC_CTX_new(hmac));
  EVP_MAC_free(hmac);  // the context holds it
  expect_hashed(context_ != nullptr);
  std::string digest = "SHA256";
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  const ByteView key(secret.data(), secret.size());
  expect_hashed(EVP_MAC_init(context_.get(), unsigned_bytes(key), key.size(), parameters.data()) == 1);
}

TokenMaker::~TokenMaker() = default;

Token TokenMaker::make(const TokenSubject& subject, Time now) const {
  return make_for_second(subject,
                         static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(now).count()));
}

bool TokenMaker::is_good(const Token& token, const TokenSubject& subject, Time now) const {
  const std::uint32_t second = ByteReader(ByteView(token.data(), second_bytes)).u32();
  const Token right = make_for_second(subject, second);
  if (CRYPTO_memcmp(token.data(), right.data(), right.size()) != 0) return false;
  const Time age = now - std::chrono::seconds(second);
  return age >= Time(0) && age <= age_max;
}

Token TokenMaker::make_for_second(const TokenSubject& subject, std::uint32_t second) const {
  const Bytes bytes = packed(subject, second);
  std::array<char, hash_bytes> hash{};
  std::size_t size = 0;
  // Without a key, the context begins anew with the one that it has.
  const bool done =
      EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
      EVP_MAC_update(context_.get(), unsigned_bytes(bytes), bytes.size()) == 1 &&
      EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(hash.data()), &size, hash.size()) == 1 &&
      size == hash.size();
  expect_hashed(done);
  Bytes head;
  ByteWriter(head).u32(second);
  Token token;
  std::ranges::copy(head, token.begin());
  std::copy_n(hash.begin(), token.size() - second_bytes, token.begin() + second_bytes);
  return token;
}

}  // namespace lekt

#include "tests/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace lekt::test {

namespace {

namespace fs = std::filesystem;

constexpr long x509_version_3 = 2;  // it counts from 0

/// Throws with OpenSSL's reason unless `good`.
void require(bool good, const char* what) {
  if (good) return;
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  throw std::runtime_error(std::string("certificates for tests: ") + what + ": " + text);
}

std::shared_ptr<EVP_PKEY> make_key() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require(key != nullptr, "making a key");
  return key;
}

/// Writes a file through a BIO, readable by its owner only. Readers see the old file or the new one, each as a
/// whole.
template <class Write>
void write_pem(const fs::path& path, Write write) {
  const fs::path fresh = path.string() + ".new";
  {
    const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(fresh.c_str(), "w"), BIO_free);
    require(file != nullptr, fresh.c_str());
    fs::permissions(fresh, fs::perms::owner_read | fs::perms::owner_write);
    require(write(file.get()) == 1 && BIO_flush(file.get()) == 1, fresh.c_str());
  }
  fs::rename(fresh, path);
}

void write_certificate(const fs::path& path, X509& certificate) {
  write_pem(path, [&](BIO* file) { return PEM_write_bio_X509(file, &certificate); });
}

void add_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), X509_EXTENSION_free);
  require(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1, value.c_str());
}

void set_name(X509& certificate, const std::string& common_name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.data());
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_UTF8, bytes,
                                     static_cast<int>(common_name.size()), -1, 0) == 1,
          "the name");
}

/// No two certificates of one issuer may have the same number.
void set_number(X509& certificate) {
  std::uint64_t number = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) == 1, "the number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), number);
}

/// Everything but the extensions and the signature.
std::shared_ptr<X509> make_certificate(const CertificateWishes& wishes, EVP_PKEY& key) {
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  require(certificate != nullptr, "making a certificate");
  X509_set_version(certificate.get(), x509_version_3);
  set_number(*certificate);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -static_cast<long>(wishes.age.count()));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(wishes.lifetime.count()));
  set_name(*certificate, wishes.common_name);
  require(X509_set_pubkey(certificate.get(), &key) == 1, "the public key");
  return certificate;
}

void sign(X509& certificate, X509& issuer, EVP_PKEY& issuer_key) {
  require(X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1, "the issuer");
  require(X509_sign(&certificate, &issuer_key, EVP_sha256()) != 0, "signing");
}

CertificateWishes aged(CertificateWishes wishes, std::chrono::seconds age, std::chrono::seconds lifetime) {
  wishes.age = age;
  wishes.lifetime = lifetime;
  return wishes;
}

CertificateWishes expired_yesterday(CertificateWishes wishes) {
  return aged(std::move(wishes), std::chrono::hours(48), -std::chrono::hours(24));
}

CertificateWishes from_tomorrow_on(CertificateWishes wishes) {
  return aged(std::move(wishes), -std::chrono::hours(24), std::chrono::hours(48));
}

}  // namespace

CertificateAuthority::CertificateAuthority(fs::path directory, const std::string& name,
                                           std::chrono::seconds lifetime)
    : directory_(std::move(directory)),
      certificate_path_(directory_ / (name + ".pem")),
      key_(make_key()),
      certificate_(make_certificate({.common_name = name, .lifetime = lifetime}, *key_)) {
  add_extension(*certificate_, *certificate_, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(*certificate_, *certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(*certificate_, *certificate_, NID_subject_key_identifier, "hash");
  sign(*certificate_, *certificate_, *key_);
  write_certificate(certificate_path_, *certificate_);
}

CertifiedKey CertificateAuthority::issue(const std::string& name, const CertificateWishes& wishes) const {
  const CertifiedKey files{directory_ / (name + ".pem"), directory_ / (name + ".key")};
  const auto key = make_key();
  const auto certificate = make_certificate(wishes, *key);
  add_extension(*certificate, *certificate_, NID_ext_key_usage, wishes.usage);
  if (!wishes.alternative_names.empty())
    add_extension(*certificate, *certificate_, NID_subject_alt_name, wishes.alternative_names);
  sign(*certificate, *certificate_, *key_);
  write_certificate(files.certificate, *certificate);
  write_pem(files.key, [&](BIO* file) {
    return PEM_write_bio_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

TestCertificates::TestCertificates()
    : authority(directory(), "ca"),
      unknown_authority(directory(), "unknown_ca"),
      ca(authority.certificate()),
      server(authority.issue("server", for_server())),
      expired(authority.issue("expired", expired_yesterday(for_server()))),
      not_yet_valid(authority.issue("not_yet_valid", from_tomorrow_on(for_server()))),
      other_host(authority.issue("other_host", {"other host", "IP:192.0.2.1,DNS:other.example"})),
      unknown_server(unknown_authority.issue("unknown_server", for_server())),
      client(authority.issue("client", for_client())),
      expired_client(authority.issue("expired_client", expired_yesterday(for_client()))),
      unknown_client(unknown_authority.issue("unknown_client", for_client())) {}

}  // namespace lekt::test

// Files for TLS that cannot be used: a client says so before it connects.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <fstream>

#include "client/ping.h"
#include "client/tls_context.h"
#include "common/errors.h"
#include "tests/support/certificates.h"

namespace lekt::test {
namespace {

/// What is wrong with them; empty if they are good.
std::string refusal(const TlsOptions& options) {
  try {
    make_tls_context(options);
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage_wrong);
    return error.what();
  }
  return "";
}

std::filesystem::path write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

/// The same key, but nobody can read it without the password.
std::filesystem::path locked(const std::filesystem::path& key, const std::filesystem::path& copy) {
  using File = std::unique_ptr<BIO, decltype(&BIO_free)>;
  const File from(BIO_new_file(key.c_str(), "r"), BIO_free);
  const File to(BIO_new_file(copy.c_str(), "w"), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> read(
      PEM_read_bio_PrivateKey(from.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  char password[] = "secret";
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(to.get(), read.get(), EVP_aes_128_cbc(), password,
                                          sizeof password - 1, nullptr, nullptr),
            1);
  return copy;
}

class TlsOptionsTest : public testing::Test {
 protected:
  std::filesystem::path in_directory(const char* name) const { return certificates_.directory() / name; }

  TestCertificates certificates_;
};

TEST_F(TlsOptionsTest, good_files_are_taken) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({certificates_.ca, certificates_.client.certificate, certificates_.client.key}), "");
}

TEST_F(TlsOptionsTest, a_missing_file_is_named) {
  EXPECT_EQ(
      refusal({.authorities = "/nonexistent/ca"}),
      "E705 the file of trusted authorities \"/nonexistent/ca\" cannot be used: No such file or directory");
  EXPECT_EQ(refusal({{}, "/nonexistent/cert", certificates_.client.key}),
            "E705 the client's certificate \"/nonexistent/cert\" cannot be used: No such file or directory");
  EXPECT_NE(refusal({{}, certificates_.client.certificate, "/nonexistent/key"})
                .find("the client's key \"/nonexistent/key\" cannot be used: No such file or directory"),
            std::string::npos);
}

TEST_F(TlsOptionsTest, a_file_with_something_else_is_named) {
  const auto text = write(in_directory("text"), "this is no certificate\n");
  const auto empty = write(in_directory("empty"), "");
  for (const auto& path : {text, empty, certificates_.directory(), certificates_.client.key}) {
    EXPECT_TRUE(refusal({.authorities = path}).starts_with("E705 the file of trusted authorities ")) << path;
    EXPECT_TRUE(refusal({{}, path, certificates_.client.key}).starts_with("E705 the client's certificate "))
        << path;
  }
  for (const auto& path : {text, empty, certificates_.client.certificate})
    EXPECT_TRUE(refusal({{}, certificates_.client.certificate, path})
                    .ends_with("; a PEM file without a password is expected"))
        << path;
}

TEST_F(TlsOptionsTest, the_key_of_another_certificate_is_refused) {
  const std::string told = refusal({{}, certificates_.client.certificate, certificates_.unknown_client.key});
  EXPECT_NE(told.find("it does not belong to the certificate \"" + certificates_.client.certificate.string() +
                      "\""),
            std::string::npos)
      << told;
}

TEST_F(TlsOptionsTest, a_key_with_a_password_is_refused_and_nobody_is_asked_for_it) {
  const auto key = locked(certificates_.client.key, in_directory("locked.key"));
  EXPECT_TRUE(refusal({{}, certificates_.client.certificate, key})
                  .ends_with("; a PEM file without a password is expected"));
}

TEST_F(TlsOptionsTest, what_is_no_file_that_can_be_read_again_is_refused_at_once) {
  const std::string pipe = in_directory("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, certificates_.directory().string()})
    for (const TlsOptions& options :
         {TlsOptions{.authorities = path}, TlsOptions{{}, path, certificates_.client.key},
          TlsOptions{{}, certificates_.client.certificate, path}})
      EXPECT_TRUE(refusal(options).ends_with(
          "\"" + path + "\" cannot be used: it is no regular file; it is read again for each connection"))
          << refusal(options);
}

TEST_F(TlsOptionsTest, certificate_and_key_belong_together) {
  const std::string told =
      "E705 a client's certificate and its key belong together, and only one of them is given";
  EXPECT_EQ(refusal({.certificate = certificates_.client.certificate}), told);
  EXPECT_EQ(refusal({.key = certificates_.client.key}), told);
}

TEST_F(TlsOptionsTest, ping_refuses_them_before_it_connects) {
  PingOptions options{.server = {"127.0.0.1", 1}};
  options.tls = TlsOptions{.authorities = "/nonexistent"};
  EXPECT_THROW(ping(options), CodedError);
}

}  // namespace
}  // namespace lekt::test

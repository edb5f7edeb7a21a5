// OpenSSL's errors in words.
#pragma once

#include <openssl/types.h>

#include <string>

namespace lekt {

/// An error of OpenSSL's queue: a reason with the part of OpenSSL that gave it, or what the system says.
std::string openssl_text(unsigned long code);

/// Why `ssl` has just failed: OpenSSL's oldest error, and what it thinks of the other side's certificate.
/// No error is left behind.
std::string take_openssl_failure(const SSL& ssl);

}  // namespace lekt

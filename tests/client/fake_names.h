// Name servers that a test makes up: getaddrinfo() of this program asks them for names below ".test", and the
// machine for all others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"

namespace lekt::test {

/// While it lives, `name` has these addresses, in this order. One at a time for each name.
class FakeName {
 public:
  FakeName(std::string name, const std::vector<std::string_view>& addresses);
  ~FakeName();
  FakeName(const FakeName&) = delete;
  FakeName& operator=(const FakeName&) = delete;

  /// It has other addresses now.
  void change(const std::vector<std::string_view>& addresses);
  /// Questions are not answered until answer() or the end of this object.
  void fall_silent();
  /// Questions are answered with an error that is none of the name: EAI_AGAIN.
  void fail();
  void answer();

  /// How often it was asked for.
  std::size_t questions() const;
  /// Questions that wait for an answer.
  std::size_t waiting() const;

 private:
  const std::string name_;
};

}  // namespace lekt::test

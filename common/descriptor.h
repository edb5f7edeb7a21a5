// A file descriptor that is closed at the end of its scope.
#pragma once

#include <unistd.h>

#include <utility>

namespace lekt {

class Descriptor {
 public:
  /// Takes what open() returned, even if it has failed.
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (is_open()) close(value_);
  }

  /// Gives the descriptor away; this object no longer closes it.
  int release() { return std::exchange(value_, -1); }

  bool is_open() const { return value_ >= 0; }
  int value() const { return value_; }

 private:
  int value_;
};

}  // namespace lekt

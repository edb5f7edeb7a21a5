// Runs the `lekt` program as a user does, and keeps what it prints.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/support.h"

namespace lekt::test {

class Program {
 public:
  /// Starts `lekt` with these arguments and this input.
  explicit Program(const std::vector<std::string>& arguments, std::string_view input = {});
  /// Starts any program.
  Program(const std::string& path, const std::vector<std::string>& arguments, std::string_view input);
  /// Kills it if it still runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Waits for the end; 128 plus the signal if one ended it. Throws if it does not end within 20 s.
  int wait();
  void signal(int number);

  pid_t id() const { return process_; }

  std::string out() const { return read_text(directory_.path() / "out"); }
  std::string error() const { return read_text(directory_.path() / "error"); }

 private:
  TempDirectory directory_;
  pid_t process_ = 0;
};

}  // namespace lekt::test

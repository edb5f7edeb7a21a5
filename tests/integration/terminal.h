// A program on a terminal of its own: what an operator sees and types.
//
// The program dies with the terminal, at the end of the scope.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lekt::test {

class Terminal {
 public:
  struct Size {
    std::uint16_t columns = 80;
    std::uint16_t rows = 24;
  };

  Terminal(const std::string& program, const std::vector<std::string>& arguments, Size size);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void press(const std::string& keys) const;
  void send_signal(int signal) const;
  /// Tells the program, too.
  void resize(Size size) const;
  /// It takes no more output, as after Ctrl-S.
  void stop_output() const;
  /// Whether keys are shown as they are typed, as in a shell.
  bool echoes() const;

  /// Waits until the output since the last call has the text.
  bool shows(const std::string& text);
  /// Waits for the program's end; its exit status.
  int wait();
  const std::string& output() const { return output_; }  ///< read so far

 private:
  void read_within(int milliseconds);

  int terminal_ = -1;
  int program_side_ = -1;  ///< kept open, so that the settings can be asked for when the program has ended
  pid_t id_ = -1;
  std::string output_;
  std::size_t seen_ = 0;
};

}  // namespace lekt::test

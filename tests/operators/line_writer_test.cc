// Lines for descriptors that do not take them: writers never wait, and nothing is silently lost.
#include "server/operators/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "common/descriptor.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;

std::string tell(std::uint64_t lost) { return "lost " + std::to_string(lost) + "\n"; }

struct Pipe {
  explicit Pipe(int flags = 0) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC | flags) != 0) throw std::runtime_error("no pipe");
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
    fcntl(writer.value(), F_SETPIPE_SZ, 4096);
  }

  Descriptor reader{-1};
  Descriptor writer{-1};
};

/// Reads from the pipe until the text ends so.
std::string read_until(const Descriptor& reader, const std::string& end) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (!text.ends_with(end)) {
    const ssize_t size = ::read(reader.value(), buffer.data(), buffer.size());
    if (size < 0 && errno == EAGAIN) continue;
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  return lines;
}

/// Of lines "lost N", and of all others.
std::pair<std::uint64_t, std::uint64_t> lost_and_written(const std::string& text) {
  std::uint64_t lost = 0;
  std::uint64_t written = 0;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("lost "))
      lost += std::stoul(line.substr(5));
    else
      ++written;
  }
  return {lost, written};
}

template <class Condition>
bool soon(Condition condition) {
  for (int wait = 0; wait < 10'000 && !condition(); ++wait) std::this_thread::sleep_for(1ms);
  return condition();
}

TEST(LineWriter, keeps_the_lines_of_each_thread_in_order) {
  const Pipe pipe;
  LineWriter writer(pipe.writer.value(), tell);
  constexpr int threads = 4;
  constexpr int lines = 500;
  std::vector<std::thread> writing;
  for (int thread = 0; thread < threads; ++thread)
    writing.emplace_back([&writer, thread] {
      for (int line = 0; line < lines; ++line)
        writer.write(std::to_string(thread) + " " + std::to_string(line) + "\n");
    });
  std::string text;
  std::thread reading([&] { text = read_until(pipe.reader, "end\n"); });
  for (std::thread& thread : writing) thread.join();
  writer.write("end\n");
  reading.join();
  std::array<int, threads> next{};
  for (const std::string& line : lines_of(text))
    if (line != "end") {
      EXPECT_EQ(std::stoi(line.substr(2)), next[static_cast<std::size_t>(line[0] - '0')]++);
    }
  EXPECT_EQ(next, (std::array{lines, lines, lines, lines}));
}

TEST(LineWriter, a_pipe_that_nobody_reads_stops_nobody_and_is_told_how_many_lines_were_lost) {
  for (const int flags : {0, O_NONBLOCK}) {
    Pipe pipe(flags);
    LineWriter writer(pipe.writer.value(), tell, 16 * 1024);
    constexpr std::uint64_t lines = 5000;
    for (std::uint64_t line = 0; line < lines; ++line) writer.write("some line of the log\n");
    EXPECT_TRUE(soon([&] { return writer.state().blocked >= 10ms; }));
    EXPECT_FALSE(writer.flush(20ms, 1s));
    EXPECT_GT(writer.state().lost, 0u);
    EXPECT_EQ(writer.state().error, 0);
    std::string text;
    std::thread reading([&] { text = read_until(pipe.reader, "end\n"); });
    EXPECT_TRUE(writer.flush(10s, 10s));
    EXPECT_EQ(writer.state().blocked, 0ms);
    writer.write("end\n");
    reading.join();
    EXPECT_EQ(lost_and_written(text).first, writer.state().lost);
    EXPECT_EQ(lost_and_written(text).first + lost_and_written(text).second, lines + 1);
    EXPECT_EQ(fcntl(pipe.writer.value(), F_GETFL) & O_NONBLOCK, flags) << "it is not ours to change";
  }
}

TEST(LineWriter, goes_on_when_the_reader_of_a_pipe_comes_back) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  Descriptor reader(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const Descriptor end(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  LineWriter writer(end.value(), tell);
  reader = Descriptor(-1);
  writer.write("nobody is there\n");
  EXPECT_TRUE(soon([&] { return writer.state().error == EPIPE; }));
  reader = Descriptor(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_EQ(read_until(reader, "there\n"), "nobody is there\n");
  EXPECT_TRUE(writer.flush(10s, 10s));
  EXPECT_EQ(writer.state().error, 0);
}

TEST(LineWriter, says_that_the_disk_is_full) {
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.is_open());
  LineWriter writer(full.value(), tell);
  writer.write("a line\n");
  EXPECT_TRUE(soon([&] { return writer.state().error == ENOSPC; }));
  EXPECT_TRUE(soon([&] { return writer.state().blocked > 0ms; }));
}

TEST(LineWriter, a_function_takes_the_lines_in_place_of_a_descriptor) {
  std::string taken;
  int refusals = 3;
  const auto take_one = [&](std::span<const iovec> lines) -> std::ptrdiff_t {
    errno = ECONNREFUSED;
    if (refusals-- > 0) return -1;
    taken.append(static_cast<const char*>(lines[0].iov_base), lines[0].iov_len);
    return static_cast<std::ptrdiff_t>(lines[0].iov_len);
  };
  LineWriter writer(take_one, tell);
  for (int line = 0; line < 3; ++line) writer.write(std::to_string(line) + "\n");
  EXPECT_TRUE(writer.flush(10s, 10s));
  EXPECT_EQ(taken, "0\n1\n2\n");
  EXPECT_EQ(writer.state().error, 0);
}

TEST(LineWriter, tears_no_line_of_the_size_that_a_pipe_takes_whole) {
  const Pipe pipe;
  LineWriter first(pipe.writer.value(), tell);
  LineWriter other(pipe.writer.value(), tell);
  for (int line = 0; line < 50; ++line) {
    first.write(std::string(4095, 'a') + "\n");
    other.write(std::string(4095, 'b') + "\n");
  }
  std::string text;
  std::thread reading([&] { text = read_until(pipe.reader, "end\n"); });
  EXPECT_TRUE(first.flush(10s, 10s));
  EXPECT_TRUE(other.flush(10s, 10s));
  first.write("end\n");
  reading.join();
  for (const std::string& line : lines_of(text)) {
    EXPECT_EQ(line.find_first_not_of(line[0]), line == "end" ? 1 : line.npos);
  }
}

}  // namespace
}  // namespace lekt

#include "server/operators/tracer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <thread>

#include "common/packets.h"
#include "tests/core/support.h"
#include "tests/support/support.h"

namespace lekt {
namespace {

using namespace std::chrono_literals;
using namespace test;
using testing::IsNotSubstring;
using testing::IsSubstring;

const Address seven = address("10.0.0.7");
const Block only_seven(seven);

class TracerTest : public testing::Test {
 protected:
  TraceStatus start(const Block& block = only_seven, std::chrono::seconds duration = 60s) {
    return tracer_.start(block, duration, now_);
  }

  std::string text(const TraceStatus& trace) {
    EXPECT_TRUE(tracer_.flush());
    std::ifstream file(trace.file);
    return {std::istreambuf_iterator(file), {}};
  }

  void receive(ByteView bytes, std::uint64_t session = 3) {
    tracer_.received(seven, session, bytes, catalogue_);
  }

  static Bytes heartbeat(std::int64_t timestamp) {
    Bytes bytes;
    HeartbeatPacket packet;
    packet.timestamp = timestamp;
    write(bytes, packet);
    return bytes;
  }

  TempDirectory directory_;
  MethodCatalogue catalogue_;
  Tracer tracer_{directory_.path()};
  Tracer::Steady now_{1000s};
};

TEST_F(TracerTest, covers_nobody_until_it_is_told_to) {
  EXPECT_FALSE(tracer_.covers(seven));
  start();
  EXPECT_TRUE(tracer_.covers(seven));
  EXPECT_FALSE(tracer_.covers(address("10.0.0.8")));
  EXPECT_TRUE(tracer_.end(only_seven));
  EXPECT_FALSE(tracer_.covers(seven));
  EXPECT_FALSE(tracer_.end(only_seven));
}

TEST_F(TracerTest, writes_each_packet_of_both_directions_with_its_meaning) {
  const TraceStatus trace = start();
  receive(heartbeat(1'700'000'000));
  Output output;
  UpdatePacket closing;
  closing.timestamp = 1'700'000'001;
  write(output.copied(), closing);
  tracer_.sent(seven, 3, output, catalogue_);
  const std::string written = text(trace);
  for (const char* part : {"10.0.0.7 session 3 received 16 bytes", "2023-11-14T22:13:20Z",
                           "session 3 sent 20 bytes", "2023-11-14T22:13:21Z"})
    EXPECT_PRED_FORMAT2(IsSubstring, part, written);
}

TEST_F(TracerTest, shows_a_packet_that_comes_in_pieces_when_it_is_complete) {
  const TraceStatus trace = start();
  const Bytes bytes = heartbeat(1'700'000'000);
  receive(bytes.substr(0, 7));
  EXPECT_PRED_FORMAT2(
      IsSubstring, "received 7 bytes; the last packet is not complete, 7 bytes of it are here", text(trace));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "2023-11-14", text(trace));
  receive(bytes.substr(7));
  EXPECT_PRED_FORMAT2(IsSubstring, "received 9 bytes\n", text(trace));
  EXPECT_PRED_FORMAT2(IsSubstring, "2023-11-14T22:13:20Z", text(trace));
}

TEST_F(TracerTest, keeps_the_pieces_of_two_sessions_apart) {
  const TraceStatus trace = start();
  const Bytes bytes = heartbeat(1'700'000'000);
  receive(bytes.substr(0, 7), 1);
  receive(bytes.substr(0, 9), 2);
  receive(bytes.substr(7), 1);
  receive(bytes.substr(9), 2);
  const std::string written = text(trace);
  EXPECT_PRED_FORMAT2(IsNotSubstring, "wrong", written);
  EXPECT_PRED_FORMAT2(IsSubstring, "session 1 received 9 bytes\n", written);
  EXPECT_PRED_FORMAT2(IsSubstring, "session 2 received 7 bytes\n", written);
}

TEST_F(TracerTest, keeps_nothing_of_who_is_not_traced_any_more) {
  start(Block(address("192.0.2.1")));
  start();
  receive(heartbeat(1'700'000'000).substr(0, 7));
  tracer_.end(only_seven);
  receive(heartbeat(1'700'000'000).substr(0, 7));
  const TraceStatus again = start();
  receive(heartbeat(1'700'000'000));
  EXPECT_PRED_FORMAT2(IsSubstring, "2023-11-14T22:13:20Z", text(again));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "wrong", text(again));
}

TEST_F(TracerTest, says_what_is_wrong_with_bytes_that_are_not_lekt) {
  const TraceStatus trace = start();
  receive("GET / HTTP/1.1\r\n\r\n");
  EXPECT_PRED_FORMAT2(IsSubstring, "wrong: E", text(trace));
  receive(heartbeat(1'700'000'000));
  EXPECT_PRED_FORMAT2(IsSubstring, "2023-11-14T22:13:20Z", text(trace)) << "and begins anew behind them";
}

TEST_F(TracerTest, lets_nothing_of_a_peer_control_a_terminal) {
  const TraceStatus trace = start();
  receive("LEKTH\x1b[2J\x1b]0;x\a\r\n\x1b[31m-------");
  tracer_.note(seven, 3, "ended: \x1b[31m\nnew line");
  EXPECT_EQ(text(trace).find('\x1b'), std::string::npos);
  EXPECT_PRED_FORMAT2(IsSubstring, "session 3 ended: \\x1b[31m\\nnew line\n", text(trace));
}

TEST_F(TracerTest, shows_the_beginning_of_a_large_answer_and_counts_the_rest) {
  const TraceStatus trace = start();
  Output output;
  for (int packet = 0; packet < 5000; ++packet) write(output.copied(), UpdatePacket{});
  tracer_.sent(seven, 3, output, catalogue_);
  EXPECT_PRED_FORMAT2(IsSubstring, "sent 100000 bytes\n", text(trace));
  EXPECT_PRED_FORMAT2(IsSubstring, "34464 bytes more are not shown\n", text(trace));
}

TEST_F(TracerTest, makes_files_that_the_world_cannot_read_and_overwrites_none) {
  const TraceStatus first = start();
  const TraceStatus second = start();
  EXPECT_NE(first.file, second.file);
  EXPECT_PRED_FORMAT2(IsSubstring, "another trace of the same addresses begins", text(first));
  struct stat status {};
  ASSERT_EQ(stat(first.file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007, 0u);
  EXPECT_EQ(tracer_.list(now_).size(), 1u);
}

TEST_F(TracerTest, ends_when_its_time_has_passed) {
  const TraceStatus trace = start(only_seven, 60s);
  tracer_.end_expired(now_ + 59s);
  EXPECT_TRUE(tracer_.covers(seven));
  EXPECT_NEAR(tracer_.list(now_ + 59s).at(0).seconds_left, 1.0, 1e-6);
  tracer_.end_expired(now_ + 60s);
  EXPECT_FALSE(tracer_.covers(seven));
  EXPECT_PRED_FORMAT2(IsSubstring, "its time has passed", text(trace));
}

TEST_F(TracerTest, refuses_more_traces_than_there_may_be) {
  for (std::uint32_t number = 0; number < Tracer::traces_max; ++number) start(Block(numbered(1000 + number)));
  try {
    start();
    FAIL() << "one too many was started";
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::control_refused);
    EXPECT_PRED_FORMAT2(IsSubstring, "8 traces", error.what());
  }
}

TEST_F(TracerTest, says_where_a_file_cannot_be_made) {
  Tracer nowhere(directory_.path() / "missing");
  try {
    nowhere.start(only_seven, 60s, now_);
    FAIL() << "a file was made";
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::trace_failed);
    EXPECT_PRED_FORMAT2(IsSubstring, "missing/trace-10.0.0.7-", error.what());
  }
}

TEST_F(TracerTest, does_not_begin_on_a_full_disk) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = 0;
  setrlimit(RLIMIT_FSIZE, &full);
  EXPECT_THROW(start(), CodedError);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(tracer_.covers(seven));
}

TEST_F(TracerTest, ends_on_a_full_disk_and_disturbs_nobody) {
  const TraceStatus trace = start();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = 0;
  setrlimit(RLIMIT_FSIZE, &full);
  receive(heartbeat(1'700'000'000));
  EXPECT_TRUE(tracer_.flush());
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_PRED_FORMAT2(IsNotSubstring, "2023-11-14", text(trace));
  tracer_.end_expired(now_);
  EXPECT_FALSE(tracer_.covers(seven)) << "it is over, before its time";
}

/// Traces go into a pipe, which nobody reads at first: as a disk that hangs.
class HungTraceTest : public TracerTest {
 protected:
  HungTraceTest() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    reader_ = Descriptor(ends[0]);
    writer_ = Descriptor(ends[1]);
    fcntl(writer_.value(), F_SETPIPE_SZ, pipe_bytes);
    const int end_of_file = writer_.value();
    hung_.emplace(
        directory_.path(), [this](const auto&) { return Descriptor(writer_.release()); }, 100'000);
    hung_->start(only_seven, 60s, now_);
    if (!hung_->flush()) throw std::runtime_error("the first words are not written");
    fill(end_of_file);
  }

  /// From here on the thread hangs in its first write until the pipe is read, so that all losses are in one place.
  void fill(int end_of_file) {
    int unread = 0;
    ioctl(reader_.value(), FIONREAD, &unread);
    const std::string filler(static_cast<std::size_t>(pipe_bytes - unread - 1), '.');
    if (::write(end_of_file, (filler + "\n").data(), filler.size() + 1) != pipe_bytes - unread)
      throw std::runtime_error("the pipe is not full");
  }

  void receive_without_end() {
    const Bytes bytes = heartbeat(1'700'000'000);
    for (int packet = 0; packet < packets; ++packet) hung_->received(seven, 3, bytes, catalogue_);
  }

  std::string read_all() {
    std::string text;
    std::array<char, 65536> buffer{};
    for (ssize_t size = 1; size > 0 || (size < 0 && errno == EINTR);) {
      size = ::read(reader_.value(), buffer.data(), buffer.size());
      if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

  static constexpr int pipe_bytes = 4096;
  static constexpr int packets = 1000;
  Descriptor reader_{-1};
  Descriptor writer_{-1};
  std::optional<Tracer> hung_;
};

TEST_F(HungTraceTest, holds_nobody_up_and_tells_how_much_it_lacks) {
  receive_without_end();
  const std::uint64_t lost = hung_->lost();
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(hung_->list(now_).at(0).lost, lost);
  EXPECT_TRUE(hung_->end(only_seven));
  EXPECT_FALSE(hung_->flush(10ms)) << "the file is not complete yet, and whoever asks is told";
  const std::string text = read_all();
  std::size_t written = 0;
  for (std::size_t at = 0; (at = text.find("received 16 bytes\n", at)) != text.npos; ++at) ++written;
  EXPECT_EQ(written + lost, static_cast<std::size_t>(packets));
  EXPECT_PRED_FORMAT2(IsSubstring, "# " + std::to_string(lost) + " entries are missing here", text);
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "ended by the operator; the disk did not take " + std::to_string(lost) + " entries in time\n", text);
}

TEST_F(HungTraceTest, goes_on_when_the_disk_takes_something_again_and_says_what_it_lacks_in_between) {
  receive_without_end();
  const std::uint64_t lost = hung_->lost();
  std::string text;
  std::thread reading([&] { text = read_all(); });
  EXPECT_TRUE(hung_->flush(10s));
  hung_->note(seven, 3, "it goes on");
  EXPECT_EQ(hung_->lost(), lost);
  hung_.reset();
  reading.join();
  const std::size_t missing = text.find("# " + std::to_string(lost) + " entries are missing here");
  ASSERT_NE(missing, text.npos);
  EXPECT_GT(text.find("session 3 it goes on\n"), missing);
  EXPECT_PRED_FORMAT2(IsSubstring, "the trace ends: the server stops; the disk did not take", text);
}

TEST_F(HungTraceTest, does_not_keep_the_server_from_stopping) {
  receive_without_end();
  const auto begun = std::chrono::steady_clock::now();
  hung_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
}

TEST_F(HungTraceTest, lets_no_other_trace_begin_and_says_why) {
  receive_without_end();
  try {
    hung_->start(Block(address("192.0.2.1")), 60s, now_);
    FAIL() << "a trace began";
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::trace_failed);
    EXPECT_PRED_FORMAT2(IsSubstring, "the disk does not take ", error.what());
  }
  EXPECT_TRUE(hung_->covers(seven)) << "the first one still runs";
}

}  // namespace
}  // namespace lekt

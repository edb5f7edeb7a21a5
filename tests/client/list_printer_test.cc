// What is printed for a reader who is slow, away, or behind a full disk.
#include "client/command/list_printer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "client/command/output.h"
#include "common/descriptor.h"
#include "tests/client/fake_server.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

using namespace std::chrono_literals;
using test::tcp;

const MethodCatalogue tcp_only;

PeerChange newcomer(std::uint32_t number, std::uint16_t port) {
  return {PeerChange::Kind::added, Address::v4(0x0a000000 + number), {}, {tcp(port), {}}};
}

/// A pipe; what its reader gets.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader_ = Descriptor(ends[0]);
    writer_ = Descriptor(ends[1]);
    ::fcntl(reader_.value(), F_SETFL, O_NONBLOCK);
  }

  int writer() const { return writer_.value(); }
  void close_reader() { reader_ = Descriptor(-1); }

  bool has_anything() const {
    char byte = 0;
    return ::read(reader_.value(), &byte, 1) > 0;
  }

  /// Fills the pipe with lines, so that whoever writes to it next waits for the reader.
  void fill() {
    const std::string lines(4096, '\n');
    const int flags = ::fcntl(writer_.value(), F_GETFL);
    ::fcntl(writer_.value(), F_SETFL, flags | O_NONBLOCK);
    while (::write(writer_.value(), lines.data(), lines.size()) > 0) {
    }
    ::fcntl(writer_.value(), F_SETFL, flags);
  }

  /// Reads until the text ends like this.
  const std::string& read_until(const std::string& end) {
    EXPECT_TRUE(test::eventually([&] {
      std::array<char, 65536> buffer{};
      ssize_t size = 0;
      while ((size = ::read(reader_.value(), buffer.data(), buffer.size())) > 0)
        text_.append(buffer.data(), static_cast<std::size_t>(size));
      return text_.ends_with(end);
    })) << text_.substr(text_.size() - std::min<std::size_t>(text_.size(), 200));
    return text_;
  }

 private:
  Descriptor reader_{-1};
  Descriptor writer_{-1};
  std::string text_;
};

TEST(ListPrinter, lines_of_an_answer_come_together_and_in_order) {
  Pipe pipe;
  ListPrinter printer(pipe.writer(), ListPrinter::Format::text, tcp_only, {});
  printer.add(newcomer(1, 1));
  printer.add(newcomer(2, 1));
  printer.flush({});
  printer.add(newcomer(3, 1));
  printer.flush({});
  EXPECT_EQ(pipe.read_until("10.0.0.3 tcp:1\n"), "+ 10.0.0.1 tcp:1\n+ 10.0.0.2 tcp:1\n+ 10.0.0.3 tcp:1\n");
}

/// Changes the port of one peer until something is left out. Yields how many changes there were.
std::uint64_t churn_until_skipping(ListPrinter& printer, Peers& peers) {
  for (std::uint64_t changes = 1; changes < 1'000'000; ++changes) {
    const PeerChange change = newcomer(1, static_cast<std::uint16_t>(changes % 60'000 + 1));
    peers[change.address] = change.now;
    printer.add(change);
    printer.flush(peers);
    if (printer.has_failed()) return changes;
  }
  return 0;
}

TEST(ListPrinter, a_reader_who_was_away_is_told_what_he_missed_and_has_the_list_again) {
  Pipe pipe;
  pipe.fill();
  Peers peers;
  testing::internal::CaptureStderr();
  {
    ListPrinter printer(pipe.writer(), ListPrinter::Format::json, tcp_only, {.bytes_max = 1000});
    printer.add(ConnectionEvent{ConnectionEvent::Kind::joined, "s"});
    ASSERT_GT(churn_until_skipping(printer, peers), 0u);
    printer.add({PeerChange::Kind::removed, Address::v4(0x0a000001), {}, {}});
    printer.add(newcomer(2, 7));
    printer.add({ConnectionEvent::Kind::complete, "s", {}, 1});
    peers = {{newcomer(2, 7).address, newcomer(2, 7).now}};
    printer.flush(peers);
    EXPECT_TRUE(test::eventually([&] {
      pipe.read_until("\n");
      printer.flush(peers);
      return !printer.has_failed();
    }));
    EXPECT_TRUE(printer.finish(10s));
  }
  EXPECT_TRUE(
      pipe.read_until("\"complete\",\"peers\":1}\n")
          .ends_with("{\"event\":\"skipped\",\"changes\":3}\n"
                     "{\"event\":\"joined\",\"server\":\"s\",\"address\":null}\n"
                     "{\"event\":\"added\",\"address\":\"10.0.0.2\",\"methods\":[{\"index\":1,\"name\":"
                     "\"tcp\",\"port\":7}]}\n"
                     "{\"event\":\"complete\",\"peers\":1}\n"));
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      "lekt: E713 standard output is not read fast enough; changes are left out until it is, and the list "
      "is told anew then\n"
      "lekt: standard output is read again; 3 changes were left out, and the list is told anew\n");
}

TEST(ListPrinter, people_are_told_in_a_line) {
  Pipe pipe;
  pipe.fill();
  Peers peers;
  testing::internal::CaptureStderr();
  {
    ListPrinter printer(pipe.writer(), ListPrinter::Format::text, tcp_only, {.bytes_max = 100});
    ASSERT_GT(churn_until_skipping(printer, peers), 0u);
    EXPECT_TRUE(test::eventually([&] {
      pipe.read_until("\n");
      printer.flush(peers);
      return !printer.has_failed();
    }));
    EXPECT_TRUE(printer.finish(10s));
  }
  testing::internal::GetCapturedStderr();
  const std::string last =
      text_of({PeerChange::Kind::added, peers.begin()->first, {}, peers.begin()->second}, {});
  EXPECT_TRUE(
      pipe.read_until(last).ends_with("! 1 changes were left out; this is the list as it is now\n" + last));
}

TEST(ListPrinter, what_fails_is_tried_again_and_said_once) {
  testing::internal::CaptureStderr();
  {
    const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    ListPrinter printer(full.value(), ListPrinter::Format::text, tcp_only,
                        {.retry_first = 1ms, .retry_last = 1ms});
    for (int i = 0; i < 20; ++i) {
      printer.add(newcomer(1, 1));
      printer.flush({});
      printer.finish(1s);
    }
    EXPECT_TRUE(printer.has_failed());
    EXPECT_FALSE(printer.is_gone());
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "lekt: E706 cannot write to standard output: No space left on device; it is tried again until it "
            "works\n");
}

TEST(PatientWriter, notices_at_once_that_its_reader_has_gone) {
  Pipe pipe;
  std::atomic<bool> told = false;
  PatientWriter writer(pipe.writer(), {.on_gone = [&] { told = true; }});
  EXPECT_TRUE(writer.offer("text\n", 0));
  EXPECT_TRUE(writer.finish(10s));
  pipe.close_reader();
  EXPECT_TRUE(test::eventually([&] { return told.load(); }));
  EXPECT_TRUE(writer.is_gone());
  EXPECT_FALSE(writer.offer("text\n", 0));
}

TEST(PatientWriter, waits_for_a_reader_of_a_descriptor_that_does_not_block) {
  Pipe pipe;
  ::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK);
  PatientWriter writer(pipe.writer(), {});
  const std::string text = std::string(300'000, 'x') + "\n";
  EXPECT_TRUE(writer.offer(text, 0));
  EXPECT_FALSE(writer.finish(20ms));
  EXPECT_EQ(pipe.read_until("\n"), text);
}

TEST(PatientWriter, whose_descriptor_is_closed_writes_to_no_other_file_that_gets_its_number) {
  Pipe first;
  Pipe second;
  const int number = ::fcntl(first.writer(), F_DUPFD_CLOEXEC, 0);
  ASSERT_GE(number, 0);
  PatientWriter writer(number, {});
  const std::string text = std::string(300'000, 'x') + "\n";
  EXPECT_TRUE(writer.offer(text, 0));
  EXPECT_FALSE(writer.finish(20ms));  // the pipe is full: the thread is in the middle of the text
  ASSERT_EQ(::dup3(second.writer(), number, O_CLOEXEC), number);
  EXPECT_EQ(first.read_until("\n"), text);
  EXPECT_TRUE(writer.finish(10s));
  EXPECT_FALSE(second.has_anything());
  ::close(number);
}

TEST(PatientWriter, of_a_closed_descriptor_says_so) {
  PatientWriter writer(-1, {});
  EXPECT_TRUE(test::eventually([&] { return writer.is_gone(); }));
  EXPECT_EQ(writer.error(), EBADF);
}

TEST(PatientWriter, keeps_one_text_of_any_size_and_a_bounded_rest) {
  Pipe pipe;
  PatientWriter writer(pipe.writer(), {.bytes_max = 1000});
  EXPECT_TRUE(writer.offer(std::string(300'000, 'x'), 0));
  EXPECT_FALSE(writer.offer("y", 0));
}

TEST(PatientStatus, a_reader_of_standard_error_that_does_not_read_holds_up_nobody) {
  Pipe pipe;
  const Descriptor before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(pipe.writer(), STDERR_FILENO);
  {
    const PatientStatus status;
    for (int i = 0; i < 10'000; ++i) print_status("a line of some length, which is told again and again");
  }
  ::dup2(before.value(), STDERR_FILENO);
  EXPECT_TRUE(pipe.read_until("\n").starts_with("lekt: a line"));
}

}  // namespace
}  // namespace lekt::command

// The file of --output: what is replaced, what is kept, and what is refused.
#include "client/command/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include "common/descriptor.h"
#include "common/errors.h"
#include "common/text.h"
#include "tests/support/support.h"

namespace lekt::command {
namespace {

class OutputFileTest : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return (directory_.path() / name).string(); }

  /// What is said when the path is looked at, or ""
  static std::string refusal(const std::string& path) {
    try {
      const OutputFile file(path);
      return "";
    } catch (const CodedError& error) {
      return error.what();
    }
  }

  static struct stat information_of(const std::string& path) {
    struct stat information {};
    EXPECT_EQ(::lstat(path.c_str(), &information), 0) << path;
    return information;
  }

  std::size_t entries() const {
    std::size_t found = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path())) ++found;
    return found;
  }

  const test::TempDirectory directory_;
};

/// Runs it in a process of its own; true if all it expects holds.
bool holds_in_child(const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check() ? 0 : 1);
  int status = 1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST_F(OutputFileTest, is_replaced_as_a_whole_and_nothing_is_left_beside_it) {
  OutputFile file(at("hosts"));
  file.write("a long first text\n");
  std::filesystem::create_hard_link(at("hosts"), at("held"));
  file.write("short\n");
  EXPECT_EQ(test::read_text(at("hosts")), "short\n");
  EXPECT_EQ(test::read_text(at("held")), "a long first text\n") << "who has the old file open keeps it";
  EXPECT_EQ(entries(), 2u);
}

TEST_F(OutputFileTest, the_check_changes_and_leaves_nothing) {
  std::ofstream(at("old")) << "old\n";
  const auto before = information_of(at("old"));
  EXPECT_EQ(refusal(at("old")), "");
  EXPECT_EQ(refusal(at("new")), "");
  EXPECT_EQ(entries(), 1u);
  EXPECT_EQ(information_of(at("old")).st_ino, before.st_ino);
}

TEST_F(OutputFileTest, a_new_one_can_be_read_by_others) {
  const mode_t mask = ::umask(022);
  OutputFile(at("hosts")).write("text\n");
  ::umask(mask);
  EXPECT_EQ(information_of(at("hosts")).st_mode & 07777, 0644u);
}

TEST_F(OutputFileTest, a_new_one_cannot_be_read_by_others_when_the_umask_says_so) {
  const mode_t mask = ::umask(027);
  OutputFile(at("hosts")).write("text\n");
  ::umask(mask);
  EXPECT_EQ(information_of(at("hosts")).st_mode & 07777, 0640u);
}

TEST_F(OutputFileTest, the_umask_of_other_threads_stays_as_it_is) {
  const mode_t mask = ::umask(022);
  std::atomic<bool> is_over = false;
  unsigned wrong = 0;
  std::thread making([&] {
    while (!is_over) {
      const Descriptor file(::open(at("other").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
      struct stat information {};
      EXPECT_EQ(::fstat(file.value(), &information), 0);
      if ((information.st_mode & 0777) != 0644) ++wrong;
      ::unlink(at("other").c_str());
    }
  });
  for (int round = 0; round < 2000; ++round) refusal(at("hosts"));
  is_over = true;
  making.join();
  ::umask(mask);
  EXPECT_EQ(wrong, 0u);
}

TEST_F(OutputFileTest, keeps_mode_owner_and_group_of_the_old_one) {
  std::ofstream(at("hosts")) << "old\n";
  if (::getuid() == 0) {
    ASSERT_EQ(::chown(at("hosts").c_str(), 1234, 4321), 0);
  }
  ASSERT_EQ(::chmod(at("hosts").c_str(), 0660), 0);
  const auto before = information_of(at("hosts"));
  OutputFile(at("hosts")).write("new\n");
  const auto after = information_of(at("hosts"));
  EXPECT_NE(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_gid, before.st_gid);
}

TEST_F(OutputFileTest, keeps_the_access_list_of_the_old_one) {
  constexpr const char* name = "system.posix_acl_access";
  // The owner may read and write it; user 1234 and the group may read it; nobody else may do anything.
  const Bytes list = test::hex(
      "02000000 01000600ffffffff 02000400d2040000 04000400ffffffff 10000400ffffffff 20000000ffffffff");
  std::ofstream(at("hosts")) << "old\n";
  if (::setxattr(at("hosts").c_str(), name, list.data(), list.size(), 0) != 0)
    GTEST_SKIP() << "needs a file system with access lists";
  const auto before = information_of(at("hosts"));
  OutputFile(at("hosts")).write("new\n");
  const auto after = information_of(at("hosts"));
  EXPECT_NE(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mode, before.st_mode);
  Bytes kept(2 * list.size(), '\0');
  const ssize_t size = ::getxattr(at("hosts").c_str(), name, kept.data(), kept.size());
  ASSERT_GT(size, 0);
  kept.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(to_hex(kept), to_hex(list));
}

TEST_F(OutputFileTest, a_link_stays_a_link_and_what_it_leads_to_is_replaced) {
  std::filesystem::create_directory(at("real"));
  std::ofstream(at("real/hosts")) << "old\n";
  std::filesystem::create_symlink("real/hosts", at("first"));
  std::filesystem::create_symlink(at("first"), at("second"));
  OutputFile(at("second")).write("new\n");
  EXPECT_TRUE(std::filesystem::is_symlink(at("first")));
  EXPECT_TRUE(std::filesystem::is_symlink(at("second")));
  EXPECT_EQ(test::read_text(at("real/hosts")), "new\n");
}

TEST_F(OutputFileTest, a_link_to_nothing_makes_the_file_that_it_names) {
  std::filesystem::create_symlink("later", at("link"));
  OutputFile(at("link")).write("new\n");
  EXPECT_TRUE(std::filesystem::is_symlink(at("link")));
  EXPECT_EQ(test::read_text(at("later")), "new\n");
}

TEST_F(OutputFileTest, what_is_no_regular_file_is_refused_and_stays) {
  std::filesystem::create_directory(at("directory"));
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  at("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::filesystem::create_symlink("loop", at("loop"));
  std::filesystem::create_symlink("/dev/null", at("link"));
  std::filesystem::create_symlink("missing/", at("slash"));
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {at("directory"), "is a directory"},
      {at("pipe"), "is a pipe"},
      {at("socket"), "is a socket"},
      {"/dev/null", "is a device"},
      {at("link"), "is a device"},
      {at("loop"), "is a link that leads nowhere"},
      {at("new/"), "names a directory"},
      {at("directory/."), "names a directory"},
      {at("slash"), "is a link to a directory"},
      {"", "is empty"}};
  for (const auto& [path, why] : wrong)
    EXPECT_EQ(refusal(path), "E705 --output \"" + path + "\" " + why +
                                 "; it has to be a regular file, or a name that is still free");
  EXPECT_EQ(entries(), 6u);
}

TEST_F(OutputFileTest, a_file_without_a_name_is_refused) {
  const Descriptor file(::open(at("gone").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::unlink(at("gone").c_str()), 0);
  EXPECT_NE(refusal("/proc/self/fd/" + std::to_string(file.value())).find("leads to a file that has no name"),
            std::string::npos);
  EXPECT_EQ(entries(), 0u);
}

TEST_F(OutputFileTest, a_directory_that_is_not_there_is_named) {
  EXPECT_EQ(refusal(at("missing/hosts")),
            "E706 cannot create a file beside \"" + at("missing/hosts") + "\": No such file or directory");
}

TEST_F(OutputFileTest, what_becomes_a_directory_later_is_a_failure_and_stays) {
  OutputFile file(at("hosts"));
  std::filesystem::create_directory(at("hosts"));
  try {
    file.write("text\n");
    FAIL();
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_failed);
    EXPECT_TRUE(std::string(error.what()).starts_with("E706 --output")) << error.what();
  }
  EXPECT_EQ(entries(), 1u);
}

TEST_F(OutputFileTest, leftovers_of_a_killed_writer_are_removed_and_those_of_a_living_one_are_not) {
  const std::vector<std::string> kept = {".hosts.lekt-short", ".other.lekt-abcdef", "hosts.lekt-abcdef"};
  for (const std::string& name : kept) std::ofstream(at(name)) << "x";
  std::ofstream(at(".hosts.lekt-abcdef")) << "half";
  std::ofstream(at(".hosts.lekt-locked")) << "half";
  const Descriptor living(::open(at(".hosts.lekt-locked").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(living.value(), LOCK_EX), 0);
  const OutputFile file(at("hosts"));
  EXPECT_FALSE(std::filesystem::exists(at(".hosts.lekt-abcdef")));
  EXPECT_TRUE(std::filesystem::exists(at(".hosts.lekt-locked")));
  EXPECT_EQ(entries(), kept.size() + 1);
}

TEST_F(OutputFileTest, a_name_of_the_greatest_length_works) {
  const std::string path = at(std::string(255, 'n'));
  OutputFile(path).write("text\n");
  EXPECT_EQ(test::read_text(path), "text\n");
}

TEST_F(OutputFileTest, is_known_again_and_a_change_by_others_is_seen) {
  OutputFile file(at("hosts"));
  file.write("text\n");
  EXPECT_EQ(file.look("text\n"), OutputFile::Found::same);
  std::ofstream(at("hosts")) << "edit\n";
  EXPECT_EQ(file.look("text\n"), OutputFile::Found::other);
  std::ofstream(at("equal")) << "text\n";
  std::filesystem::rename(at("equal"), at("hosts"));
  EXPECT_EQ(file.look("text\n"), OutputFile::Found::same);
  std::filesystem::remove(at("hosts"));
  EXPECT_EQ(file.look("text\n"), OutputFile::Found::missing);
}

TEST_F(OutputFileTest, in_a_directory_that_may_not_be_written_it_is_written_in_place) {
  std::filesystem::create_directory(at("sealed"));
  std::ofstream(at("sealed/hosts")) << "a longer old text\n";
  ASSERT_EQ(::chmod(at("sealed").c_str(), 0555), 0);
  ASSERT_EQ(::chmod(at("sealed/hosts").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
  const auto inode = information_of(at("sealed/hosts")).st_ino;
  EXPECT_TRUE(holds_in_child([&] {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return false;
    OutputFile file(at("sealed/hosts"));
    file.write("new\n");
    return file.in_place().find("no file can be created beside it") == 0;
  }));
  EXPECT_EQ(test::read_text(at("sealed/hosts")), "new\n");
  EXPECT_EQ(information_of(at("sealed/hosts")).st_ino, inode);
  ASSERT_EQ(::chmod(at("sealed").c_str(), 0755), 0);
}

TEST_F(OutputFileTest, what_belongs_to_somebody_else_is_written_in_place_or_not_at_all) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0777), 0);
  std::ofstream(at("open")) << "old\n";
  std::ofstream(at("closed")) << "old\n";
  ASSERT_EQ(::chmod(at("open").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(at("closed").c_str(), 0644), 0);
  EXPECT_TRUE(holds_in_child([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return false;
    OutputFile(at("open")).write("new\n");
    return refusal(at("closed")).find("E706 cannot write") == 0;
  }));
  EXPECT_EQ(test::read_text(at("open")), "new\n");
  EXPECT_EQ(information_of(at("open")).st_uid, 0u);
  EXPECT_EQ(test::read_text(at("closed")), "old\n");
}

TEST_F(OutputFileTest, a_mount_of_its_own_is_written_in_place) {
  std::ofstream(at("hosts")) << "a longer old text\n";
  const bool could_mount = holds_in_child([&] {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount(at("hosts").c_str(), at("hosts").c_str(), nullptr, MS_BIND, nullptr) == 0;
  });
  if (!could_mount) GTEST_SKIP() << "needs the right to mount";
  EXPECT_TRUE(holds_in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(at("hosts").c_str(), at("hosts").c_str(), nullptr, MS_BIND, nullptr) != 0)
      return false;
    OutputFile file(at("hosts"));
    file.write("new\n");
    return file.in_place() == "it is mounted by itself and cannot be replaced";
  }));
  EXPECT_EQ(test::read_text(at("hosts")), "new\n");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(OutputFileTest, a_file_system_that_is_full_spoils_nothing) {
  EXPECT_TRUE(holds_in_child([&] {
    const std::string place = at("small");
    std::filesystem::create_directory(place);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", place.c_str(), "tmpfs", 0, "size=64k") != 0)
      return true;  // needs the right to mount
    OutputFile file(place + "/hosts");
    file.write("old\n");
    try {
      file.write(std::string(100'000, 'x'));
      return false;
    } catch (const CodedError& error) {
      if (std::string(error.what()).find("No space left") == std::string::npos) return false;
    }
    const std::filesystem::directory_iterator all(place);
    return test::read_text(place + "/hosts") == "old\n" && std::distance(begin(all), end(all)) == 1;
  }));
}

}  // namespace
}  // namespace lekt::command

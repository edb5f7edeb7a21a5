// Files that are not to be touched, and databases that are not to be trusted.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "storage/backup.h"
#include "storage/file_checks.h"
#include "storage/reader.h"
#include "storage/stopped_database.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class RefusalTest : public StorageTest {
 protected:
  /// Opening fails with the code, says the words, and leaves every file of the directory as it was.
  void expect_refused(ErrorCode code, const std::string& words) {
    std::vector<std::pair<std::string, std::string>> before = contents();
    const CodedError error = error_of([&] { Database database(settings_); });
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    EXPECT_EQ(contents(), before) << "files were touched, made or removed";
  }

  /// Everything but the -shm files: SQLite may rebuild them, they hold nothing.
  std::vector<std::pair<std::string, std::string>> contents() const {
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::string& name : files_in(directory_))
      files.emplace_back(name, name.ends_with("-shm") ? "" : test::read_text(directory_ / name));
    return files;
  }

  void write_clients(int count) {
    settings_.durable = false;
    Database database(settings_);
    std::vector<Change> changes;
    for (int i = 1; i <= count; ++i)
      changes.push_back(added(static_cast<std::uint64_t>(i), started + 1, Address::v4(0x0a000000u + i),
                              {{tcp_index, tcp_information(7890)}}));
    commit(database, changes);
  }

  void execute(const std::string& sql) {
    SQLite::Database(path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
  }
};

TEST_F(RefusalTest, a_file_that_is_not_sqlite_is_left_alone) {
  write_file(path(), "dear diary");
  expect_refused(ErrorCode::database_foreign, "first bytes");
}

TEST_F(RefusalTest, an_sqlite_file_of_another_program_is_left_alone) {
  execute("PRAGMA journal_mode = WAL; PRAGMA application_id = 77; CREATE TABLE theirs (x);");
  expect_refused(ErrorCode::database_foreign, "application_id is 77");
}

TEST_F(RefusalTest, an_sqlite_file_without_an_application_id_is_not_ours) {
  execute("CREATE TABLE theirs (x);");
  expect_refused(ErrorCode::database_foreign, "application_id is 0");
}

TEST_F(RefusalTest, a_newer_schema_is_left_alone) {
  { Database database(settings_); }
  execute("PRAGMA user_version = 999;");
  expect_refused(ErrorCode::database_newer, "schema version 999");
}

TEST_F(RefusalTest, a_newer_schema_that_is_only_in_the_log_is_left_alone) {
  { Database database(settings_); }
  Child child([&](int output) {
    SQLite::Database other(path().string(), SQLite::OPEN_READWRITE);
    other.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 999;");
    send_number(output, 1);
    pause();
  });
  std::uint64_t written = 0;
  ASSERT_TRUE(child.read(written));
  child.kill();
  expect_refused(ErrorCode::database_newer, "schema version 999");
}

TEST_F(RefusalTest, a_damaged_page_is_found_at_the_start) {
  write_clients(2000);
  std::string content = test::read_text(path());
  ASSERT_GT(content.size(), 20u * 4096u);
  std::fill(content.begin() + 12 * 4096, content.begin() + 13 * 4096, '\x5a');
  write_file(path(), content);
  expect_refused(ErrorCode::database_corrupt, "damaged");
}

TEST_F(RefusalTest, a_truncated_database_is_found_at_the_start) {
  write_clients(2000);
  write_file(path(), test::read_text(path()).substr(0, 5 * 4096));
  expect_refused(ErrorCode::database_corrupt, "damaged");
}

TEST_F(RefusalTest, every_damaged_page_is_refused_or_holds_nothing) {
  write_clients(200);
  const std::string sound = test::read_text(path());
  for (std::size_t page = 0; page < sound.size() / 4096; ++page) {
    std::string content = sound;
    // Behind the header, so that the file is still recognised.
    for (std::size_t at = page * 4096 + (page == 0 ? 100 : 0); at < (page + 1) * 4096; ++at)
      content[at] ^= '\x55';
    write_file(path(), content);
    try {
      Database database(settings_);
      EXPECT_EQ(load_all(database).size(), 200u) << "page " << page;
    } catch (const CodedError& error) {
      EXPECT_EQ(error.code(), ErrorCode::database_corrupt) << "page " << page << ": " << error.what();
    }
  }
}

TEST_F(RefusalTest, a_log_without_its_database_is_not_mixed_into_a_new_one) {
  write_file(path().string() + "-wal", "committed rows");
  expect_refused(ErrorCode::database_corrupt, "write-ahead log");
  write_file(path(), "");
  expect_refused(ErrorCode::database_corrupt, "write-ahead log");
}

TEST_F(RefusalTest, an_empty_file_is_as_good_as_none) {
  write_file(path(), "");
  Database database(settings_);
  EXPECT_EQ(commit(database, {added(1, started + 1, "10.0.0.1")}), CommitResult::done);
}

TEST_F(RefusalTest, a_directory_that_does_not_exist_is_named) {
  settings_.path = directory_ / "missing" / "lekt.db";
  expect_refused(ErrorCode::database_unusable,
                 (directory_ / "missing").string() + " does not exist; create it");
}

TEST_F(RefusalTest, a_directory_is_not_a_file) {
  settings_.path = directory_;
  expect_refused(ErrorCode::database_unusable, "is a directory");
  settings_.path = directory_.string() + "/";
  expect_refused(ErrorCode::database_unusable, "is a directory");
}

TEST_F(RefusalTest, a_pipe_is_not_a_file) {
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  const CodedError error = error_of([&] { Database database(settings_); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
}

TEST_F(RefusalTest, a_failed_first_start_leaves_no_file_behind) {
  settings_.busy_wait = std::chrono::milliseconds(1);
  fs::create_directory(path().string() + "-wal");  // where SQLite cannot open its log
  const CodedError error = error_of([&] { Database database(settings_); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
  EXPECT_EQ(files_in(directory_), Lines{"lekt.db-wal"});
}

TEST_F(RefusalTest, a_failed_first_start_leaves_an_empty_file_empty) {
  write_file(path(), "");
  fs::create_directory(path().string() + "-wal");
  const CodedError error = error_of([&] { Database database(settings_); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
  EXPECT_EQ(files_in(directory_), (Lines{"lekt.db", "lekt.db-wal"}));
  EXPECT_EQ(fs::file_size(path()), 0u);
}

TEST_F(RefusalTest, a_database_in_use_names_the_process) {
  Child child([&](int output) {
    const Database database(settings_);
    send_number(output, 1);
    pause();
  });
  std::uint64_t opened = 0;
  ASSERT_TRUE(child.read(opened));
  expect_refused(ErrorCode::database_in_use, "process " + std::to_string(child.id()) + " holds the lock");
}

TEST_F(RefusalTest, a_second_name_of_the_file_leads_to_the_same_lock) {
  const Database database(settings_);
  settings_.path = directory_ / "alias.db";
  fs::create_symlink(path(), settings_.path);
  expect_refused(ErrorCode::database_in_use, "lekt.db.lock");
}

TEST_F(RefusalTest, a_database_with_a_second_name_is_left_alone_by_whoever_opens_it) {
  write_clients(3);
  const fs::path second = directory_ / "second.db";
  fs::create_hard_link(path(), second);
  settings_.path = second;
  expect_refused(ErrorCode::database_other_names, "has 2 names (hard links)");
  const auto expect_names = [](const std::function<void()>& action) {
    EXPECT_EQ(error_of(action).code(), ErrorCode::database_other_names);
  };
  expect_names([&] { StoppedDatabase({.path = second, .catalogue = &catalogue_}); });
  expect_names([&] { restore(second, path(), started); });
  expect_names([&] { Reader{second}; });
  EXPECT_FALSE(fs::exists(second.string() + ".lock"));
  fs::remove(second);
  settings_.path = path();
  const Database database(settings_);
}

TEST_F(RefusalTest, a_second_name_made_while_the_server_runs_keeps_nobody_from_looking) {
  Database database(settings_);
  commit_next(database);
  fs::create_hard_link(path(), directory_ / "kept.db");
  EXPECT_EQ(Reader(path()).server().clients, 3u);
  EXPECT_EQ(error_of([&] { Reader(directory_ / "kept.db"); }).code(), ErrorCode::database_other_names)
      << "there the log is missing";
}

TEST_F(RefusalTest, a_hard_link_of_a_backup_can_be_read) {
  Database database(settings_);
  back_up(path(), directory_ / "monday.db");
  fs::create_hard_link(directory_ / "monday.db", directory_ / "newest.db");
  EXPECT_EQ(Reader(directory_ / "newest.db").server().clients, 0u);
}

TEST_F(RefusalTest, a_file_that_is_a_mount_of_its_own_is_left_alone) {
  write_clients(3);
  const fs::path second = directory_ / "second.db";
  write_file(second, "");
  if (mount(path().c_str(), second.c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "needs the right to mount, and mount says: " << std::strerror(errno);
  settings_.path = second;
  expect_refused(ErrorCode::database_other_names, "mount the directory of the database instead");
  EXPECT_EQ(error_of([&] { Reader{second}; }).code(), ErrorCode::database_other_names);
  umount2(second.c_str(), MNT_DETACH);
}

TEST_F(RefusalTest, a_trigger_is_named_before_it_makes_joins_vanish) {
  write_clients(3);
  execute("CREATE TRIGGER eats AFTER INSERT ON client_record BEGIN DELETE FROM client_record; END");
  expect_refused(ErrorCode::database_corrupt, "it has the trigger eats");
}

TEST_F(RefusalTest, a_database_that_vanished_is_not_begun_anew_by_a_reopen) {
  Database database(settings_);
  fs::remove(path());
  fs::remove(path().string() + "-wal");
  const CodedError error = error_of([&] { database.reopen(); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable) << error.what();
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_EQ(error_of([&] { commit(database, {}); }).code(), ErrorCode::commit_failed);
}

TEST_F(RefusalTest, rows_that_the_program_cannot_have_written_are_named) {
  const struct {
    std::string sql;
    std::string words;
  } cases[] = {
      {"UPDATE client_record SET record = x'ff' WHERE sequence = 2", "sequence 2: its record cannot be read"},
      {"UPDATE client_record SET second = 5 WHERE sequence = 3", "sequence 3: second 5 is not within"},
      {"UPDATE client_record SET sequence = 9 WHERE sequence = 3",
       "sequence 9: the sequence is not within 1 to 3"},
      {"UPDATE client_record SET present = 0 WHERE sequence = 1", "sequence 1: a removed client has methods"},
      {"PRAGMA ignore_check_constraints = 1; UPDATE client_record SET address = -1 WHERE sequence = 1",
       "CHECK constraint failed in client_record"},
      {"UPDATE server_record SET forgotten_sequence = 100", "forgotten_sequence 100"},
      {"DELETE FROM server_record", "sequence 1: the sequence is not within 1 to 0"},
  };
  for (const auto& [sql, words] : cases) {
    for (const std::string& name : files_in(directory_)) fs::remove(directory_ / name);
    write_clients(3);
    execute(sql);
    const CodedError error = error_of([&] {
      Database database(settings_);
      load_all(database);
    });
    EXPECT_EQ(error.code(), ErrorCode::database_corrupt) << sql;
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << sql << "\n" << error.what();
  }
}

TEST(NetworkFileSystem, is_recognised_by_the_type_that_statfs_tells) {
  EXPECT_EQ(network_file_system(0x6969), "NFS");
  EXPECT_EQ(network_file_system(0xff534d42), "CIFS");
  EXPECT_EQ(network_file_system(0xfe534d42), "SMB2");
  EXPECT_EQ(network_file_system(0x01021997), "9P");
  EXPECT_EQ(network_file_system(0xef53), std::nullopt) << "ext4";
  EXPECT_EQ(network_file_system(0x01021994), std::nullopt) << "tmpfs";
  EXPECT_EQ(network_file_system(0x794c7630), std::nullopt) << "overlayfs";
}

}  // namespace

}  // namespace lekt::storage

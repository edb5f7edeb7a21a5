// Backup and restore: a copy is whole, nothing is overwritten, and nobody resumes across the gap.
#include "storage/backup.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "storage/check.h"
#include "storage/new_file.h"
#include "storage/reader.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

namespace fs = std::filesystem;
using testing::IsSubstring;
using Lines = std::vector<std::string>;

class BackupTest : public StorageTest {
 protected:
  BackupTest() : StorageTest(test::directory_in_memory()) {}

  fs::path copy() const { return directory_ / "copy.db"; }

  mode_t mode_of(const fs::path& file) const {
    struct stat found {};
    stat(file.c_str(), &found);
    return found.st_mode & 07777;
  }

  /// Three clients, and a backup of them; then one leaves and the server stops.
  void back_up_and_go_on() {
    Database database(settings_);
    commit_next(database);
    back_up(path(), copy());
    commit(database, {removed(known_batch + 1, started + 100, "10.0.0.1")});
    database.note_stop(started + 100);
  }

  void damage(const fs::path& file, const std::string& sql) {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
    database.exec(sql);
  }
};

TEST_F(BackupTest, copies_what_is_committed_while_the_server_runs) {
  Database database(settings_);
  for (int i = 0; i < 30; ++i) commit_next(database);
  const BackupResult result = back_up(path(), copy());
  EXPECT_EQ(result.sequence, 30 * known_batch);
  EXPECT_EQ(result.bytes, fs::file_size(copy()));
  commit_next(database);
  EXPECT_EQ(Reader(copy()).server().log.sequence, 30 * known_batch);
  EXPECT_EQ(check(copy()).findings, Lines{});
}

// A process that commits all the time; each copy is one state of it.
TEST_F(BackupTest, copies_one_state_however_busy_the_server_is) {
  Child child([&](int output) {
    Database database(settings_);
    for (std::uint64_t i = 1;; ++i) {
      commit_next(database);
      send_number(output, i);
    }
  });
  std::uint64_t number = 0;
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 20; ++j) ASSERT_TRUE(child.read(number));
    const fs::path target = directory_ / ("copy" + std::to_string(i));
    const BackupResult result = back_up(path(), target);
    EXPECT_GE(result.sequence, number * known_batch) << "what was committed before";
    EXPECT_EQ(result.sequence % known_batch, 0u) << "and no part of a commit";
    EXPECT_EQ(check(target).findings, Lines{});
  }
}

TEST_F(BackupTest, is_one_file_that_needs_nothing_beside_it) {
  Database database(settings_);
  commit_next(database);
  const fs::path shelf = directory_ / "shelf";
  fs::create_directory(shelf);
  back_up(path(), shelf / "copy.db");
  EXPECT_EQ(files_in(shelf), Lines{"copy.db"});
  EXPECT_EQ(Reader(shelf / "copy.db").server().log.sequence, known_batch);
  EXPECT_EQ(files_in(shelf), Lines{"copy.db"});
}

TEST_F(BackupTest, overwrites_nothing) {
  Database database(settings_);
  write_file(copy(), "a letter");
  EXPECT_EQ(error_of([&] { back_up(path(), copy()); }).code(), ErrorCode::target_exists);
  EXPECT_EQ(test::read_text(copy()), "a letter");
  fs::remove(copy());
  fs::create_symlink("nowhere", copy());
  EXPECT_EQ(error_of([&] { back_up(path(), copy()); }).code(), ErrorCode::target_exists);
}

TEST_F(BackupTest, shows_the_world_nothing) {
  Database database(settings_);
  ASSERT_EQ(chmod(path().c_str(), 0664), 0);
  back_up(path(), copy());
  EXPECT_EQ(mode_of(copy()), 0660u);
}

TEST_F(BackupTest, that_is_not_sound_is_no_backup) {
  {
    Database database(settings_);
    commit_next(database);
  }
  damage(path(), "UPDATE client_record SET record = x'ff' WHERE sequence = 2");
  Reader(path()).server();  // SQLite makes a log where there is none
  const Lines before = files_in(directory_);
  const CodedError error = error_of([&] { back_up(path(), copy()); });
  EXPECT_EQ(error.code(), ErrorCode::check_failed);
  EXPECT_PRED_FORMAT2(IsSubstring, "sequence 2", error.what());
  EXPECT_EQ(files_in(directory_), before);
}

TEST_F(BackupTest, that_cannot_be_written_is_named_and_not_the_database) {
  Database database(settings_);
  commit_next(database);
  const auto ignored = signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit {};
  getrlimit(RLIMIT_FSIZE, &limit);
  const struct rlimit small { 16 * 1024, limit.rlim_max };
  setrlimit(RLIMIT_FSIZE, &small);
  const CodedError error = error_of([&] { back_up(path(), copy()); });
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, ignored);
  EXPECT_EQ(error.code(), ErrorCode::database_unusable);
  EXPECT_PRED_FORMAT2(IsSubstring, "cannot use " + copy().string() + ": ", error.what());
  EXPECT_FALSE(fs::exists(copy()));
}

TEST_F(BackupTest, names_a_directory_that_is_not_there) {
  Database database(settings_);
  const CodedError error = error_of([&] { back_up(path(), directory_ / "none" / "copy.db"); });
  EXPECT_EQ(error.code(), ErrorCode::database_unusable);
  EXPECT_PRED_FORMAT2(IsSubstring, "none/copy.db", error.what());
}

TEST_F(BackupTest, is_restored_and_the_old_database_is_kept) {
  back_up_and_go_on();
  const RestoreResult result = restore(path(), copy(), started + 200);
  EXPECT_EQ(result.clients, 3u);
  EXPECT_EQ(result.kept, path().string() + ".before-restore-20260102T030720Z");
  EXPECT_EQ(Reader(result.kept).server().log.sequence, known_batch + 1) << "with its log";
  Database database(settings_);
  EXPECT_EQ(load_all(database).size(), 3u);
}

TEST_F(BackupTest, is_restored_with_a_history_that_begins_after_all_that_was_told) {
  back_up_and_go_on();
  EXPECT_EQ(restore(path(), copy(), started + 200).history_begins, started + 201);
  Database database(settings_);
  EXPECT_EQ(database.state().history_begins, started + 201);
  EXPECT_EQ(database.state().second, started + 202);
}

TEST_F(BackupTest, brings_its_identity_along) {
  settings_.make_identity = [] { return LogIdentity{1}; };
  back_up_and_go_on();
  restore(path(), copy(), started + 200);
  settings_.make_identity = [] { return LogIdentity{2}; };
  EXPECT_EQ(Database(settings_).identity(), LogIdentity{1});
  settings_.path = directory_ / "other.db";
  EXPECT_EQ(Database(settings_).identity(), LogIdentity{2});
  restore(settings_.path, copy(), started + 300);
  EXPECT_EQ(Database(settings_).identity(), LogIdentity{1}) << "of the log that its clients were told of";
}

TEST_F(BackupTest, is_restored_with_a_history_that_begins_late_enough_when_the_clock_went_back) {
  back_up_and_go_on();
  EXPECT_EQ(restore(path(), copy(), started - 1'000'000).history_begins, started + 101)
      << "the newest second that the lost history has given out is " << started + 100;
}

TEST_F(BackupTest, is_restored_where_the_old_database_is_lost_or_damaged) {
  back_up_and_go_on();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path().string() + suffix);
  EXPECT_EQ(restore(path(), copy(), started + 200).kept, "");
  EXPECT_EQ(mode_of(path()), 0640u);
  write_file(path(), std::string(5000, 'x'));
  const RestoreResult result = restore(path(), copy(), started + 300);
  EXPECT_EQ(test::read_text(result.kept), std::string(5000, 'x'));
  Database database(settings_);
  EXPECT_EQ(load_all(database).size(), 3u);
}

TEST_F(BackupTest, whose_restore_was_interrupted_lets_nobody_make_a_new_database_meanwhile) {
  back_up_and_go_on();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path().string() + suffix);
  const fs::path mark = path().string() + ".restoring";
  write_file(mark, "");
  EXPECT_THROW(Database{settings_}, CodedError);
  EXPECT_FALSE(fs::exists(path()));
  write_file(path().string() + ".bad", "no database");
  EXPECT_THROW(restore(path(), path().string() + ".bad", started + 200), CodedError);
  EXPECT_TRUE(fs::exists(mark)) << "one that fails as well changes nothing";
  restore(path(), copy(), started + 200);
  EXPECT_FALSE(fs::exists(mark));
  Database database(settings_);
  EXPECT_EQ(load_all(database).size(), 3u);
}

TEST_F(BackupTest, is_restored_twice_in_a_second_and_both_old_databases_are_kept) {
  back_up_and_go_on();
  const fs::path first = restore(path(), copy(), started + 200).kept;
  const fs::path second = restore(path(), copy(), started + 200).kept;
  EXPECT_NE(first, second);
  EXPECT_TRUE(fs::exists(first) && fs::exists(second));
}

TEST_F(BackupTest, is_restored_through_a_link_with_the_log_beside_what_it_leads_to) {
  const fs::path other = directory_ / "other.db";
  fs::create_symlink(other, directory_ / "link.db");
  {
    DatabaseSettings settings = settings_;
    settings.path = other;
    Database database(settings);
    commit_next(database);
    fs::copy(other.string() + "-wal", directory_ / "log");
    fs::copy(other, directory_ / "file");
  }
  fs::rename(directory_ / "file", other);  // as after a crash: all of it is in the log
  fs::rename(directory_ / "log", other.string() + "-wal");
  fs::remove(other.string() + "-shm");
  EXPECT_EQ(restore(path(), directory_ / "link.db", started + 200).clients, 3u);
}

TEST_F(BackupTest, is_restored_with_the_mode_of_the_old_database) {
  back_up_and_go_on();
  ASSERT_EQ(chmod(path().c_str(), 0600), 0);
  ASSERT_EQ(chmod(copy().c_str(), 0644), 0);
  restore(path(), copy(), started + 200);
  EXPECT_EQ(mode_of(path()), 0600u);
}

TEST_F(BackupTest, is_restored_for_the_owner_of_the_old_database) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  back_up_and_go_on();
  ASSERT_EQ(chown(path().c_str(), 65534, 65533), 0);
  restore(path(), copy(), started + 200);
  struct stat found {};
  ASSERT_EQ(stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 65534u);
  EXPECT_EQ(found.st_gid, 65533u);
}

TEST_F(BackupTest, of_the_sqlite3_shell_is_restored_too) {
  back_up_and_go_on();
  const fs::path other = directory_ / "a % strange # name?.db";
  shell(copy(), ".backup '" + other.string() + "'");
  EXPECT_EQ(restore(path(), other, started + 200).clients, 3u);
}

TEST_F(BackupTest, is_not_restored_under_a_running_server) {
  back_up_and_go_on();
  Database database(settings_);
  const Lines before = files_in(directory_);
  EXPECT_EQ(error_of([&] { restore(path(), copy(), started + 200); }).code(), ErrorCode::server_running);
  EXPECT_EQ(files_in(directory_), before);
}

TEST_F(BackupTest, that_was_damaged_is_not_restored) {
  back_up_and_go_on();
  damage(copy(), "UPDATE client_record SET second = 0 WHERE sequence = 3");
  const Lines before = files_in(directory_);
  const CodedError error = error_of([&] { restore(path(), copy(), started + 200); });
  EXPECT_EQ(error.code(), ErrorCode::check_failed);
  EXPECT_PRED_FORMAT2(IsSubstring, "sequence 3", error.what());
  EXPECT_EQ(files_in(directory_), before);
  EXPECT_EQ(Reader(path()).server().log.sequence, known_batch + 1);
}

TEST_F(BackupTest, with_a_trigger_or_a_sequence_without_room_is_not_restored) {
  back_up_and_go_on();
  for (const std::string sql :
       {"CREATE TRIGGER t AFTER INSERT ON client_record BEGIN DELETE FROM client_record; END",
        "DROP TRIGGER t; UPDATE server_record SET sequence = 9223372036854775807",
        "UPDATE server_record SET sequence = 3, second = 9223372036854775807"}) {
    damage(copy(), sql);
    EXPECT_EQ(error_of([&] { restore(path(), copy(), started + 200); }).code(), ErrorCode::check_failed)
        << sql;
  }
  EXPECT_EQ(Reader(path()).server().log.sequence, known_batch + 1);
}

TEST_F(BackupTest, takes_the_place_of_what_a_killed_one_has_left) {
  Database database(settings_);
  commit_next(database);
  const fs::path partial = copy().string() + ".partial";
  write_file(partial, "half a backup");
  write_file(partial.string() + "-journal", "and its journal");
  ASSERT_EQ(chmod(partial.c_str(), 0666), 0);
  back_up(path(), copy());
  EXPECT_FALSE(fs::exists(partial));
  EXPECT_FALSE(fs::exists(partial.string() + "-journal"));
  EXPECT_EQ(check(copy()).findings, Lines{});
}

TEST_F(BackupTest, writes_into_no_file_that_somebody_else_has_put_in_its_way) {
  Database database(settings_);
  const fs::path partial = copy().string() + ".partial";
  write_file(directory_ / "letter", "dear");
  for (const bool is_link : {true, false}) {
    is_link ? fs::create_symlink(directory_ / "letter", partial)
            : fs::create_hard_link(directory_ / "letter", partial);
    const CodedError error = error_of([&] { back_up(path(), copy()); });
    EXPECT_EQ(error.code(), ErrorCode::database_unusable);
    EXPECT_PRED_FORMAT2(IsSubstring, "copy.db.partial is in the way", error.what());
    EXPECT_EQ(test::read_text(directory_ / "letter"), "dear");
    fs::remove(partial);
  }
}

TEST_F(BackupTest, is_not_written_by_two_programs_at_once) {
  Database database(settings_);
  const NewFile other(copy());
  EXPECT_EQ(error_of([&] { back_up(path(), copy()); }).code(), ErrorCode::control_refused);
}

TEST_F(BackupTest, that_is_not_a_database_of_ours_is_not_restored) {
  back_up_and_go_on();
  write_file(directory_ / "letter", std::string(5000, 'x'));
  EXPECT_EQ(error_of([&] { restore(path(), directory_ / "letter", started + 200); }).code(),
            ErrorCode::database_corrupt);
  EXPECT_EQ(error_of([&] { restore(path(), directory_ / "none", started + 200); }).code(),
            ErrorCode::database_unusable);
  EXPECT_EQ(Reader(path()).server().log.sequence, known_batch + 1);
}

}  // namespace

}  // namespace lekt::storage

// The check finds what a careless hand or a broken disk has done, and says where.
#include "storage/check.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "storage/migrations.h"
#include "storage/reader.h"
#include "tests/storage/support.h"

namespace lekt::storage {

namespace {

using testing::IsSubstring;

class CheckTest : public StorageTest {
 protected:
  CheckTest() : StorageTest(test::directory_in_memory()) {
    catalogue_.add("2:chat:sized");
    catalogue_.add("3:colour:fixed:3");
    Database database(settings_);
    const MethodForm sized{MethodForm::Kind::sized, 0};
    const MethodForm fixed{MethodForm::Kind::fixed, 3};
    const Methods rich = {{1, tcp_information(1)},
                          {2, MethodCatalogue::wrap(sized, "hello")},
                          {3, MethodCatalogue::wrap(fixed, "rgb")},
                          {9, Bytes("\0\0\0\7", 4)},
                          {device_index, MethodCatalogue::wrap(sized, "uid=a\"b")}};
    const Methods long_one = {{1, tcp_information(2)}, {2, MethodCatalogue::wrap(sized, Bytes(900, 'x'))}};
    commit(database, {added(1, started + 1, "10.0.0.1"), added(2, started + 2, address_of("10.0.0.2"), rich),
                      added(3, started + 3, address_of("10.0.0.3"), long_one),
                      added(4, started + 3, address_of("10.0.0.4"), {})});
    commit(database, {removed(5, started + 5, "10.0.0.1"), added(6, started + 6, "10.0.0.6")});
    database.note_stop(started + 10);
  }

  void change(const std::string& sql) {
    SQLite::Database database(path().string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA ignore_check_constraints = 1; " + sql);
  }

  /// The only finding, or what there is instead.
  std::string finding() {
    const CheckResult result = check(path());
    if (result.findings.size() == 1) return result.findings.front();
    std::string all = std::to_string(result.findings.size()) + " findings";
    for (const std::string& found : result.findings) all += "; " + found;
    return all;
  }
};

TEST_F(CheckTest, finds_nothing_in_a_sound_database) {
  const CheckResult result = check(path());
  EXPECT_EQ(result.findings, std::vector<std::string>{});
  EXPECT_EQ(result.clients, 5u);
  EXPECT_EQ(result.changes, 6u);
}

TEST_F(CheckTest, finds_nothing_while_a_server_writes) {
  Database database(settings_);
  EXPECT_EQ(check(path()).findings.size(), 0u);
}

TEST_F(CheckTest, names_the_row_of_a_record_that_cannot_be_read) {
  change("UPDATE client_record SET record = x'ffff' WHERE sequence = 2");
  EXPECT_EQ(finding(), "client_record, sequence 2: its record cannot be read");
}

TEST_F(CheckTest, compares_the_words_with_the_record) {
  change("UPDATE client_record SET methods = 'tcp:7891' WHERE sequence = 6");
  EXPECT_EQ(
      finding(),
      "client_record, sequence 6: column methods has \"tcp:7891\", the record has method 1 with 00001ed2");
}

TEST_F(CheckTest, compares_words_of_methods_that_only_the_server_knows_by_their_content) {
  change("UPDATE client_record SET methods = replace(methods, 'chat:68', 'chat:69')");
  EXPECT_PRED_FORMAT2(IsSubstring, "sequence 2: column methods has \"chat:69", finding());
}

class CheckOfTextTest : public CheckTest {
 protected:
  CheckOfTextTest() {
    catalogue_.add("4:place:text");
    const MethodForm text{MethodForm::Kind::text, 0};
    Database database(settings_);
    commit(database, {added(7, started + 20, address_of("10.0.0.7"),
                            {{4, MethodCatalogue::wrap(text, "the \"hall\" 2")},
                             {name_index, MethodCatalogue::wrap(text, "kitchen pi tcp:22")}}),
                      added(8, started + 20, address_of("10.0.0.8"),
                            {{name_index, MethodCatalogue::wrap(text, long_name)}})});
    database.note_stop(started + 30);
  }

  /// Its 497th byte is within a character.
  const std::string long_name = [] {
    std::string text = "x";
    while (text.size() < 900) text += "\u00fc";
    return text;
  }();
};

TEST_F(CheckOfTextTest, finds_nothing_in_words_with_blanks_nor_in_text_that_is_cut) {
  EXPECT_EQ(check(path()).findings, std::vector<std::string>{});
  const auto cut = Reader(path()).client(address_of("10.0.0.8"));
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->methods.ends_with("\u00fc...")) << cut->methods;
}

TEST_F(CheckOfTextTest, finds_a_text_that_is_not_in_the_record) {
  change("UPDATE client_record SET methods = replace(methods, 'hall', 'halls') WHERE sequence = 7");
  EXPECT_PRED_FORMAT2(IsSubstring, "the record has method 4", finding());
  change("UPDATE client_record SET methods = replace(replace(methods, 'halls', 'hall'), 'pi', 'pie')");
  EXPECT_PRED_FORMAT2(IsSubstring, "the record has method 3007", finding());
}

TEST_F(CheckOfTextTest, bears_method_3007_of_earlier_servers_which_was_not_the_name) {
  change(
      "UPDATE client_record SET methods = replace(methods, 'name:\"kitchen pi tcp:22\"', "
      "'motd:6b69746368656e207069207463703a3232') WHERE sequence = 7");
  EXPECT_EQ(check(path()).findings, std::vector<std::string>{});
  change("UPDATE client_record SET methods = replace(methods, 'motd:6b', 'motd:6c') WHERE sequence = 7");
  EXPECT_PRED_FORMAT2(IsSubstring, "the record has method 3007", finding());
}

TEST_F(CheckTest, finds_words_too_many_and_too_few) {
  change("UPDATE client_record SET methods = methods || ' chat:' WHERE sequence = 6");
  EXPECT_PRED_FORMAT2(IsSubstring, "has no more methods", finding());
  change("UPDATE client_record SET methods = '' WHERE sequence = 6");
  EXPECT_PRED_FORMAT2(IsSubstring, "column methods has \"\"", finding());
}

TEST_F(CheckTest, finds_a_removed_client_that_has_something) {
  change("UPDATE client_record SET sessions = 1 WHERE sequence = 5");
  EXPECT_EQ(finding(), "client_record, sequence 5: a removed client has sessions");
}

TEST_F(CheckTest, finds_presence_that_does_not_fit_the_newest_change) {
  change("UPDATE client_record SET present = 1, methods = '' WHERE sequence = 5");
  EXPECT_EQ(finding(), "change_record, sequence 5: it does not fit its address's row in client_record");
}

TEST_F(CheckTest, finds_a_change_that_its_client_does_not_know) {
  change(
      "UPDATE server_record SET sequence = 7;"
      "INSERT INTO change_record VALUES (7, 1767323046, 'removed', 167772166, '', '')");
  EXPECT_EQ(finding(), "change_record, sequence 7: it does not fit its address's row in client_record");
}

TEST_F(CheckTest, finds_seconds_that_descend_or_lie_ahead) {
  change(
      "UPDATE client_record SET second = 1, since = 1 WHERE sequence = 3;"
      "UPDATE change_record SET second = 1 WHERE sequence = 3");
  EXPECT_PRED_FORMAT2(IsSubstring, "client_record, sequence 3: second 1 is before that of an earlier change",
                      finding());
  change("UPDATE server_record SET second = 1767323041, history_begins = 1");
  EXPECT_PRED_FORMAT2(IsSubstring, "is later than the newest, 1767323041", finding());
}

TEST_F(CheckTest, finds_a_sequence_that_was_never_given_out) {
  change("UPDATE server_record SET sequence = 5");
  EXPECT_PRED_FORMAT2(IsSubstring, "client_record, sequence 6: the sequence is not within 1 to 5", finding());
}

TEST_F(CheckTest, finds_a_run_or_a_since_that_cannot_be) {
  change("UPDATE client_record SET run = 99 WHERE sequence = 6");
  EXPECT_EQ(finding(), "client_record, sequence 6: run 99 is not within 0 to 1");
  change("UPDATE client_record SET run = 1, since = second + 1 WHERE sequence = 6");
  EXPECT_PRED_FORMAT2(IsSubstring, "is later than its second", finding());
}

TEST_F(CheckTest, finds_a_block_with_bits_behind_its_prefix) {
  change("INSERT INTO ban_record VALUES (167772161, 8, 1, '', NULL)");
  EXPECT_EQ(finding(), "ban_record: 10.0.0.1/8 has bits behind its prefix");
}

TEST_F(CheckTest, finds_the_reason_of_a_removal_where_nobody_was_removed) {
  change("UPDATE client_record SET reason = 'closed' WHERE present = 1 AND sequence = 6");
  EXPECT_EQ(finding(), "client_record, sequence 6: it is no removal, and has the reason of one");
}

TEST_F(CheckTest, checks_the_bans_of_an_older_schema_that_has_them) {
  std::filesystem::remove(path());
  {
    SQLite::Database old(path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec("PRAGMA application_id = 1279609684");
    auto sections = split_migrations(schema_text);
    sections.resize(3);
    migrate(old, sections);
    old.exec("INSERT INTO server_record VALUES (1, 9, 0, 8, 0, '0.1.0', 8, 8, NULL, 1)");
    old.exec("INSERT INTO ban_record VALUES (167772161, 8, 1, '')");
  }
  EXPECT_EQ(finding(), "ban_record: 10.0.0.1/8 has bits behind its prefix");
}

TEST_F(CheckTest, finds_what_SQLite_finds) {
  change(
      "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'present = 0', 'present = 1') "
      "WHERE name = 'removed_by_second'");
  EXPECT_PRED_FORMAT2(IsSubstring, "SQLite: ", check(path()).findings.at(0));
}

TEST_F(CheckTest, finds_what_is_not_of_this_program_in_the_schema) {
  change("CREATE VIEW mine AS SELECT 1");
  EXPECT_EQ(finding(), "schema: the view mine is not of this program; drop it");
  change(
      "DROP VIEW mine; CREATE TRIGGER t AFTER INSERT ON client_record BEGIN DELETE FROM client_record; END");
  EXPECT_EQ(finding(), "schema: the trigger t is not of this program; drop it");
  change("DROP TRIGGER t; DROP VIEW warnings");
  EXPECT_EQ(finding(), "schema: the view warnings is missing");
  change("CREATE VIEW warnings AS SELECT 1");
  EXPECT_EQ(finding(), "schema: the view warnings is not defined as this program defines it");
}

TEST_F(CheckTest, bears_the_statistics_of_SQLite) {
  change("ANALYZE");
  EXPECT_EQ(check(path()).findings, std::vector<std::string>{});
}

TEST_F(CheckTest, finds_a_sequence_and_a_second_that_leave_no_room) {
  change("UPDATE server_record SET sequence = 9223372036854775807");
  EXPECT_PRED_FORMAT2(IsSubstring, "beyond all that a server can reach", finding());
  change("UPDATE server_record SET sequence = 6, second = 9223372036854775806");
  EXPECT_PRED_FORMAT2(IsSubstring, "second 9223372036854775806 is not within 0 to", finding());
  change("UPDATE server_record SET second = 1767323050, history_begins = -1");
  EXPECT_PRED_FORMAT2(IsSubstring, "second -1 is not within 0 to", finding());
}

TEST_F(CheckTest, finds_more_bans_than_a_server_takes) {
  change(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 10000) "
      "INSERT INTO ban_record (address, prefix, second, reason) SELECT i, 32, 1, '' FROM n");
  EXPECT_PRED_FORMAT2(IsSubstring, "ban_record: there are 10001 bans", finding());
}

TEST_F(CheckTest, finds_an_empty_server_record) {
  change("DELETE FROM server_record");
  EXPECT_PRED_FORMAT2(IsSubstring, "server_record is empty", finding());
}

}  // namespace

}  // namespace lekt::storage

#include "tests/core/writer_support.h"

namespace lekt::test {

using namespace std::chrono_literals;

WriterTest::WriterTest(const std::filesystem::path& parent) : directory_(parent) {
  database_settings_.path = path();
  database_settings_.catalogue = &catalogue_;
  database_settings_.program_version = "0.1.0";
  database_settings_.busy_wait = 1ms;
  database_settings_.durable = false;
  settings_.limits = {100, limits::packet_bytes_floor};
}

void WriterTest::start() {
  writer_.reset();
  database_.reset();
  database_settings_.started = now_.wall;
  database_ = std::make_unique<storage::Database>(database_settings_);
  writer_ = std::make_unique<Writer>(*database_, settings_, now_);
}

void WriterTest::pass(AwakeTime time) {
  now_.awake += time;
  now_.wall = started + std::chrono::duration_cast<std::chrono::seconds>(now_.awake - 1000s).count();
}

void WriterTest::turns(int seconds) {
  turn();
  for (int second = 0; second < seconds; ++second) {
    pass(1s);
    turn();
  }
}

void WriterTest::join(SessionId session, std::string_view dotted, std::uint16_t port) {
  writer_->join(session, address(dotted), tcp(port), now_);
}

void WriterTest::leave(SessionId session, std::string_view dotted) {
  writer_->leave(session, address(dotted), LeaveReason::closed);
}

List WriterTest::stored() const {
  List list;
  SQLite::Database reader(path().string(), SQLite::OPEN_READONLY);
  SQLite::Statement query(reader, "SELECT address, methods FROM clients");
  while (query.executeStep()) list[query.getColumn(0).getString()] = query.getColumn(1).getString();
  return list;
}

Lines words(const std::vector<Writer::Completion>& completions) {
  Lines lines;
  for (const Writer::Completion& completion : completions)
    lines.push_back(std::to_string(completion.session) + " " +
                    (completion.rejection ? code_text(completion.rejection->code) : "joined"));
  return lines;
}

Lines words(const std::vector<storage::Change>& changes) {
  Lines lines;
  for (const storage::Change& change : changes) {
    const std::string methods = MethodCatalogue().describe(change.methods);
    lines.push_back((change.kind == UpdateKind::added ? "+ " : "- ") + to_string(change.address) +
                    (methods.empty() ? "" : " ") + methods);
  }
  return lines;
}

}  // namespace lekt::test

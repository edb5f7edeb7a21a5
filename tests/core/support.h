// What the tests of server/ share: short ways to write clients down, a client that does nothing but follow
// the rule, and a change log with the state that a writer would keep for it.
//
// Everything throws std::invalid_argument on bytes that are no answer: a slip is a failure, not an empty
// list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/catalogue.h"
#include "common/packets.h"
#include "server/core/change_log.h"
#include "server/core/change_view.h"
#include "storage/database.h"

namespace lekt::test {

Address address(std::string_view dotted);
/// The `number`-th address of 10.0.0.0/8.
Address numbered(std::uint32_t number);
Methods tcp(std::uint16_t port);
/// A method whose information takes `size` bytes in an entry; the catalogues of the tests do not know it.
Methods filler(std::size_t size);

/// The clients that are here: address and methods, in words.
using List = std::map<std::string, std::string>;

/// One packet of an answer, taken apart.
struct AnswerPacket {
  UpdatePacket head;
  std::vector<AddedEntry> added;
  std::vector<Address> removed;
  std::size_t size = 0;  ///< in bytes
};
std::vector<AnswerPacket> take_apart(ByteView answer);

/// Follows the rule: sends the last timestamp, applies in order, empties its list when it asks for all.
class Follower {
 public:
  std::int64_t ask();
  void apply(const AnswerPacket& packet);
  void apply(const std::vector<AnswerPacket>& packets);

  const List& list() const { return list_; }
  std::int64_t timestamp() const { return timestamp_; }

 private:
  List list_;
  std::int64_t timestamp_ = 0;
};

/// The complete answer of `view`, as bytes.
Bytes answer_of(const ChangeView& view, Cursor& cursor, std::int64_t timestamp);
/// The clients that are here, as a client learns that asks for all of them.
List list_of(const ChangeView& view);

/// A change log together with what a writer keeps: seconds, sequence numbers, what was forgotten. It began in
/// second 1000. Changes gather until the second changes, a view is asked for, or commit() is called.
class History {
 public:
  static constexpr std::int64_t begins = 1000;

  explicit History(std::size_t packet_bytes_max = limits::packet_bytes_default);

  History& at(std::int64_t second);
  History& add(Address address, Methods methods);
  History& add(std::string_view dotted, std::uint16_t port = 7890);
  History& remove(Address address);
  History& remove(std::string_view dotted);
  History& commit();
  /// Forgets the removals before `second`, as a writer does once they are too old.
  History& forget(std::int64_t second);

  std::shared_ptr<const ChangeView> view();
  /// The cursor of a session that joins now.
  Cursor join() const;
  /// The clients that are here, according to the changes themselves.
  const List& list() const { return list_; }
  const ChangeLog& log() const { return log_; }
  std::int64_t second() const { return state_.second; }
  std::uint64_t sequence() const { return state_.sequence; }

 private:
  void gather(UpdateKind kind, Address address, Methods methods);

  ChangeLog log_;
  storage::LogState state_;
  std::vector<storage::Change> gathered_;
  List list_;
};

}  // namespace lekt::test

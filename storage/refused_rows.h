// The rows for operators that a batch had to leave out because somebody's trigger or a constraint refused them.
//
// Such a row is left out, and the rest of the batch is written. If a trigger ends the whole transaction, as
// RAISE(ROLLBACK) does, the batch is written again from the beginning. All rows of that kind are then left out (of
// bans, only the refused one), so that this ends soon. Used by the thread that writes.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/database.h"

namespace lekt::storage {

/// A trigger has ended the transaction: nothing of the batch was written. It has to be written again, in a new
/// transaction.
struct TransactionEnded {};

class RefusedRows {
 public:
  explicit RefusedRows(SQLite::Database& database) : database_(database) {}

  /// Calls `write`, unless a row of this kind has ended a transaction before. `name()` says which row it is, and `ban`
  /// which ban. Throws TransactionEnded, and every error that is not a refusal; the statements are reset then.
  template <class Write, class Name>
  void attempt(RowKind kind, Write write, Name name, const std::optional<Block>& ban = std::nullopt);

  /// The refused rows: the first of each kind, and all bans.
  const std::vector<RefusedRow>& list() const { return rows_; }

 private:
  struct LeftOut {
    RowKind kind;
    std::optional<Block> ban;
  };

  const RefusedRow* find(RowKind kind, const std::optional<Block>& ban) const {
    const auto found = std::ranges::find_if(
        rows_, [&](const RefusedRow& row) { return row.kind == kind && row.ban == ban; });
    return found == rows_.end() ? nullptr : &*found;
  }

  SQLite::Database& database_;
  std::vector<RefusedRow> rows_;
  std::vector<LeftOut> left_out_;
};

/// Whether the error is a refusal: a constraint, or a trigger that cannot run because, for instance, its table is gone.
inline bool is_refusal(const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xff;
  return code == SQLITE_CONSTRAINT || code == SQLITE_ERROR || code == SQLITE_MISMATCH;
}

template <class Write, class Name>
void RefusedRows::attempt(RowKind kind, Write write, Name name, const std::optional<Block>& ban) {
  for (const LeftOut& left_out : left_out_)
    if (left_out.kind == kind && left_out.ban == ban) return;
  try {
    write();
  } catch (const SQLite::Exception& error) {
    if (!is_refusal(error)) throw;
    if (find(kind, ban) == nullptr) rows_.push_back({kind, name(), error.what(), ban});
    if (sqlite3_get_autocommit(database_.getHandle()) == 0) return;
    left_out_.push_back({kind, ban});
    throw TransactionEnded();
  }
}

}  // namespace lekt::storage

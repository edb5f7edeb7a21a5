#include "storage/open_errors.h"

#include <sqlite3.h>

#include "common/errors.h"
#include "storage/file_checks.h"

namespace lekt::storage {

namespace fs = std::filesystem;

int code_of(const SQLite::Exception& error) {
  // An exception that was made from a code alone has that as its primary code, even if it is an extended one, and
  // has no extended code.
  return error.getExtendedErrorCode() < 0 ? error.getErrorCode() : error.getExtendedErrorCode();
}

std::string describe(const SQLite::Exception& error) {
  return std::string(error.what()) + " (SQLite error " + std::to_string(code_of(error)) + ")";
}

void throw_corrupt(const fs::path& path, const std::string& why) {
  throw CodedError(ErrorCode::database_corrupt,
                   path.string() + " is damaged: " + why + "; restore a backup, the file was left as it was");
}

void throw_open_error(const fs::path& path, const SQLite::Exception& error) {
  const int code = code_of(error) & 0xff;  // the primary code
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) throw_corrupt(path, describe(error));
  if (code == SQLITE_BUSY)
    throw CodedError(ErrorCode::database_unusable,
                     "another program holds the write lock of " + path.string() + "; end its transaction");
  if (code == SQLITE_READONLY)
    throw CodedError(
        ErrorCode::database_unusable,
        "cannot read " + path.string() + as_whom() +
            ": its log has to be read anew first, by somebody who may write it; start the server, or "
            "run this as its user (" +
            describe(error) + ")");
  throw CodedError(ErrorCode::database_unusable, "cannot use " + path.string() + ": " + describe(error));
}

}  // namespace lekt::storage

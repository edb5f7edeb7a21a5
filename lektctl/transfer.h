// The clients and bans of a database as JSON lines, and back: for another machine, another database, or an
// editor.
//
//     {"type":"lekt-export","format":1,"time":"...","version":"0.1.0","clients":2,"bans":1}
//     {"type":"client","address":"10.0.0.7","since":"...","last_heard":null,
//      "methods":[{"index":1,"information":"00001ed2"}]}
//     {"type":"ban","block":"10.9.0.0/16","since":"...","reason":"floods"}
//
// The header says how many lines follow, so a file that was cut off is noticed. The information of a method
// is hexadecimal, as on the wire. Unknown keys are ignored in format 1; an unknown type or format is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "storage/reader.h"

namespace lekt::lektctl {

/// Exports: calls `print` with each line, including its line feed. `now` is the wall clock in Unix seconds.
void export_lines(storage::Reader& reader, std::int64_t now,
                  const std::function<void(const std::string&)>& print);

struct ImportedLines {
  std::vector<storage::PortableClient> clients;  ///< each address once
  std::vector<storage::Ban> bans;                ///< each block once
};

/// Reads an export and checks all of it, as strictly as the server checks what clients send. Throws CodedError E807,
/// which names the line.
ImportedLines read_import(std::istream& input);

}  // namespace lekt::lektctl

// The parameters of a request, read one after the other. The first wrong one is remembered, and a wrong one reads as if
// it were not given, so the answerer asks once, at the end, whether all were right.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "admin/http.h"
#include "common/address.h"
#include "common/block.h"

namespace lekt::admin {

class Parameters {
 public:
  /// The request outlives this object.
  explicit Parameters(const Request& request) : request_(request) {}

  std::optional<std::string> text(const std::string& name);
  std::optional<std::uint64_t> number(const std::string& name, std::uint64_t least, std::uint64_t most);
  std::optional<Address> address(const std::string& name);
  std::optional<Block> block(const std::string& name);
  std::optional<std::int64_t> time(const std::string& name);  ///< Unix seconds
  /// Notes that a parameter is not what is allowed.
  void refuse(const std::string& name, const std::string& allowed);

  /// What is wrong, including a parameter that nobody has read. Call it last.
  std::optional<std::string> wrong() const;

 private:
  const Request& request_;
  std::set<std::string> known_;
  std::optional<std::string> wrong_;
};

}  // namespace lekt::admin

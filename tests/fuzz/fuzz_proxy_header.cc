#include "server/core/proxy_header.h"
#include "tests/fuzz/fuzzers.h"

namespace lekt::fuzz {

void fuzz_proxy_header(ByteView input) {
  ProxyHeader header;
  Rejection rejection{};
  std::size_t missing = 0;
  std::size_t taken = 0;
  ReadStatus status = read_proxy_header(input.substr(0, taken), header, missing, rejection);
  while (status == ReadStatus::partial && taken + missing <= input.size()) {
    require(missing > 0, "a partial header says what is missing");
    taken += missing;
    status = read_proxy_header(input.substr(0, taken), header, missing, rejection);
  }
  require(taken <= (input.starts_with('P') ? 107 : 16 + 4096), "a header is bounded");
  if (status == ReadStatus::wrong) {
    const bool known =
        rejection.code == ErrorCode::proxy_header_wrong || rejection.code == ErrorCode::address_not_ipv4;
    require(known && !rejection.message.empty(), "what is wrong has its code and words");
  }
  if (status != ReadStatus::complete) return;
  require(header.client != Address{}, "nobody is 0.0.0.0");
  ProxyHeader at_once;
  require(read_proxy_header(input, at_once, missing, rejection) == ReadStatus::complete &&
              at_once.client == header.client,
          "what follows the header does not change it");
}

}  // namespace lekt::fuzz

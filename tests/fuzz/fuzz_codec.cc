#include "tests/fuzz/fuzzers.h"
#include "tests/support/round_trip.h"

namespace lekt::fuzz {

void fuzz_codec(ByteView input) {
  if (input.empty()) return;
  const auto choice = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  const auto form = static_cast<test::PacketForm>(choice % test::packet_forms);
  const std::uint32_t index_requested = choice / test::packet_forms % 5;
  const ReadContext context{test::example_catalogue(), limits::methods_max_default, index_requested,
                            test::from_server(form)};

  const test::RoundTrip result = test::round_trip(form, input, context);
  require(test::keeps_the_law(form, input, result), "what is read is written back the same");
  if (result.status == ReadStatus::wrong)
    require(!result.rejection.message.empty(), "what is refused has a reason");
  if (result.status == ReadStatus::complete) {
    require(result.consumed % 4 == 0, "packets are aligned");
    const auto again = test::round_trip(form, result.encoded, context);
    require(again.status == ReadStatus::complete && again.encoded == result.encoded,
            "what is written can be read");
    const auto prefix = input.substr(0, result.consumed - 1);
    require(test::round_trip(form, prefix, context).status == ReadStatus::partial,
            "a prefix of a packet is partial");
  }
}

}  // namespace lekt::fuzz

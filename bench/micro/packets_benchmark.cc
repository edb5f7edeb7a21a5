// Writing and reading one packet of each kind, with its fields as they usually are. Time per packet.
//
//     lekt-micro --benchmark_filter='encode|decode'
#include <benchmark/benchmark.h>

#include <cassert>

#include "common/packets.h"

namespace lekt::bench {

namespace {

template <class Packet>
Packet example() {
  return {};
}

template <>
HandshakePacket example() {
  HandshakePacket packet;
  packet.support(tcp_index);
  return packet;
}

template <>
RejectPacket example() {
  RejectPacket packet;
  packet.text = "E301 no heartbeat came within 90s; send them more often";
  return packet;
}

template <>
RequestPacket example() {
  RequestPacket packet;
  packet.index = tcp_index;
  return packet;
}

template <>
ResponsePacket example() {
  ResponsePacket packet;
  packet.method = {tcp_index, tcp_information(7890)};
  return packet;
}

template <>
HeartbeatPacket example() {
  HeartbeatPacket packet;
  packet.timestamp = 1'700'000'000;
  return packet;
}

template <>
UpdatePacket example() {
  UpdatePacket packet;
  packet.timestamp = 1'700'000'000;
  packet.count = 100;
  return packet;
}

template <>
AddedEntry example() {
  return {Address::v4(0x0a000007), {{tcp_index, tcp_information(7890)}}, {}};
}

template <>
RemovedEntry example() {
  return {Address::v4(0x0a000007)};
}

template <class Packet>
void encode(benchmark::State& state) {
  const Packet packet = example<Packet>();
  Bytes out;
  for (auto _ : state) {
    out.clear();
    write(out, packet);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

template <class Packet>
void decode(benchmark::State& state) {
  const MethodCatalogue catalogue;
  const ReadContext context{catalogue};
  Bytes bytes;
  write(bytes, example<Packet>());
  for (auto _ : state) {
    ByteView input = bytes;
    Packet packet;
    Rejection rejection{};
    [[maybe_unused]] const ReadStatus status = read(input, packet, context, rejection);
    assert(status == ReadStatus::complete);
    benchmark::DoNotOptimize(packet);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

BENCHMARK_TEMPLATE(encode, HandshakePacket);
BENCHMARK_TEMPLATE(encode, AcceptPacket);
BENCHMARK_TEMPLATE(encode, RejectPacket);
BENCHMARK_TEMPLATE(encode, RequestPacket);
BENCHMARK_TEMPLATE(encode, ResponsePacket);
BENCHMARK_TEMPLATE(encode, HeartbeatPacket);
BENCHMARK_TEMPLATE(encode, UpdatePacket);
BENCHMARK_TEMPLATE(encode, AddedEntry);
BENCHMARK_TEMPLATE(encode, RemovedEntry);

BENCHMARK_TEMPLATE(decode, HandshakePacket);
BENCHMARK_TEMPLATE(decode, AcceptPacket);
BENCHMARK_TEMPLATE(decode, RejectPacket);
BENCHMARK_TEMPLATE(decode, RequestPacket);
BENCHMARK_TEMPLATE(decode, ResponsePacket);
BENCHMARK_TEMPLATE(decode, HeartbeatPacket);
BENCHMARK_TEMPLATE(decode, UpdatePacket);
BENCHMARK_TEMPLATE(decode, AddedEntry);
BENCHMARK_TEMPLATE(decode, RemovedEntry);

}  // namespace

}  // namespace lekt::bench

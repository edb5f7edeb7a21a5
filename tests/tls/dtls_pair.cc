#include "tests/tls/dtls_pair.h"

namespace lekt::test {

TlsSettings settings_of(const CertifiedKey& server, const std::filesystem::path& client_authorities) {
  return {.certificate = server.certificate, .key = server.key, .client_authorities = client_authorities};
}

DtlsPair::DtlsPair(const TlsSettings& for_server, const TlsOptions& for_client, const std::string& host)
    : server_context(for_server),
      client_context(make_dtls_context(for_client)),
      server(server_context, now),
      client(client_context, make_dtls_check(host), now) {}

void DtlsPair::take(bool to_server, std::vector<Bytes>& datagrams) {
  for (Bytes& bytes : datagrams) sent.push_back({to_server, std::move(bytes)});
}

void DtlsPair::pump() {
  while (passed_on_ < sent.size()) {
    const std::size_t number = passed_on_++;
    const Passing passing = sent[number];
    for (const Passing& arriving : network_ ? network_(passing, number) : std::vector<Passing>{passing}) {
      std::vector<Bytes> answers;
      if (arriving.to_server)
        server.receive(arriving.bytes, now, answers, at_server);
      else
        client.receive(arriving.bytes, now, answers, at_client);
      take(!arriving.to_server, answers);
    }
  }
}

void DtlsPair::wait(AwakeTime time) {
  now += time;
  clock.advance(time);
}

bool DtlsPair::go_to_next_deadline() {
  std::optional<AwakeTime> due = server.due();
  earliest(due, client.due());
  if (!due) return false;
  if (*due > now) wait(*due - now);
  std::vector<Bytes> of_client;
  client.on_timer(now, of_client);
  take(true, of_client);
  std::vector<Bytes> of_server;
  server.on_timer(now, of_server);
  take(false, of_server);
  return true;
}

void DtlsPair::shake_hands() {
  while (now < std::chrono::seconds(30) && go_to_next_deadline()) pump();
}

void DtlsPair::client_sends(ByteView plain) {
  std::vector<Bytes> datagrams;
  EXPECT_TRUE(client.send(plain, datagrams));
  EXPECT_EQ(datagrams.size(), 1u);
  take(true, datagrams);
  pump();
}

void DtlsPair::server_sends(ByteView plain) {
  std::vector<Bytes> datagrams;
  EXPECT_TRUE(server.send(plain, datagrams));
  EXPECT_EQ(datagrams.size(), 1u);
  take(false, datagrams);
  pump();
}

}  // namespace lekt::test

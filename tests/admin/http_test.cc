// The listener over loopback sockets: what it lets through, and what it does with those who do not behave.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "admin/admin.h"
#include "admin/http_listener.h"
#include "tests/admin/fake_server.h"
#include "tests/admin/http_client.h"
#include "tests/integration/patience.h"

namespace lekt::admin {

namespace {

using namespace std::chrono_literals;
using test::get;
using test::get_request;
using test::HttpConnection;
using test::parse_answer;

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    settings_.address = "127.0.0.1";
    settings_.host_names = {"coordinator.example", "lekt_backend"};  // the second as of nginx' upstream
    settings_.limits.drain_time_max = 100ms;
  }

  std::uint16_t start(Answerer answerer) {
    listener_.emplace(settings_, std::move(answerer));
    return listener_->port();
  }
  /// Answers with the path and the parameters.
  std::uint16_t start_echo() {
    return start([this](const Request& request) {
      ++asked_;
      Answer answer;
      answer.body = request.path;
      for (const auto& [name, value] : request.parameters) answer.body += " " + name + "=" + value;
      return answer;
    });
  }
  /// 64 MiB at /large, one byte everywhere else.
  std::uint16_t start_with_large_answer() {
    return start([](const Request& request) {
      Answer answer;
      answer.body = std::string(request.path == "/large" ? 64U << 20 : 1, 'a');
      return answer;
    });
  }

  HttpSettings settings_;
  std::atomic<int> asked_{0};
  std::optional<HttpListener> listener_;
};

/// What the server answers to these bytes.
test::HttpAnswer answer_to(std::uint16_t port, const std::string& bytes) {
  HttpConnection connection(port);
  connection.send(bytes);
  return parse_answer(connection.read_all());
}

}  // namespace

TEST_F(HttpTest, get_is_answered_and_the_connection_closed) {
  const auto answer = get(start_echo(), "/some/path?one=1&two=a%20b");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "/some/path one=1 two=a b");
  EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST_F(HttpTest, head_has_the_headers_of_get_and_no_body) {
  const auto answer = answer_to(start_echo(), "HEAD /path HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-length"), "5");
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpTest, other_methods_are_refused_before_anybody_is_asked) {
  const std::uint16_t port = start_echo();
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE"}) {
    const auto answer =
        answer_to(port, method + " / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD, OPTIONS") << method;
    EXPECT_EQ(nlohmann::json::parse(answer.body).at("code"), "E808") << method;
  }
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, options_says_that_a_server_is_there_and_nothing_more) {
  const std::uint16_t port = start_echo();
  for (const std::string request :
       {"OPTIONS / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "OPTIONS /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nOrigin: "
        "http://evil.example\r\nAccess-Control-Request-Method: GET\r\n\r\n"}) {
    const auto answer = answer_to(port, request);
    EXPECT_EQ(answer.status, 204) << request;
    EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD, OPTIONS") << request;
    EXPECT_FALSE(answer.headers.contains("access-control-allow-origin")) << request;
    EXPECT_EQ(answer.body, "") << request;
  }
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, a_target_in_absolute_form_names_its_host) {
  const std::uint16_t port = start_echo();
  for (const std::string target : {"http://127.0.0.1:9890/healthz", "http://coordinator.example/healthz"}) {
    const auto answer = answer_to(port, "GET " + target + "?one=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(answer.status, 200) << target;
    EXPECT_EQ(answer.body, "/healthz one=1") << target;
  }
  EXPECT_EQ(answer_to(port, "GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n").body, "/");
  asked_ = 0;
  EXPECT_EQ(answer_to(port, "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 421);
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, a_request_names_one_host) {
  const std::uint16_t port = start_echo();
  EXPECT_EQ(answer_to(port, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n").status, 400);
  EXPECT_EQ(answer_to(port, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n").status, 400);
  EXPECT_EQ(answer_to(port, "GET / HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(answer_to(port, "GET / HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(HttpTest, every_answer_has_the_strict_headers) {
  const std::uint16_t port = start_echo();
  for (const auto& answer : {get(port, "/"), answer_to(port, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                             answer_to(port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")}) {
    EXPECT_EQ(answer.headers.at("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.headers.at("x-frame-options"), "DENY");
    EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_EQ(answer.headers.at("cross-origin-resource-policy"), "same-origin");
    EXPECT_EQ(answer.headers.at("cross-origin-opener-policy"), "same-origin");
    EXPECT_EQ(answer.headers.at("cross-origin-embedder-policy"), "require-corp");
    EXPECT_FALSE(answer.headers.contains("access-control-allow-origin"));
    EXPECT_FALSE(answer.headers.contains("server"));
  }
}

TEST_F(HttpTest, a_host_that_is_not_ours_is_refused_before_anybody_is_asked) {
  const std::uint16_t port = start_echo();
  for (const std::string host :
       {"evil.example", "evil.example:9890", "127.0.0.1.evil.example", "localhost.evil",
        "127.0.0.1@evil.example", "127.1", "[::1].evil.example", "\xff"})
    EXPECT_EQ(answer_to(port, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 421) << host;
  EXPECT_EQ(asked_, 0);
  for (const std::string host : {"localhost", "LocalHost:9890", "127.0.0.1", "192.0.2.7:80", "[::1]:9890",
                                 "[::1]", "Coordinator.example:9890", "lekt_backend"})
    EXPECT_EQ(answer_to(port, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 200) << host;
}

TEST_F(HttpTest, ranges_and_compression_are_ignored) {
  const auto answer =
      get(start_echo(), "/0123456789", "Range: bytes=0-1,3-4\r\nAccept-Encoding: gzip, br\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "/0123456789");
  EXPECT_FALSE(answer.headers.contains("content-encoding"));
}

TEST_F(HttpTest, what_is_not_http_is_refused) {
  const std::uint16_t port = start_echo();
  for (const std::string bytes :
       {"\r\n\r\n", "GET\r\n\r\n", "LEKTH and more\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"})
    EXPECT_EQ(answer_to(port, bytes).status, 400) << bytes;
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, a_head_that_is_too_large_is_refused) {
  const std::uint16_t port = start_echo();
  std::string lines;
  for (int index = 0; index < 2000; ++index) lines += "X-Header-" + std::to_string(index) + ": value\r\n";
  EXPECT_EQ(get(port, "/", lines).status, 400);
  EXPECT_EQ(get(port, "/" + std::string(9000, 'a')).status, 414);
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, a_request_that_drips_ends_at_its_deadline) {
  settings_.limits.request_time_max = test::slowed(300ms);
  HttpConnection connection(start_echo());
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<bool> ended{false};
  std::thread dripping([&] {
    connection.send("GET / HTTP/1.1\r\nX: ");
    while (!ended && connection.send("a")) std::this_thread::sleep_for(20ms);
  });
  connection.read_all();
  ended = true;
  dripping.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, test::patience());
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, who_says_nothing_gives_way_to_those_who_ask) {
  settings_.threads = 2;
  settings_.limits.request_time_max = 10min;
  const std::uint16_t port = start_echo();
  std::vector<std::unique_ptr<HttpConnection>> silent;
  for (int index = 0; index < 8; ++index) silent.push_back(std::make_unique<HttpConnection>(port));
  for (int index = 0; index < 3; ++index) EXPECT_EQ(get(port, "/late").body, "/late");
  EXPECT_EQ(asked_, 3);
}

TEST_F(HttpTest, who_has_waited_longest_gives_way_first) {
  settings_.threads = 2;
  settings_.limits.request_time_max = 10min;
  settings_.undisturbed = test::slowed(500ms);
  const std::uint16_t port = start_echo();
  HttpConnection first(port), second(port);
  first.send("GET /first HTTP/1.1\r\nHost: localhost\r\nX: ");
  std::atomic<bool> served{false};
  std::thread dripping([&] {  // so the second, which is silent, has waited for longer whenever somebody looks
    while (!served && first.send("a")) std::this_thread::sleep_for(10ms);
  });
  EXPECT_EQ(get(port, "/late").body, "/late");
  served = true;
  dripping.join();
  first.send("\r\n\r\n");
  EXPECT_EQ(parse_answer(first.read_all()).body, "/first");
  EXPECT_EQ(second.read_all(), "");
}

TEST_F(HttpTest, who_reads_slowly_gives_way_to_those_who_ask) {
  settings_.threads = 1;
  settings_.limits.write_time_max = 10min;
  const std::uint16_t port = start_with_large_answer();
  HttpConnection slow(port);
  slow.send(get_request("/large"));
  slow.read_until("\r\n\r\n");
  EXPECT_EQ(get(port, "/small").body, "a");
}

TEST_F(HttpTest, whose_answer_is_being_made_does_not_give_way) {
  settings_.threads = 1;
  settings_.undisturbed = 1ms;
  std::atomic<bool> asked{false};
  std::atomic<bool> others{false};
  const std::uint16_t port = start([&](const Request& request) {
    Answer answer;
    answer.body = request.path;
    if (request.path == "/slow") {
      asked = true;
      EXPECT_TRUE(test::eventually([&] { return others.load(); }, test::patience()));
    }
    return answer;
  });
  HttpConnection slow(port);
  slow.send(get_request("/slow"));
  ASSERT_TRUE(test::eventually([&] { return asked.load(); }, test::patience()));
  HttpConnection other(port);
  other.send(get_request("/other"));
  std::this_thread::sleep_for(50ms);  // long enough to be ended, if it could be
  others = true;
  EXPECT_EQ(parse_answer(slow.read_all()).body, "/slow");
  EXPECT_EQ(parse_answer(other.read_all()).body, "/other");
}

TEST_F(HttpTest, a_reader_that_is_too_slow_is_let_go) {
  settings_.threads = 1;
  settings_.limits.write_time_max = test::slowed(200ms);
  settings_.limits.write_bytes_per_second = 1ULL << 40;
  const std::uint16_t port = start_with_large_answer();
  HttpConnection slow(port);
  slow.send(get_request("/large"));
  EXPECT_EQ(get(port, "/small").body, "a");
}

TEST_F(HttpTest, what_is_thrown_is_told_with_its_code) {
  const std::uint16_t port = start([](const Request& request) -> Answer {
    if (request.path == "/coded") throw CodedError(ErrorCode::database_corrupt, "row 7");
    throw std::runtime_error("anything \xff");
  });
  auto answer = get(port, "/coded");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, R"({"code":"E506","message":"row 7"})");
  answer = get(port, "/other");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(nlohmann::json::parse(answer.body).at("code"), "E802");
}

TEST_F(HttpTest, an_answer_of_events_lasts_until_the_source_ends) {
  int left = 3;
  const std::uint16_t port = start([&](const Request&) {
    Answer answer;
    answer.type = "text/event-stream";
    answer.events = [&]() -> std::optional<std::string> {
      if (left-- == 0) return std::nullopt;
      return "data: " + std::to_string(left) + "\n\n";
    };
    return answer;
  });
  const auto answer = get(port, "/");
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.headers.at("x-accel-buffering"), "no");  // or nginx keeps the events for itself
  EXPECT_EQ(answer.body, "data: 2\n\ndata: 1\n\ndata: 0\n\n");
}

TEST_F(HttpTest, a_listener_of_events_that_has_gone_is_found_out) {
  std::atomic<bool> ended{false};
  const std::uint16_t port = start([&](const Request&) {
    Answer answer;
    answer.events = [place = std::shared_ptr<void>(nullptr, [&](void*) { ended = true; })] {
      std::this_thread::sleep_for(10ms);
      return std::string();
    };
    return answer;
  });
  {
    HttpConnection connection(port);
    connection.send(get_request("/"));
    connection.read_until("\r\n\r\n");
    EXPECT_FALSE(ended);
  }
  EXPECT_TRUE(test::eventually([&] { return ended.load(); }, test::patience()));
}

TEST_F(HttpTest, stopping_waits_for_nobody) {
  const std::uint16_t port = start([](const Request&) {
    Answer answer;
    answer.events = [] { return std::string(); };
    return answer;
  });
  HttpConnection listening(port), silent(port);
  listening.send(get_request("/"));
  listening.read_until("\r\n\r\n");
  const auto begin = std::chrono::steady_clock::now();
  listener_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, test::slowed(1s));
  EXPECT_EQ(silent.read_all(), "");
}

TEST_F(HttpTest, a_port_in_use_is_a_coded_error) {
  settings_.port = start_echo();
  try {
    const HttpListener second(settings_, [](const Request&) { return Answer{}; });
    FAIL() << "listens twice";
  } catch (const CodedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::listen_failed);
    EXPECT_NE(std::string(error.what()).find("in use"), std::string::npos) << error.what();
  }
}

TEST_F(HttpTest, loopback_is_told_from_the_rest) {
  for (const auto& [address, expected] :
       {std::pair("127.0.0.1", true), {"127.9.9.9", true}, {"0.0.0.0", false}}) {
    settings_.address = address;
    start_echo();
    EXPECT_EQ(listener_->is_loopback(), expected) << address;
  }
}

TEST(AdminTest, serves_the_page_the_api_and_the_metrics) {
  test::FakeServer server(1767323040);
  const Admin admin({"127.0.0.1", 0, {}, {server.path(), "0.1.0"}}, server.operations);
  EXPECT_EQ(get(admin.port(), "/").headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(get(admin.port(), "/healthz").body, "ok\n");
  EXPECT_NE(get(admin.port(), "/metrics").body.find("lekt_clients 120\n"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(get(admin.port(), "/api/v1/status").body).at("process"), 4711);
}

TEST(AdminTest, the_seventeenth_listener_is_refused_until_another_leaves) {
  test::FakeServer server(1767323040);
  const Admin admin({"127.0.0.1", 0, {}, {server.path(), "0.1.0"}}, server.operations);
  std::vector<std::unique_ptr<HttpConnection>> listeners;
  for (std::size_t index = 0; index < Api::listeners_max; ++index) {
    listeners.push_back(std::make_unique<HttpConnection>(admin.port()));
    listeners.back()->send(get_request("/api/v1/events"));
    listeners.back()->read_until("retry: ");
  }
  EXPECT_EQ(get(admin.port(), "/api/v1/events").status, 503);
  EXPECT_EQ(get(admin.port(), "/healthz").status, 200);
  listeners.pop_back();
  EXPECT_TRUE(test::eventually(
      [&] {
        HttpConnection next(admin.port());
        next.send(get_request("/api/v1/events"));
        return parse_answer(next.read_until("\r\n\r\n")).status == 200;
      },
      test::patience()));
  server.operations.changes().close();
}

}  // namespace lekt::admin

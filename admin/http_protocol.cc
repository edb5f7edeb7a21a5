#include "admin/http_protocol.h"

#include <exception>

#include "admin/host_check.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::admin {

namespace {

constexpr int method_not_allowed = 405;
constexpr int misdirected_request = 421;
constexpr int unavailable = 503;

/// For answers that are not pages: they may do nothing at all.
constexpr auto policy_of_data = "default-src 'none'; frame-ancestors 'none'";

/// What the answerer has no use for, and the library would act upon: parts of an answer, a body, compression
/// (of which the best costs the server seconds).
void simplify(httplib::Request& request) {
  request.ranges.clear();
  for (const auto* name : {"Range", "Expect", "Accept-Encoding"}) request.headers.erase(name);
}

void set_headers(httplib::Response& response, const Answer& answer) {
  response.set_header("Content-Security-Policy",
                      answer.content_policy.empty() ? policy_of_data : answer.content_policy);
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("X-Frame-Options", "DENY");
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Cache-Control", "no-store");
  response.set_header("Cross-Origin-Resource-Policy", "same-origin");
  response.set_header("Cross-Origin-Opener-Policy", "same-origin");
  response.set_header("Cross-Origin-Embedder-Policy", "require-corp");
}

void stream_events(httplib::Response& response, const Answer& answer) {
  response.set_content_provider(answer.type, [events = answer.events](std::size_t, httplib::DataSink& sink) {
    if (!sink.is_writable()) return false;  // or the client has gone
    const auto next = events();
    if (!next) return false;
    return next->empty() || sink.write(next->data(), next->size());
  });
}

}  // namespace

HttpProtocol::HttpProtocol(Answerer answerer, std::vector<std::string> host_names)
    : answerer_(std::move(answerer)), host_names_(std::move(host_names)) {
  // The library goes on with an answer that has no end only while it believes that it listens.
  svr_sock_ = 0;
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    answer(request, response);
    return HandlerResponse::Handled;
  });
}

void HttpProtocol::serve(ConnectionStream& stream) {
  bool closed = false;
  process_request(stream, true, closed, simplify);
  stream.finish();
}

void HttpProtocol::answer(const httplib::Request& request, httplib::Response& response) const {
  const Answer answer = ask(request);
  response.status = answer.status;
  set_headers(response, answer);
  if (answer.status == method_not_allowed) response.set_header("Allow", "GET, HEAD");
  if (answer.events && request.method == "GET")
    stream_events(response, answer);
  else
    response.set_content(answer.body, answer.type);
}

Answer HttpProtocol::ask(const httplib::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD")
    return error_answer(method_not_allowed, ErrorCode::operator_usage_wrong,
                        "only GET and HEAD are possible here: nothing can be changed");
  const std::string host = request.get_header_value("Host");
  if (!is_own_host(host, host_names_))
    return error_answer(misdirected_request, ErrorCode::operator_usage_wrong,
                        "the host " + quote_if_needed(host) +
                            " is not this server: use its IP address or localhost, or give its name with "
                            "--admin-host");
  Request asked{request.path, {}, request.get_header_value("Last-Event-ID")};
  for (const auto& [name, value] : request.params) asked.parameters.emplace(name, value);
  try {
    return answerer_(asked);
  } catch (const CodedError& error) {
    const std::string text = error.what();
    return error_answer(unavailable, error.code(), text.substr(text.find(' ') + 1));
  } catch (const std::exception& error) {
    return error_answer(unavailable, ErrorCode::control_refused, error.what());
  }
}

}  // namespace lekt::admin

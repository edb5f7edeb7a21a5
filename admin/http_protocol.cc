#include "admin/http_protocol.h"

#include <exception>

#include "admin/host_check.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::admin {

namespace {

constexpr int no_content = 204;
constexpr int bad_request = 400;
constexpr int method_not_allowed = 405;
constexpr int misdirected_request = 421;
constexpr int unavailable = 503;

/// The policy of answers that are not pages: they may do nothing at all.
constexpr auto policy_of_data = "default-src 'none'; frame-ancestors 'none'";

constexpr auto methods_allowed = "GET, HEAD, OPTIONS";

/// Where a request goes: the host that it names, and the path.
struct Target {
  std::string host;
  std::string path;
};

/// A proxy may ask in absolute form (RFC 9112, section 3.2.2); then the Host header does not count.
Target target_of(const httplib::Request& request) {
  constexpr std::string_view scheme = "http://";
  if (!request.path.starts_with(scheme)) return {request.get_header_value("Host"), request.path};
  const auto path = request.path.find('/', scheme.size());
  const auto host = request.path.substr(scheme.size(), path - scheme.size());
  return {host, path == request.path.npos ? "/" : request.path.substr(path)};
}

/// Why nobody can tell for which host the request is (RFC 9112, section 3.2); empty if one can.
std::string wrong_host(const httplib::Request& request) {
  const std::size_t lines = request.get_header_value_count("Host");
  if (lines > 1) return "the request has " + std::to_string(lines) + " Host lines and may have one";
  if (lines == 0 && request.version == "HTTP/1.1")
    return "the request has no Host line, which HTTP/1.1 demands";
  return {};
}

/// Removes what the answerer has no use for and the library would act upon: requests for a part of an answer,
/// for leave to send a body, and for compression (the best of which costs the server seconds).
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
  // The library continues an answer that has no end only while it believes that it listens.
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
  if (answer.status == method_not_allowed || answer.status == no_content)
    response.set_header("Allow", methods_allowed);
  if (answer.events) response.set_header("X-Accel-Buffering", "no");  // nginx would keep events back
  if (answer.events && request.method == "GET")
    stream_events(response, answer);
  else if (answer.status != no_content)
    response.set_content(answer.body, answer.type);
}

Answer HttpProtocol::ask(const httplib::Request& request) const {
  if (request.method == "OPTIONS") {  // which is what HAProxy asks to see whether a server is there
    Answer answer;
    answer.status = no_content;
    return answer;
  }
  if (request.method != "GET" && request.method != "HEAD")
    return error_answer(method_not_allowed, ErrorCode::operator_usage_wrong,
                        "only GET, HEAD and OPTIONS are possible here: nothing can be changed");
  if (const std::string wrong = wrong_host(request); !wrong.empty())
    return error_answer(bad_request, ErrorCode::operator_usage_wrong, wrong);
  const Target target = target_of(request);
  if (!is_own_host(target.host, host_names_))
    return error_answer(misdirected_request, ErrorCode::operator_usage_wrong,
                        "the host " + quote_if_needed(target.host) +
                            " is not this server: use its IP address or localhost, or give its name with "
                            "--admin-host");
  Request asked{target.path, {}, request.get_header_value("Last-Event-ID")};
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

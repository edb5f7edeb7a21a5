#include "admin/api.h"

#include <algorithm>

#include "admin/page.h"
#include "common/errors.h"
#include "common/text.h"
#include "server/operators/json.h"
#include "server/operators/readiness.h"
#include "storage/reader.h"

namespace lekt::admin {

namespace {

using storage::Reader;

constexpr int bad_request = 400;
constexpr int not_found = 404;
constexpr int unavailable = 503;

constexpr std::string_view client_prefix = "/api/v1/clients/";
constexpr std::string_view device_prefix = "/api/v1/devices/";
constexpr std::size_t client_changes_max = 50;
constexpr std::size_t client_rejects_max = 20;

Answer json_answer(const Json& json) {
  Answer answer;
  answer.body = to_line(json);
  return answer;
}

Answer text_answer(std::string text, std::string type) {
  Answer answer;
  answer.body = std::move(text);
  answer.type = std::move(type);
  return answer;
}

std::optional<Answer> refusal(const Parameters& parameters) {
  const auto wrong = parameters.wrong();
  if (!wrong) return std::nullopt;
  return error_answer(bad_request, ErrorCode::operator_usage_wrong, *wrong);
}

storage::ClientQuery client_query(Parameters& parameters) {
  storage::ClientQuery query;
  query.block = parameters.block("block").value_or(query.block);
  query.method = parameters.text("method").value_or("");
  query.name = parameters.text("name").value_or("");
  query.after = parameters.address("after");
  query.count_max = parameters.number("limit", 1, Api::clients_limit_max).value_or(1000);
  if (const auto status = parameters.text("status")) {
    query.status = storage::parse_client_status(*status);
    if (!query.status) parameters.refuse("status", "connected, waiting or removed");
  }
  return query;
}

DeviceQuery device_query(Parameters& parameters) {
  DeviceQuery query;
  query.block = parameters.block("block");
  query.type = parameters.text("type").value_or("");
  query.state = parameters.text("state").value_or("");
  if (!query.state.empty() && std::ranges::find(device_states, query.state) == device_states.end())
    parameters.refuse("state", "a state of devices, such as active");
  return query;
}

/// What is known about a code besides how often it was given.
Json code_json(const storage::CodeCount& count) {
  Json json = to_json(count);
  const auto known = std::ranges::find(error_catalogue(), count.code, &ErrorInfo::code);
  json["meaning"] = known == error_catalogue().end() ? "" : std::string(known->meaning);
  json["remedy"] = known == error_catalogue().end() ? "" : std::string(known->remedy);
  return json;
}

}  // namespace

const Api::Route Api::routes_[] = {
    {"/", &Api::page},
    {"/metrics", &Api::metrics},
    {"/healthz", &Api::alive},
    {"/readyz", &Api::ready},
    {"/api/v1/status", &Api::status},
    {"/api/v1/clients", &Api::clients},
    {"/api/v1/changes", &Api::changes},
    {"/api/v1/devices", &Api::devices},
    {"/api/v1/device-alerts", &Api::device_alerts},
    {"/api/v1/history", &Api::history},
    {"/api/v1/warnings", &Api::warnings},
    {"/api/v1/codes", &Api::codes},
    {"/api/v1/events", &Api::events},
    {"/api/v1/openapi.json", &Api::description},
};

const Api::Route Api::routes_below_[] = {
    {"/api/v1/clients/{address}", &Api::client},
    {"/api/v1/devices/{device}", &Api::device},
};

Api::Api(Operations& operations, const History& history, ApiSettings settings)
    : operations_(operations),
      history_(history),
      settings_(std::move(settings)),
      metrics_(operations, settings_.version) {}

std::vector<std::string> Api::paths() {
  std::vector<std::string> paths;
  for (const Route& route : routes_) paths.emplace_back(route.path);
  for (const Route& route : routes_below_) paths.emplace_back(route.path);
  return paths;
}

Answer Api::answer(const Request& request) {
  Parameters parameters(request);
  const auto route = std::ranges::find(routes_, request.path, &Route::path);
  if (route != std::end(routes_)) return (this->*route->member)(request, parameters);
  for (const Route& below : routes_below_)
    if (const std::string_view path = below.path; request.path.starts_with(path.substr(0, path.find('{'))))
      return (this->*below.member)(request, parameters);
  return error_answer(not_found, ErrorCode::not_found,
                      "there is nothing at " + quote_if_needed(request.path));
}

Answer Api::description(const Request&, Parameters& parameters) {
  if (const auto refused = refusal(parameters)) return *refused;
  return text_answer(std::string(api_text), "application/json");
}

Answer Api::page(const Request&, Parameters&) { return page_answer(); }

Answer Api::metrics(const Request&, Parameters&) { return text_answer(metrics_text(metrics_), metrics_type); }

/// The first line is for programs that compare it.
Answer Api::alive(const Request&, Parameters&) {
  const Health health = operations_.health();
  std::string text = (health.hangs ? health.hangs->text() : "ok") + "\n";
  if (health.log_blocked.count() > 0)
    text += code_text(ErrorCode::log_blocked) + " the log's output takes no line for " +
            std::to_string(static_cast<long>(health.log_blocked.count())) + " s\n";
  Answer answer = text_answer(text, "text/plain; charset=utf-8");
  if (health.hangs) answer.status = unavailable;
  return answer;
}

Answer Api::ready(const Request&, Parameters&) {
  if (const auto why = why_not_ready(operations_.totals()))
    return error_answer(unavailable, why->code, why->message);
  return json_answer({{"ready", true}});
}

Answer Api::status(const Request&, Parameters& parameters) {
  if (const auto refused = refusal(parameters)) return *refused;
  return json_answer(to_json(operations_.status()));
}

/// The sequence number is read first: the list has every change up to it, and maybe newer ones, which does no
/// harm when a client applies them once more.
Answer Api::clients(const Request&, Parameters& parameters) {
  storage::ClientQuery query = client_query(parameters);
  if (const auto refused = refusal(parameters)) return *refused;
  Reader reader(settings_.database);
  const std::uint64_t sequence = reader.server().log.sequence;
  const std::size_t limit = query.count_max;
  ++query.count_max;  // one more tells whether there is a next page
  std::vector<storage::StoredClient> found = reader.clients(query);
  const bool has_next = found.size() > limit;
  if (has_next) found.pop_back();
  return json_answer({{"sequence", sequence},
                      {"clients", to_json(found)},
                      {"next", has_next ? Json(to_string(found.back().address)) : Json(nullptr)}});
}

Answer Api::client(const Request& request, Parameters& parameters) {
  const auto address = parse_address(std::string_view(request.path).substr(client_prefix.size()));
  if (!address)
    return error_answer(bad_request, ErrorCode::operator_usage_wrong,
                        "the path has to end with an IPv4 address");
  if (const auto refused = refusal(parameters)) return *refused;
  // The server is asked first: what the database says after that is not older.
  const auto sessions = operations_.sessions(*address);
  Reader reader(settings_.database);
  const auto client = reader.client(*address);
  if (!client)
    return error_answer(not_found, ErrorCode::not_found, "nothing is known of " + to_string(*address));
  const Block block(*address);
  storage::ChangeQuery query;
  query.block = block;
  query.count_max = client_changes_max;
  return json_answer({{"client", to_json(as_connected(*client, sessions.size()))},
                      {"sessions", to_json(sessions)},
                      {"changes", to_json(reader.changes(query))},
                      {"rejects", to_json(operations_.rejects(block, client_rejects_max))}});
}

Answer Api::changes(const Request&, Parameters& parameters) {
  storage::ChangeQuery query;
  query.after = parameters.number("after", 0, INT64_MAX).value_or(0);
  query.block = parameters.block("block").value_or(query.block);
  query.count_max = parameters.number("limit", 1, changes_limit_max).value_or(100);
  if (const auto refused = refusal(parameters)) return *refused;
  Reader reader(settings_.database);
  return json_answer({{"changes", to_json(reader.changes(query))}});
}

std::optional<Answer> Api::without_devices() const {
  if (operations_.totals().devices) return std::nullopt;
  return error_answer(not_found, ErrorCode::control_refused, Operations::no_devices);
}

Answer Api::devices(const Request&, Parameters& parameters) {
  const DeviceQuery query = device_query(parameters);
  if (const auto refused = refusal(parameters)) return *refused;
  if (const auto none = without_devices()) return *none;
  std::vector<DeviceStatus> devices = operations_.devices();
  std::erase_if(devices, [&](const DeviceStatus& device) { return !query.fits(device); });
  return json_answer({{"devices", to_json(devices)}});
}

Answer Api::device(const Request& request, Parameters& parameters) {
  const std::string asked = request.path.substr(device_prefix.size());
  if (const auto refused = refusal(parameters)) return *refused;
  if (const auto none = without_devices()) return *none;
  const std::vector<DeviceDetails> devices = operations_.device(asked);
  if (devices.empty())
    return error_answer(not_found, ErrorCode::not_found,
                        "no device has the uid or the address " + quote_if_needed(asked));
  return json_answer({{"devices", to_json(devices)}});
}

Answer Api::device_alerts(const Request&, Parameters& parameters) {
  const std::size_t limit = parameters.number("limit", 1, alerts_limit_max).value_or(100);
  if (const auto refused = refusal(parameters)) return *refused;
  if (const auto none = without_devices()) return *none;
  return json_answer({{"alerts", to_json(operations_.device_alerts(limit))}});
}

Answer Api::history(const Request&, Parameters& parameters) {
  const std::int64_t after = parameters.time("after").value_or(0);
  if (const auto refused = refusal(parameters)) return *refused;
  return json_answer({{"samples", to_json(history_.since(after))}});
}

Answer Api::warnings(const Request&, Parameters& parameters) {
  if (const auto refused = refusal(parameters)) return *refused;
  return json_answer({{"warnings", to_json(operations_.status().warnings)}});
}

Answer Api::codes(const Request&, Parameters& parameters) {
  if (const auto refused = refusal(parameters)) return *refused;
  Reader reader(settings_.database);
  Json codes = Json::array();
  for (const storage::CodeCount& count : reader.codes()) codes.push_back(code_json(count));
  return json_answer({{"codes", std::move(codes)}});
}

Answer Api::events(const Request& request, Parameters&) {
  ChangeFeed& feed = operations_.changes();
  // A listener that comes back says what it heard last, which is newer than what it asked for at first.
  Request resumed = request;
  if (!request.last_event_id.empty()) resumed.parameters["after"] = request.last_event_id;
  Parameters asked(resumed);
  const auto after = asked.number("after", 0, UINT64_MAX);
  if (const auto refused = refusal(asked)) return *refused;
  auto place = listeners_.enter();
  if (!place)
    return error_answer(unavailable, ErrorCode::control_refused,
                        std::to_string(listeners_max) + " listeners are here already; try again later");
  const auto stream = std::make_shared<EventStream>(feed, after.value_or(feed.newest()));
  Answer answer;
  answer.type = "text/event-stream";
  answer.events = [stream, place] { return stream->next(EventStream::Clock::now()); };
  return answer;
}

}  // namespace lekt::admin

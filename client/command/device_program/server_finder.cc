#include "client/command/device_program/server_finder.h"

#include <utility>

#include "client/route.h"
#include "common/duration.h"
#include "common/errors.h"

namespace lekt::command {

struct ServerFinder::Search {
  explicit Search(const std::string& host) : route(context, {host}) {}

  void begin() {
    is_looking = true;
    context.restart();
    route.begin_round([this](const std::string& why_not) {
      is_looking = false;
      trouble = why_not;
      if (route.left() > 0) found = route.take();
    });
  }

  asio::io_context context;  // first: its end destroys handlers that refer to what follows
  Route route;
  bool is_looking = false;
  std::optional<Address> found;
  std::string trouble;
};

ServerFinder::ServerFinder(const std::string& host) : host_(host), search_(std::make_unique<Search>(host)) {}

ServerFinder::~ServerFinder() = default;

Address ServerFinder::find(std::chrono::milliseconds limit) {
  search_->begin();
  search_->context.run_for(limit);
  if (const auto address = take()) return *address;
  throw CodedError(
      ErrorCode::connect_failed,
      "cannot find " + host_ + ": " +
          (is_looking() ? "no name server has answered within " + format_duration(limit) : search_->trouble));
}

void ServerFinder::look_again() {
  if (!is_looking() && !search_->found) search_->begin();
}

bool ServerFinder::is_looking() const { return search_->is_looking; }

std::optional<Address> ServerFinder::take() {
  if (is_looking()) search_->context.poll();
  return std::exchange(search_->found, std::nullopt);
}

}  // namespace lekt::command

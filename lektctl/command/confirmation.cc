#include "lektctl/command/confirmation.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "common/errors.h"
#include "lektctl/command/output.h"
#include "storage/reader.h"

namespace lekt::lektctl {

namespace {

constexpr std::uint64_t most_addresses_of_scripts = 1 << 16;
constexpr std::size_t fewest_clients_that_are_many = 10;

/// The IPv4 addresses of this machine that are in the block.
std::vector<std::string> own_addresses(const Block& block) {
  std::vector<std::string> found;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return found;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, freeifaddrs);
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const Address address =
        Address::v4(ntohl(reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr.s_addr));
    if (block.contains(address)) found.push_back(to_string(address));
  }
  return found;
}

/// The address of an operator who is connected over SSH, from a text such as "192.0.2.7 40000 192.0.2.10 22".
std::optional<Address> operators_address() {
  const char* connection = std::getenv("SSH_CONNECTION");
  if (connection == nullptr) return std::nullopt;
  const std::string text = connection;
  return parse_address(text.substr(0, text.find(' ')));
}

std::optional<Affected::Clients> count_clients(const control::Instance& instance, const Block& block) {
  try {
    storage::Reader reader(instance.database);
    Affected::Clients clients;
    clients.here = reader.server().clients;
    reader.clients({.block = block}, [&](storage::StoredClient&& client) {
      ++clients.inside;
      clients.sessions += client.sessions;
    });
    return clients;
  } catch (const CodedError&) {
    return std::nullopt;
  }
}

bool says_yes() {
  std::string answer;
  std::getline(std::cin, answer);
  std::ranges::transform(answer, answer.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return answer == "y" || answer == "yes";
}

}  // namespace

Affected find_affected(const control::Instance& instance, const Block& block) {
  Affected affected{block, count_clients(instance, block), {}};
  for (const std::string& address : own_addresses(block))
    affected.own_places.push_back(address + ", an address of this machine");
  if (const auto address = operators_address(); address && block.contains(*address))
    affected.own_places.push_back(to_string(*address) + ", from which you are here");
  return affected;
}

bool are_many(const Affected& affected) {
  if (affected.block.size() > most_addresses_of_scripts) return true;
  return affected.clients && affected.clients->here >= fewest_clients_that_are_many &&
         2 * affected.clients->inside > affected.clients->here;
}

std::string describe(const Affected& affected) {
  std::string text = to_short_string(affected.block);
  if (!affected.block.is_single()) text += " (" + std::to_string(affected.block.size()) + " addresses)";
  if (const auto& clients = affected.clients)
    text += " has " + std::to_string(clients->inside) + " of the " + count_text(clients->here, "client") +
            " that " + (clients->here == 1 ? "is" : "are") + " here, with " +
            count_text(clients->sessions, "session");
  std::string separator = affected.clients ? ", and holds " : " holds ";
  for (const std::string& place : affected.own_places) text += std::exchange(separator, "; ") + place;
  return text;
}

void confirm(const control::Instance& instance, const Block& block, const std::string& what, bool yes) {
  if (yes) return;
  const Affected affected = find_affected(instance, block);
  const bool asks = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
  if (!asks && !are_many(affected)) return;
  if (!asks)
    throw CodedError(ErrorCode::not_confirmed,
                     describe(affected) + "; " + what + " of so much needs --yes where nobody can be asked");
  if (block.is_single() && affected.own_places.empty()) return;
  print_status(describe(affected));
  print_prompt(what + " of all that? [y/N] ");
  if (!says_yes()) throw CodedError(ErrorCode::not_confirmed, "not confirmed, so nothing was done");
}

}  // namespace lekt::lektctl

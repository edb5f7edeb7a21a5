// What the programs beside the coordinator are asked over loopback: names of a DNS server, pages of an HTTP
// server.
//
// Used from a test's own thread. Everything ends within two seconds, with an empty answer if need be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lekt::test {

/// A port of 127.0.0.1 that nobody has at the moment.
std::uint16_t free_port();

/// The addresses that a DNS server at 127.0.0.1 has for a name; none when it does not answer.
std::vector<std::string> resolve(std::uint16_t port, const std::string& name);

/// What follows the headers of `GET /` from 127.0.0.1, or the status if it is not 200; empty when nothing
/// answers.
std::string fetch(std::uint16_t port);

}  // namespace lekt::test

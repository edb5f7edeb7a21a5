// The defence against DNS rebinding: a stranger's page whose name suddenly resolves to this machine sends that name in
// the Host header, so only requests for names of this listener are answered.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lekt::admin {

/// Whether `host`, with or without a port, is an IP address, localhost, or one of the names (in lower case).
/// An empty one, as for a missing header, is accepted: browsers always send the header, and old health checks do not.
bool is_own_host(std::string_view host, std::span<const std::string> names);

}  // namespace lekt::admin

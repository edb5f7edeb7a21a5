// HTTP on one connection: one request, one answer, the headers of both. cpp-httplib reads and writes them;
// this decides what is let through to the answerer.
//
// Only GET, HEAD and OPTIONS for our own host names, without bodies, ranges and compression: what nobody needs here
// cannot be used against us. Every answer carries the headers that keep other sites from reading it.
//
// Shared by all threads that serve connections; nothing in it changes.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <string>
#include <vector>

#include "admin/connection_stream.h"
#include "admin/http.h"

namespace lekt::admin {

class HttpProtocol : private httplib::Server {
 public:
  /// `host_names`: what the Host header may say besides IP addresses and localhost; in lower case.
  HttpProtocol(Answerer answerer, std::vector<std::string> host_names);

  void serve(ConnectionStream& stream);

 private:
  void answer(const httplib::Request& request, httplib::Response& response) const;
  Answer ask(const httplib::Request& request) const;

  Answerer answerer_;
  std::vector<std::string> host_names_;
};

}  // namespace lekt::admin

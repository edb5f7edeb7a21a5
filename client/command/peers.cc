// `lekt peers`: the list, once.
#include <memory>

#include "client/client.h"
#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/output.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr const char* peers_help = R"(Prints everyone whom the coordinator lists, once.

The protocol tells the list to members only. So lekt joins without any method, asks once, and leaves. Unless a
program of this machine is a member anyway, you are in the list that you get, with '-' for methods, and the other
members see you come and go. Who operates the coordinator looks without joining: lektctl clients.)";

constexpr const char* peers_footer = R"(
With --format json each peer is one object on a line of its own:
  {"address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890}]}

Exit codes: 0 the list was printed; 1 the server cannot be reached, refuses or breaks the protocol; 2 wrong usage.)";

enum class PeersFormat { text, json };

struct PeersOptions {
  std::string server;
  MethodCatalogue catalogue;
  std::optional<Address> source;
  std::optional<TlsOptions> tls;
  std::chrono::milliseconds timeout = 10s;
  PeersFormat format = PeersFormat::text;
};

/// Asks once; the end of a connection is final when no other address of the server is left.
class Visitor : public ClientHandler {
 public:
  explicit Visitor(const PeersOptions& options)
      : options_(options),
        client_({.server = options.server,
                 .source = options.source,
                 .tls = options.tls,
                 .catalogue = options.catalogue,
                 .connect_timeout = options.timeout,
                 .answer_timeout = options.timeout},
                *this) {}

  int run() {
    client_.run();
    if (!complete_) {
      for (const std::string& reason : reasons_) print_status(reason);
      return exit_failed;
    }
    print_list();
    return exit_done;
  }

 private:
  void on_synchronised() override {
    complete_ = true;
    client_.stop();
  }

  void on_warning(const std::string& warning) override { print_status(warning); }

  void on_disconnected(const Disconnection& end) override {
    reasons_.push_back(end.reason);
    if (!end.others_left) client_.stop();
  }

  void print_list() const {
    if (options_.format == PeersFormat::text) return print(table_of(client_.peers(), options_.catalogue));
    std::string lines;
    for (const auto& [address, offer] : client_.peers()) lines += json_of(address, offer, options_.catalogue);
    print(lines);
  }

  const PeersOptions& options_;
  std::vector<std::string> reasons_;  ///< one for each address that failed
  bool complete_ = false;
  Client client_;
};

}  // namespace

Run add_peers(CLI::App& app) {
  const auto options = std::make_shared<PeersOptions>();
  app.description(peers_help);
  app.footer(peers_footer);
  add_server(app, options->server);
  add_catalogue(app, options->catalogue);
  add_source(app, options->source);
  add_tls(app, options->tls);
  add_duration(app, "--timeout", "How long to wait for the connection, and for each answer", options->timeout,
               10ms, 1h);
  add_choice(app, "--format", "A table, or JSON lines", options->format,
             {{"text", PeersFormat::text}, {"json", PeersFormat::json}});
  return [options] { return Visitor(*options).run(); };
}

}  // namespace lekt::command

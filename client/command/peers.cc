// `lekt peers`: the list, once.
#include <memory>

#include "client/client.h"
#include "client/command/arguments.h"
#include "client/command/commands.h"
#include "client/command/output.h"
#include "common/method_words.h"

namespace lekt::command {

namespace {

using namespace std::chrono_literals;

constexpr const char* peers_help = R"(Prints everyone whom the coordinator lists, once.

The protocol tells the list to members only. So lekt joins without any method, asks once, and leaves. Unless a
program of this machine is a member anyway, you are in the list that you get, with '-' for methods, and the other
members see you come and go. Who operates the coordinator looks without joining: lektctl clients.)";

constexpr const char* peers_footer = R"(
With --format json each peer is one object on a line of its own:
  {"address":"10.0.0.7","methods":[{"index":1,"name":"tcp","port":7890},{"index":3007,"name":"name","text":"kitchen"}]}
A name is what a program says of itself; several can have the same.

Exit codes: 0 the list was printed; 1 the server cannot be reached, refuses or breaks the protocol; 2 wrong usage.)";

enum class PeersFormat { text, json };
enum class PeersOrder { address, name };

struct PeersOptions {
  std::string server;
  MethodCatalogue catalogue;
  std::optional<Address> source;
  std::optional<TlsOptions> tls;
  std::chrono::milliseconds timeout = 10s;
  PeersFormat format = PeersFormat::text;
  PeersOrder order = PeersOrder::address;
  std::string name;  ///< a part of the names of those who are shown; empty: everybody is
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
    const PeerList list = chosen();
    if (options_.format == PeersFormat::text) return print(table_of(list, options_.catalogue));
    std::string lines;
    for (const auto& [address, offer] : list) lines += json_of(address, offer, options_.catalogue);
    print(lines);
  }

  PeerList chosen() const {
    PeerList list(client_.peers().begin(), client_.peers().end());
    if (!options_.name.empty())
      std::erase_if(list, [&](const auto& peer) {
        return !is_in_a_name(options_.name, names_in(peer.second.methods));
      });
    if (options_.order == PeersOrder::name) sort_by_name(list);
    return list;
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
  add_choice(app, "--sort", "By address; or by name, those without one last", options->order,
             {{"address", PeersOrder::address}, {"name", PeersOrder::name}});
  app.add_option("--name", options->name, "Only peers with this in their name, whatever its case")
      ->type_name("TEXT");
  return [options] { return Visitor(*options).run(); };
}

}  // namespace lekt::command

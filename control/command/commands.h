// The subcommands of lektctl. Each add_ function puts its arguments and help onto its CLI app and returns
// what runs it. The options outlive both.
#pragma once

#include "control/command/options.h"

namespace lekt::control::command {

// Looking: at the database, and at the server when it runs.
Run add_status(CLI::App& app, const Options& options);
Run add_clients(CLI::App& app, const Options& options);
Run add_client(CLI::App& app, const Options& options);
Run add_changes(CLI::App& app, const Options& options);
Run add_bans(CLI::App& app, const Options& options);
Run add_watch(CLI::App& app, const Options& options);

// Of the running server.
Run add_rejects(CLI::App& app, const Options& options);
Run add_traces(CLI::App& app, const Options& options);
Run add_kick(CLI::App& app, const Options& options);
Run add_trace(CLI::App& app, const Options& options);
Run add_untrace(CLI::App& app, const Options& options);

// Of the server, running or not.
Run add_ban(CLI::App& app, const Options& options);
Run add_unban(CLI::App& app, const Options& options);
Run add_compact(CLI::App& app, const Options& options);

// Of the database.
Run add_backup(CLI::App& app, const Options& options);
Run add_restore(CLI::App& app, const Options& options);
Run add_check(CLI::App& app, const Options& options);
Run add_export(CLI::App& app, const Options& options);
Run add_import(CLI::App& app, const Options& options);

}  // namespace lekt::control::command

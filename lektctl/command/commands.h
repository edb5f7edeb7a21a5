// The subcommands of lektctl. Each add_ function adds a command's arguments and help to its CLI app, and returns the
// function that runs it. The options outlive both.
#pragma once

#include "lektctl/command/options.h"

namespace lekt::lektctl {

// Commands that look at the database, and at the server when it runs.
Run add_status(CLI::App& app, const Options& options);
Run add_health(CLI::App& app, const Options& options);
Run add_clients(CLI::App& app, const Options& options);
Run add_client(CLI::App& app, const Options& options);
Run add_changes(CLI::App& app, const Options& options);
Run add_bans(CLI::App& app, const Options& options);
Run add_watch(CLI::App& app, const Options& options);

// Commands for a running server.
Run add_reload(CLI::App& app, const Options& options);
Run add_rejects(CLI::App& app, const Options& options);
Run add_devices(CLI::App& app, const Options& options);
Run add_device(CLI::App& app, const Options& options);
Run add_traces(CLI::App& app, const Options& options);
Run add_kick(CLI::App& app, const Options& options);
Run add_trace(CLI::App& app, const Options& options);
Run add_untrace(CLI::App& app, const Options& options);

// Commands for a server that may be running or not.
Run add_ban(CLI::App& app, const Options& options);
Run add_unban(CLI::App& app, const Options& options);
Run add_compact(CLI::App& app, const Options& options);

// Commands for the database.
Run add_backup(CLI::App& app, const Options& options);
Run add_restore(CLI::App& app, const Options& options);
Run add_check(CLI::App& app, const Options& options);
Run add_export(CLI::App& app, const Options& options);
Run add_import(CLI::App& app, const Options& options);

// Commands that need neither.
Run add_explain(CLI::App& app, const Options& options);

}  // namespace lekt::lektctl

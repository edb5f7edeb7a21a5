// `lektctl devices` and `lektctl device`: which devices there are, and what is one of them doing?
#include "lektctl/command/devices.h"

#include <map>
#include <memory>
#include <utility>

#include "common/calendar.h"
#include "common/printable.h"
#include "control/messages.h"
#include "lektctl/command/commands.h"
#include "lektctl/command/output.h"

namespace lekt::lektctl {

namespace {

constexpr const char* devices_help =
    R"(Lists the devices (hand-held terminals) of the running server, by address.

A device is connecting (packet 1 has come), registered, configuring, selecting (its user chooses a host), active, away
(not heard at the moment), or waiting (it has a session and no registration). HOST is what it works on or is being
connected to. HERE FOR is the age of its session, or of its registration.)";

constexpr const char* devices_footer = R"(
Examples:
  lektctl devices
  lektctl devices --state away --type 'PDT90*'
  lektctl devices --by subnet            how many there are in each network of 256 addresses
  lektctl devices --block 10.10.225.0/24
  lektctl devices --alerts               what operators should know, the newest first

With --json: {"uid", "address", "client_port", "port", "state", "type", "group", "host", "version", "session",
"dtls", "age_seconds", "silent_seconds", "rtt_milliseconds"} a line; with --by {"name", "devices", "active", "away",
"waiting"}; with --alerts {"time", "code", "address", "uid", "message"}.
Exit codes: 0 done, also when there is none; 1 the server cannot be reached, or takes no devices; 2 wrong usage.)";

constexpr const char* device_help =
    R"(Tells everything about one device: its string, rules, screen, counters, round trips and alerts.

SNT and RCV are messages sent to it and received from it, DUP those that came twice, OSQ those that came before an
earlier one, RTX those that were sent to it once more.

With --screen it prints what the device's user sees instead, without colours; rows and columns are counted from 1. A
character that your terminal should not be given is shown as U+FFFD. The server's log says that somebody has looked.)";

constexpr const char* device_footer = R"(
Examples:
  lektctl device 0015708E863F
  lektctl device 10.10.225.150
  lektctl device 0015708E863F --screen

With --json: {"status", "string", "system", "rows", "columns", "host", "rules", "inputs", "sent", "received",
"duplicates", "out_of_order", "repeated", "rtt_below_200", "rtt_below_500", "rtt_above", "alerts"} a line, one for each
session; with --screen {"uid", "address", "session", "state", "host", "size", "cursor", "rows"}, where "size" is
{"rows", "columns"}, "cursor" is {"row", "column", "shown"} counted from 0, and "rows" are texts.
Exit codes: 0 done; 1 there is no such device (E803), or the server cannot be reached; 2 wrong usage.)";

struct WantedDevices {
  DeviceQuery query;
  std::string grouping;  ///< empty: each device by itself
  bool alerts = false;
  control::AskDeviceAlerts of_alerts;
};

struct WantedDevice {
  std::string device;
  bool screen = false;
};

std::string round_trip_text(const std::optional<double>& milliseconds) {
  return milliseconds ? number_text(*milliseconds) + " ms" : "";
}

/// The first address of the /24 subnet that the address is in.
Address subnet_of(Address address) { return Address::v4(address.as_v4() & 0xffffff00); }

std::string subnet_text(Address first) { return to_string(first) + "/24"; }

std::string upper_case(std::string_view word) {
  std::string text(word);
  for (char& letter : text)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  return text;
}

int list_alerts(const Options& options, const control::AskDeviceAlerts& wanted) {
  const std::vector<DeviceAlertStatus> alerts = control::reach(options.instance).ask(wanted);
  const Table table({{"TIME (UTC)", 19}, {"CODE", 4}, {"ADDRESS", 15}, {"UID", 12}, {"MESSAGE"}},
                    output_size().columns);
  return print_list(options, alerts, table, [](const DeviceAlertStatus& alert) {
    return std::vector{time_text(alert.second), code_text(alert.code), to_string(alert.address), alert.uid,
                       alert.message};
  });
}

int list_groups(const Options& options, const std::vector<DeviceStatus>& devices,
                const std::string& grouping) {
  const Table table({{"DEVICES", 7}, {"ACTIVE", 6}, {"AWAY", 4}, {"WAITING", 7}, {upper_case(grouping)}},
                    output_size().columns);
  return print_list(options, group_devices(devices, grouping), table, [](const DevicesTogether& group) {
    return std::vector{std::to_string(group.devices), std::to_string(group.active),
                       std::to_string(group.away), std::to_string(group.waiting), group.name};
  });
}

int list_devices(const Options& options, const WantedDevices& wanted) {
  if (wanted.alerts) return list_alerts(options, wanted.of_alerts);
  std::vector<DeviceStatus> devices = control::reach(options.instance).ask(control::AskDevices{});
  std::erase_if(devices, [&](const DeviceStatus& device) { return !wanted.query.fits(device); });
  if (!wanted.grouping.empty()) return list_groups(options, devices, wanted.grouping);
  const Table table({{"UID", 12},
                     {"ADDRESS", 15},
                     {"PORT", 5},
                     {"STATE", 11},
                     {"TYPE", 10},
                     {"GROUP", 10},
                     {"HOST", 8},
                     {"VERSION", 8},
                     {"HERE FOR", 8},
                     {"HEARD", 7},
                     {"RTT"}},
                    output_size().columns);
  return print_list(options, devices, table, [](const DeviceStatus& device) {
    return std::vector{device.uid,
                       to_string(device.address),
                       device.port == 0 ? "" : std::to_string(device.port),
                       device.state,
                       device.type,
                       device.group,
                       device.host,
                       device.version,
                       describe_seconds(device.age_seconds),
                       describe_seconds(device.silent_seconds),
                       round_trip_text(device.rtt_milliseconds)};
  });
}

void describe_place(const DeviceStatus& status, Lines& lines) {
  const std::string uid = status.uid.empty() ? "without a uid" : printable(status.uid);
  lines.add("Device", uid + " is " + printable(status.state) + ", here for " +
                          describe_seconds(status.age_seconds) + ", last heard " +
                          describe_seconds(status.silent_seconds) + " ago");
  lines.add("Address", to_string(status.address) + ":" + std::to_string(status.client_port) +
                           (status.port == 0 ? "" : ", port " + std::to_string(status.port) + " here") +
                           (status.dtls ? ", DTLS" : ""));
}

void describe_itself(const DeviceDetails& device, Lines& lines) {
  if (device.text.empty()) return;
  const DeviceStatus& status = device.status;
  lines.add("Type", printable(status.type) + ", version " + printable(status.version) +
                        (device.system.empty() ? "" : ", " + printable(device.system)));
  lines.add("Group", printable(status.group));
  if (!device.host.empty()) lines.add("Host", printable(device.host));
  lines.add("Screen", std::to_string(device.rows) + " rows of " + std::to_string(device.columns));
  lines.add("String", printable(device.text));
}

void describe_rules(const std::vector<std::string>& rules, Lines& lines) {
  std::string name = "Rules";
  for (const std::string& rule : rules) lines.add(std::exchange(name, ""), printable(rule));
}

void describe_messages(const DeviceDetails& device, Lines& lines) {
  if (device.status.session != 0)
    lines.add("Session",
              std::to_string(device.status.session) + ", " + count_text(device.inputs, "input") + " taken");
  lines.add("Messages", "SNT " + std::to_string(device.sent) + ", RCV " + std::to_string(device.received) +
                            ", DUP " + std::to_string(device.duplicates) + ", OSQ " +
                            std::to_string(device.out_of_order) + ", RTX " + std::to_string(device.repeated));
  if (!device.status.rtt_milliseconds) return lines.add("Round trip", "not measured yet");
  lines.add("Round trip", round_trip_text(device.status.rtt_milliseconds) + "; " +
                              std::to_string(device.rtt_below_200) + " below 200 ms, " +
                              std::to_string(device.rtt_below_500) + " below 500 ms, " +
                              std::to_string(device.rtt_above) + " longer");
}

std::string describe_alerts(const std::vector<DeviceAlertStatus>& alerts, std::size_t width) {
  if (alerts.empty()) return {};
  const Table table({{"ALERT (UTC)", 19}, {"CODE", 4}, {"MESSAGE"}}, width);
  std::string lines = "\n" + table.head();
  for (const DeviceAlertStatus& alert : alerts)
    lines += table.row({time_text(alert.second), code_text(alert.code), alert.message});
  return lines;
}

/// Asks for what there is of each session of the device, and prints it, with an empty line between two.
template <class Request>
int show(const Options& options, const std::string& device, Request request,
         std::string (*describe)(const typename Request::Answer::value_type& of_session, std::size_t width)) {
  request.device = device;
  bool is_first = true;
  for (const auto& of_session : control::reach(options.instance).ask(request)) {
    if (options.json)
      print_json(to_json(of_session));
    else
      print((is_first ? "" : "\n") + describe(of_session, output_size().columns));
    is_first = false;
  }
  return exit_done;
}

int show_device(const Options& options, const WantedDevice& wanted) {
  if (wanted.screen) return show(options, wanted.device, control::AskDeviceScreen(), describe_screen);
  return show(options, wanted.device, control::AskDevice(), describe_device);
}

}  // namespace

std::vector<DevicesTogether> group_devices(const std::vector<DeviceStatus>& devices,
                                           std::string_view grouping) {
  std::map<std::pair<Address, std::string>, DevicesTogether> groups;
  for (const DeviceStatus& device : devices) {
    const Address subnet = grouping == "subnet" ? subnet_of(device.address) : Address();
    const std::string name = grouping == "subnet" ? subnet_text(subnet)
                             : grouping == "type" ? device.type
                                                  : device.group;
    DevicesTogether& group = groups[{subnet, name}];
    group.name = name;
    ++group.devices;
    if (device.state == "active") ++group.active;
    if (device.state == "away") ++group.away;
    if (device.state == "waiting") ++group.waiting;
  }
  std::vector<DevicesTogether> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

std::string describe_device(const DeviceDetails& device, std::size_t width) {
  Lines lines(width);
  describe_place(device.status, lines);
  describe_itself(device, lines);
  describe_rules(device.rules, lines);
  describe_messages(device, lines);
  return lines.text() + describe_alerts(device.alerts, width);
}

std::string describe_screen(const DeviceScreen& screen, std::size_t width) {
  Lines lines(width);
  lines.add("Device", (screen.uid.empty() ? "without a uid" : printable(screen.uid)) + " at " +
                          to_string(screen.address) + " is " + printable(screen.state) +
                          (screen.host.empty() ? "" : ", host " + printable(screen.host)));
  lines.add("Screen", count_text(screen.size.rows, "row") + " of " + std::to_string(screen.size.columns) +
                          ", the cursor " +
                          (screen.cursor.shown ? "in row " + std::to_string(screen.cursor.row + 1) +
                                                     ", column " + std::to_string(screen.cursor.column + 1)
                                               : "hidden"));
  lines.add("");
  for (const std::string& row : screen.rows) lines.add(printable(row));
  return lines.text();
}

Run add_devices(CLI::App& app, const Options& options) {
  app.description(devices_help);
  app.footer(devices_footer);
  const auto wanted = std::make_shared<WantedDevices>();
  CLI::Option* block = add_block_option(app, wanted->query.block, "Only devices with these addresses");
  CLI::Option* type = app.add_option("--type", wanted->query.type,
                                     "Only devices of this type; * and ? stand for any characters")
                          ->type_name("PATTERN");
  CLI::Option* state =
      add_choice(app, "--state", device_states, wanted->query.state, "Only devices in this state");
  CLI::Option* grouping =
      add_choice(app, "--by", device_groupings, wanted->grouping, "Groups instead, and how many they have");
  CLI::Option* alerts = app.add_flag("--alerts", wanted->alerts, "What operators should know instead");
  for (CLI::Option* other : {block, type, state, grouping}) alerts->excludes(other);
  add_count(app, wanted->of_alerts.count, control::device_alerts_max,
            "So many alerts, at most " + std::to_string(control::device_alerts_max))
      ->needs(alerts);
  return [wanted, &options] { return list_devices(options, *wanted); };
}

Run add_device(CLI::App& app, const Options& options) {
  app.description(device_help);
  app.footer(device_footer);
  const auto wanted = std::make_shared<WantedDevice>();
  app.add_option("DEVICE", wanted->device, "The device's uid or address")->required();
  app.add_flag("--screen", wanted->screen, "What its user sees instead");
  return [wanted, &options] { return show_device(options, *wanted); };
}

}  // namespace lekt::lektctl

#include "admin/metrics.h"

#include <prometheus/text_serializer.h>

#include "admin/process_usage.h"
#include "common/errors.h"

namespace lekt::admin {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// A metric of one number, which is the same for all that it is read from.
template <class Source>
struct Number {
  const char* name;
  MetricType type;
  const char* help;
  double (*value)(const Source&);
};

template <class Count>
double number(Count count) {
  return static_cast<double>(count);
}

constexpr auto gauge = MetricType::Gauge;
constexpr auto counter = MetricType::Counter;

constexpr Number<Totals> numbers[] = {
    {"lekt_clients", gauge, "Clients that are present: with a session, or waited for.",
     [](const Totals& totals) { return number(totals.clients); }},
    {"lekt_clients_waiting", gauge, "Clients that have not come back since the restart.",
     [](const Totals& totals) { return number(totals.waiting); }},
    {"lekt_sessions", gauge, "Connections that have joined.",
     [](const Totals& totals) { return number(totals.sessions); }},
    {"lekt_connections", gauge, "All connections, those that are being refused included.",
     [](const Totals& totals) { return number(totals.connections); }},
    {"lekt_handshakes", gauge, "Connections that have not joined yet.",
     [](const Totals& totals) { return number(totals.handshakes); }},
    {"lekt_bans", gauge, "Blocks of addresses that the operator has banned.",
     [](const Totals& totals) { return number(totals.bans); }},
    {"lekt_restart_grace_remaining_seconds", gauge,
     "Time that clients of before the restart still have to come back; 0 when it is over.",
     [](const Totals& totals) { return totals.grace_seconds_left; }},
    {"lekt_database_size_bytes", gauge, "Size of the database file.",
     [](const Totals& totals) { return number(totals.database_bytes); }},
    {"lekt_wal_size_bytes", gauge, "Size of the database's write-ahead log.",
     [](const Totals& totals) { return number(totals.wal_bytes); }},
    {"lekt_wal_held_bytes", gauge, "Bytes of the write-ahead log that readers keep from being used again.",
     [](const Totals& totals) { return number(totals.wal_bytes_held); }},
    {"lekt_last_commit_timestamp_seconds", gauge, "When the last commit was done; 0 before the first.",
     [](const Totals& totals) { return number(totals.last_commit); }},
    {"lekt_change_sequence", gauge, "Sequence number of the newest change.",
     [](const Totals& totals) { return number(totals.sequence); }},
    {"lekt_connections_accepted_total", counter, "Connections that were accepted.",
     [](const Totals& totals) { return number(totals.connections_accepted); }},
    {"lekt_joins_total", counter, "Sessions that have joined.",
     [](const Totals& totals) { return number(totals.joins); }},
    {"lekt_leaves_total", counter, "Sessions that had joined and have ended.",
     [](const Totals& totals) { return number(totals.leaves); }},
    {"lekt_heartbeats_total", counter, "Heartbeats that were answered.",
     [](const Totals& totals) { return number(totals.heartbeats); }},
    {"lekt_full_lists_total", counter, "Answers that began with the full list.",
     [](const Totals& totals) { return number(totals.full_lists); }},
    {"lekt_received_bytes_total", counter, "Bytes received from clients.",
     [](const Totals& totals) { return number(totals.received_bytes); }},
    {"lekt_sent_bytes_total", counter, "Bytes sent to clients.",
     [](const Totals& totals) { return number(totals.sent_bytes); }},
    {"lekt_commits_total", counter, "Transactions that were committed.",
     [](const Totals& totals) { return number(totals.commits); }},
    {"lekt_commits_failed_total", counter, "Transactions that failed.",
     [](const Totals& totals) { return number(totals.commits_failed); }},
    {"process_start_time_seconds", gauge, "When the process was started, in Unix seconds.",
     [](const Totals& totals) { return number(totals.started); }},
};

constexpr Number<ProcessUsage> process_numbers[] = {
    {"process_cpu_seconds_total", counter, "Processor time, in the program and in the kernel.",
     [](const ProcessUsage& usage) { return usage.cpu_seconds; }},
    {"process_resident_memory_bytes", gauge, "Memory of the process that is in RAM.",
     [](const ProcessUsage& usage) { return number(usage.resident_bytes); }},
    {"process_virtual_memory_bytes", gauge, "Address space of the process.",
     [](const ProcessUsage& usage) { return number(usage.virtual_bytes); }},
    {"process_open_fds", gauge, "Open files, each connection one.",
     [](const ProcessUsage& usage) { return number(usage.files_open); }},
    {"process_max_fds", gauge, "Files that may be open.",
     [](const ProcessUsage& usage) { return number(usage.files_max); }},
    {"process_threads", gauge, "Threads of the process.",
     [](const ProcessUsage& usage) { return number(usage.threads); }},
};

ClientMetric sample(MetricType type, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

template <class Source>
MetricFamily family(const Number<Source>& definition, const Source& source) {
  return {
      definition.name, definition.help, definition.type, {sample(definition.type, definition.value(source))}};
}

MetricFamily histogram(const char* name, const char* help, const Histogram::Copy& copy) {
  ClientMetric metric;
  metric.histogram.sample_count = copy.count();
  metric.histogram.sample_sum = copy.sum_seconds;
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < Histogram::bounds.size(); ++bucket)
    metric.histogram.bucket.push_back({below += copy.counts[bucket], Histogram::bounds[bucket]});
  return {name, help, MetricType::Histogram, {metric}};
}

MetricFamily build_info(const std::string& version) {
  return {"lekt_build_info",
          "The program that runs; its value is 1.",
          gauge,
          {sample(gauge, 1, {{"version", version}})}};
}

MetricFamily storage_state(StorageState now) {
  MetricFamily family{"lekt_storage_state",
                      "1 for the state in which storage is: joins can be stored only when it is usable.",
                      gauge,
                      {}};
  for (const auto state : {StorageState::usable, StorageState::busy, StorageState::failed})
    family.metric.push_back(sample(gauge, state == now ? 1 : 0, {{"state", std::string(to_string(state))}}));
  return family;
}

MetricFamily changes(const Totals& totals) {
  return {"lekt_changes_total",
          "Committed changes: clients that were added or have other methods, and removed.",
          counter,
          {sample(counter, number(totals.added), {{"kind", "added"}}),
           sample(counter, number(totals.removed), {{"kind", "removed"}})}};
}

MetricFamily codes(const Totals& totals) {
  MetricFamily family{"lekt_codes_total", "Codes that were given to clients (docs/errors.md).", counter, {}};
  for (const auto& [code, count] : totals.codes)
    family.metric.push_back(sample(counter, number(count), {{"code", code_text(code)}}));
  return family;
}

MetricFamily warnings(const Totals& totals) {
  MetricFamily family{"lekt_warning", "1 for each warning that holds now (docs/errors.md).", gauge, {}};
  for (const ErrorCode code : totals.warnings)
    family.metric.push_back(sample(gauge, 1, {{"code", code_text(code)}}));
  return family;
}

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
  const Totals totals = operations_.totals();
  std::vector<MetricFamily> families = {build_info(version_)};
  for (const Number<Totals>& definition : numbers) families.push_back(family(definition, totals));
  families.push_back(storage_state(totals.storage));
  families.push_back(changes(totals));
  families.push_back(codes(totals));
  families.push_back(warnings(totals));
  families.push_back(histogram("lekt_join_seconds",
                               "From a client's last response to the commit of its join.", totals.join));
  families.push_back(histogram("lekt_commit_seconds", "One transaction, its sync included.", totals.commit));
  families.push_back(
      histogram("lekt_answer_seconds", "From a heartbeat that was read to its answer sent.", totals.answer));
  const ProcessUsage usage = process_usage();
  for (const Number<ProcessUsage>& definition : process_numbers)
    families.push_back(family(definition, usage));
  return families;
}

std::string metrics_text(const prometheus::Collectable& metrics) {
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(metrics.Collect());
}

}  // namespace lekt::admin

#include "admin/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "admin/process_usage.h"
#include "common/errors.h"

namespace lekt::admin {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// A metric of one number of the process.
struct ProcessNumber {
  const char* name;
  MetricType type;
  const char* help;
  double (*value)(const ProcessUsage&);
};

template <class Value>
double as_double(Value value) {
  return static_cast<double>(value);
}

constexpr ProcessNumber process_numbers[] = {
    {"process_cpu_seconds_total", MetricType::Counter, "Processor time, in the program and in the kernel.",
     [](const ProcessUsage& usage) { return usage.cpu_seconds; }},
    {"process_resident_memory_bytes", MetricType::Gauge, "Memory of the process that is in RAM.",
     [](const ProcessUsage& usage) { return as_double(usage.resident_bytes); }},
    {"process_virtual_memory_bytes", MetricType::Gauge, "Address space of the process.",
     [](const ProcessUsage& usage) { return as_double(usage.virtual_bytes); }},
    {"process_open_fds", MetricType::Gauge, "Open files, each connection one.",
     [](const ProcessUsage& usage) { return as_double(usage.files_open); }},
    {"process_max_fds", MetricType::Gauge, "Files that may be open.",
     [](const ProcessUsage& usage) { return as_double(usage.files_max); }},
    {"process_threads", MetricType::Gauge, "Threads of the process.",
     [](const ProcessUsage& usage) { return as_double(usage.threads); }},
};

ClientMetric sample(MetricType type, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

MetricFamily family(std::string name, std::string help, MetricType type, double value) {
  return {std::move(name), std::move(help), type, {sample(type, value)}};
}

MetricFamily listeners(const Whereabouts& whereabouts) {
  MetricFamily family{
      "lekt_listener_info",
      "An address on which the server listens: for clients (plain, tls), for the page (admin), "
      "for operators (control); its value is 1.",
      MetricType::Gauge,
      {}};
  for (const ListenStatus& listener : whereabouts.listening)
    family.metric.push_back(
        sample(MetricType::Gauge, 1, {{"kind", listener.kind}, {"address", listener.address}}));
  return family;
}

MetricFamily settings_that_wait(const Whereabouts& whereabouts) {
  MetricFamily family{"lekt_setting_needs_restart",
                      "1 for each setting that was read again and waits for a restart.",
                      MetricType::Gauge,
                      {}};
  for (const std::string& setting : whereabouts.needs_restart)
    family.metric.push_back(sample(MetricType::Gauge, 1, {{"setting", setting}}));
  return family;
}

MetricFamily build_info(const std::string& version) {
  return {"lekt_build_info",
          "The program that runs; its value is 1.",
          MetricType::Gauge,
          {sample(MetricType::Gauge, 1, {{"version", version}})}};
}

/// Makes families of metrics from the list of the totals. Those with one number come first, then those with
/// labels, then the histograms.
class TotalsFamilies {
 public:
  /// Notes when the process started, which comes after the server's numbers.
  void time(const char*, const char* name, const char* help, std::int64_t second) {
    start_ = family(name, help, MetricType::Gauge, as_double(second));
  }
  /// Skips what only JSON has.
  void number(const char*, double) {}
  template <class Value>
  void gauge(const char*, const char* name, const char* help, Value value) {
    numbers_.push_back(family(name, help, MetricType::Gauge, as_double(value)));
  }
  void time_or_never(const char*, const char* name, const char* help, std::int64_t second) {
    gauge(nullptr, name, help, second);
  }
  void gauge(const char*, const Labelled& number, std::size_t value) {
    add(number, MetricType::Gauge, as_double(value));
  }
  void counter(const std::string& name, const char* help, std::uint64_t value) {
    numbers_.push_back(family(prefix_ + name + "_total", help, MetricType::Counter, as_double(value)));
  }
  void counter(const char*, const Labelled& number, std::uint64_t value) {
    add(number, MetricType::Counter, as_double(value));
  }
  void storage(const char*, const char* name, const char* help, StorageState now) {
    MetricFamily& states = labelled_.emplace_back(MetricFamily{name, help, MetricType::Gauge, {}});
    for (const auto state : {StorageState::usable, StorageState::busy, StorageState::failed})
      states.metric.push_back(
          sample(MetricType::Gauge, state == now ? 1 : 0, {{"state", std::string(to_string(state))}}));
  }
  void codes(const char*, const char* name, const char* help,
             const std::vector<std::pair<ErrorCode, std::uint64_t>>& codes) {
    MetricFamily& counts = labelled_.emplace_back(MetricFamily{name, help, MetricType::Counter, {}});
    for (const auto& [code, count] : codes)
      counts.metric.push_back(sample(MetricType::Counter, as_double(count), {{"code", code_text(code)}}));
  }
  void warnings(const char* name, const char* help, const std::vector<ErrorCode>& warnings) {
    MetricFamily& holding = labelled_.emplace_back(MetricFamily{name, help, MetricType::Gauge, {}});
    for (const ErrorCode code : warnings)
      holding.metric.push_back(sample(MetricType::Gauge, 1, {{"code", code_text(code)}}));
  }
  void histogram(const std::string& name, const char* help, const Histogram::Copy& durations) {
    ClientMetric metric;
    metric.histogram.sample_count = durations.count();
    metric.histogram.sample_sum = durations.sum_seconds;
    std::uint64_t below = 0;
    for (std::size_t bucket = 0; bucket < Histogram::bounds.size(); ++bucket)
      metric.histogram.bucket.push_back({below += durations.counts[bucket], Histogram::bounds[bucket]});
    histograms_.push_back({prefix_ + name + "_seconds", help, MetricType::Histogram, {metric}});
  }
  void field(const char*, const std::optional<DeviceTotals>& devices) {
    if (!devices) return;
    prefix_ = "lekt_device_";
    DeviceTotals::fields(*devices, *this);
  }

  std::vector<MetricFamily> take_numbers() {
    numbers_.push_back(std::move(start_));
    std::ranges::move(labelled_, std::back_inserter(numbers_));
    return std::move(numbers_);
  }
  std::vector<MetricFamily> take_histograms() { return std::move(histograms_); }

 private:
  /// Numbers of one metric follow each other in the list.
  void add(const Labelled& number, MetricType type, double value) {
    const LabelledMetric& metric = number.metric;
    if (labelled_.empty() || labelled_.back().name != metric.name)
      labelled_.push_back({metric.name, metric.help, type, {}});
    labelled_.back().metric.push_back(sample(type, value, {{metric.label, number.value}}));
  }

  std::string prefix_ = "lekt_";
  MetricFamily start_;
  std::vector<MetricFamily> numbers_;
  std::vector<MetricFamily> labelled_;
  std::vector<MetricFamily> histograms_;
};

}  // namespace

std::vector<MetricFamily> Metrics::Collect() const {
  const Totals totals = operations_.totals();
  TotalsFamilies made;
  Totals::fields(totals, made);
  std::vector<MetricFamily> families = {build_info(version_)};
  std::ranges::move(made.take_numbers(), std::back_inserter(families));
  const Whereabouts whereabouts = operations_.whereabouts();
  families.push_back(listeners(whereabouts));
  families.push_back(settings_that_wait(whereabouts));
  std::ranges::move(made.take_histograms(), std::back_inserter(families));
  const ProcessUsage usage = process_usage();
  for (const ProcessNumber& definition : process_numbers)
    families.push_back(family(definition.name, definition.help, definition.type, definition.value(usage)));
  return families;
}

std::string metrics_text(const prometheus::Collectable& metrics) {
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(metrics.Collect());
}

}  // namespace lekt::admin

// A metric whose label says which of several numbers it is.
#pragma once

namespace lekt {

struct LabelledMetric {
  const char* name;  ///< whole, as Prometheus calls it
  const char* label;
  const char* help;
};

/// One of the numbers of a labelled metric: in a list of fields it stands in the place of the help.
struct Labelled {
  const LabelledMetric& metric;
  const char* value;  ///< of the label
};

}  // namespace lekt

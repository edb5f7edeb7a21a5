// What lekt-bench can do, one function a mode. Each returns what it measured; times are in microseconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/load/crew.h"
#include "bench/load/dialogue.h"

namespace lekt::bench {

struct Options {
  Peer peer = Peer::lekt;
  Target target;
  pid_t pid = 0;     ///< of the server; 0: its use of the machine is not measured
  std::string from;  ///< see Dialogue
  std::size_t clients = 64;
  std::size_t at_once = 64;  ///< joins under way at the same time
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds time{3000};
  double rate = 0;          ///< requests a second of all clients; 0: each asks as soon as it is answered
  std::size_t changes = 0;  ///< clients in each answer
  bool changing = false;    ///< others come and go meanwhile, so answers may have any number of clients
  double joins = 1000;      ///< a second, under churn
  std::chrono::milliseconds stay{1000};
  std::chrono::milliseconds interval{1000};
};

/// Heartbeats, closed loop or at a fixed rate; with nothing changed, or always with the same changes.
nlohmann::ordered_json run_beat(const Options& options);
/// Clients join, `at_once` at a time, and stay.
nlohmann::ordered_json run_join(const Options& options);
/// Clients that beat at an interval, while others join and leave.
nlohmann::ordered_json run_churn(const Options& options);
/// All clients connect at the same moment, join, and take the full list.
nlohmann::ordered_json run_rush(const Options& options);
/// Clients join and then say nothing.
nlohmann::ordered_json run_idle(const Options& options);

}  // namespace lekt::bench

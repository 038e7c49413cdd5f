#pragma once
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/facts.h"
#include "bench/measured.h"
#include "bench/peaks.h"
#include "bench/step_cost.h"
#include "octavo/session.h"

namespace octavo::bench {

/// What one step took, and how near that is to what this machine can do.
struct StepProfile {
  StepInfo info;
  std::string family;  ///< "conv2d"
  std::string layer;   ///< the part of the model it belongs to: see layer_of
  double median_us = 0, best_us = 0;
  double share = 0;  ///< of all steps' medians
  StepCost cost;     ///< at the profile's batch
  double ops_per_second = 0, bytes_per_second = 0;
  bool reads_memory = false;  ///< its operands lie anywhere in memory; others are taken to come from L2
  /// Of the arithmetic peak of its operands' type; 0 where nothing is multiplied or the peak is unknown.
  double ops_fraction = 0;
  double bytes_fraction = 0;        ///< of reading from L2, or from memory
  std::vector<std::int32_t> reads;  ///< the steps whose results it reads
};

/// Steps added up.
struct GroupProfile {
  std::string name;
  int steps = 0;
  double median_us = 0, share = 0, ops_per_second = 0, ops_fraction = 0;
};

struct Profile {
  Facts facts;
  int threads = 1;
  std::int64_t batch = 1;
  int runs = 0;
  double median_run_us = 0;  ///< of whole runs
  Peaks peaks;
  std::vector<StepProfile> steps;   ///< in the order of the plan
  std::vector<StepEvent> timeline;  ///< of the run of the median length; times count from its beginning
};

/// Something whose runs can be traced: its steps, without times, and what runs it once.
struct Traced {
  Facts facts;
  std::vector<StepProfile> steps;
  std::function<std::vector<StepEvent>()> run;
};

/// Runs `what`, `batch` items at a time, for about `seconds` and a few times at least, and tells where the
/// time went, compared with `peaks`. A step's time is the mean of its threads'.
Profile profile(const Traced& what, const Peaks& peaks, std::int64_t batch, double seconds,
                const Watch& watch);

/// The same of `session`, whose inputs are set to `batch` items.
Profile profile(Session& session, const Peaks& peaks, std::int64_t batch, double seconds, const Watch& watch);

enum class Grouping { layer, kernel, problem };
/// The steps by layer, by kernel row (with its family) or by Problem, longest first.
std::vector<GroupProfile> groups_of(const Profile& profile, Grouping grouping);

/// The first part of a module path that has one ("layer3" of "layer3.0.conv1"); else the whole origin; "input
/// and output" for steps without one.
std::string layer_of(const std::string& origin);

/// For scripts: facts, peaks, steps, groups.
nlohmann::ordered_json json_of(const Profile& profile);
/// The timeline in Chrome's trace event format, which Perfetto opens too.
nlohmann::ordered_json trace_of(const Profile& profile);
/// A page that needs nothing beside itself: tables, a roofline plot, the timeline, the graph.
std::string html_of(const Profile& profile);

}  // namespace octavo::bench

#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/tune/log.h"
#include "compiler/tune/search.h"

namespace octavo {

/// Whether a trial was made by this version on a CPU like this one with the instruction set in use.
bool is_from_here(const Trial& trial);

/// How far a trial's use is from another one: nearest are those with as many threads, of these the nearest
/// batches.
std::pair<int, std::int64_t> use_distance(const Trial& trial, std::int64_t batch, int threads);

/// What SearchCalls::measure gave, as a trial of here and now.
Trial trial_here(const TuningTask& task, std::span<const std::string> candidates,
                 std::span<const Measured> measured, int threads);

/// What a log knows of some tasks, and how many of its trials that are.
struct Known {
  std::vector<Standing> standings;
  std::int64_t trials = 0;
};

/// Which trials tell something about a task.
enum class Uses {
  same,     ///< those with its batch and as many threads
  nearest,  ///< if there are none with as many threads, others; of these the ones with the nearest batch
};
Known known_of(std::span<const TuningTask> tasks, const LoggedTrials& logged, int threads, Uses uses);

/// What of a log says nothing about a model with these problems here, for people.
std::vector<std::string> useless_parts(const LoggedTrials& logged, std::span<const std::string> problems);

}  // namespace octavo

#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "compiler/tune/search.h"
#include "package/plan.h"

namespace octavo {

/// A task for every problem of a plan at every number of images that take it together; the candidates are the
/// legal kernels, in the table's order.
struct StepTasks {
  std::vector<TuningTask> tasks;
  std::vector<std::size_t> task_of;  ///< by step
  std::vector<std::size_t> example;  ///< by task: a step
};
StepTasks step_tasks(const Plan& plan, std::int64_t batch);
/// The candidates of each task in an order of chance.
void shuffle(StepTasks& steps, std::uint64_t seed);

/// How many images go through the plan at a time, as a task; without candidates where there is no choice.
TuningTask session_task(const Plan& plan, std::int64_t batch);
/// What a candidate of that task stands for: SessionOptions::images_per_pass.
std::int64_t images_of(std::string_view candidate);

}  // namespace octavo

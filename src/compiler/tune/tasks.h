#pragma once
#include <cstdint>
#include <string>
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

/// How images go through the plan, as a task; its candidates are texts of PassShapes.
TuningTask session_task(const Plan& plan, std::int64_t batch);
/// "images=4 row_bands=7", "default" where all is; and back.
std::string pass_text(const PassShape& pass);
PassShape parse_pass(std::string_view text);

}  // namespace octavo

#include "cli/kernel_counts.h"

#include <fmt/format.h>

namespace octavo::cli {

std::map<std::string, int> kernel_counts(const std::vector<StepInfo>& steps) {
  std::map<std::string, int> counts;
  for (const StepInfo& step : steps) {
    ++counts[fmt::format("{}:{}", step.problem.substr(0, step.problem.find(' ')), step.kernel)];
  }
  return counts;
}

}  // namespace octavo::cli

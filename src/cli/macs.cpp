#include "cli/macs.h"

#include <string_view>

namespace octavo::cli {

std::int64_t macs_per_image(const Plan& plan) {
  std::int64_t macs = 0;
  for (const Step& step : plan.steps) {
    const std::string_view problem = step.problem;
    const std::string_view family = problem.substr(0, problem.find(' '));
    if (family != "conv2d" && family != "linear") continue;
    const auto extents = [&](std::int32_t tensor) {
      return extents_at(plan.tensors[static_cast<std::size_t>(tensor)].shape, 1);
    };
    const std::vector<std::int64_t> weights = extents(step.inputs[1]);
    macs += element_count(extents(step.output)) * (element_count(weights) / weights[0]);
  }
  return macs;
}

}  // namespace octavo::cli

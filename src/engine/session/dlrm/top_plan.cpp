#include "engine/session/dlrm/top_plan.h"

namespace octavo {

TopPlan::TopPlan(const DlrmModel& model, std::int64_t step_inputs_in,
                 std::int64_t (*place_of)(const DotFolds&, std::int64_t lane))
    : step_inputs(step_inputs_in),
      vector_bytes(steps_of(model.dim) * kDlrmStep),
      vectors(std::ssize(model.tables) + 1),
      blocks((vectors + 15) / 16) {
  const bool is_cat = model.interaction == Interaction::cat;
  const std::int64_t vector_inputs = steps_of(model.dim) * step_inputs;
  for (std::int64_t v = 0; v < (is_cat ? vectors : 1); ++v) {
    for (std::int64_t i = 0; i < model.dim; ++i) places.push_back(v * vector_inputs + i);
  }
  if (!is_cat) dots = fold_dots(vectors, model.interaction == Interaction::dot_with_self);
  for (std::int64_t lane : dots.places) places.push_back(vector_inputs + place_of(dots, lane));
  steps = (is_cat ? vectors : 1) * vector_bytes / kDlrmStep + std::ssize(dots.folds) * 16 / step_inputs;
}

}  // namespace octavo

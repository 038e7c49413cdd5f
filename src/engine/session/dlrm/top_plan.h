#pragma once
#include <cstdint>
#include <vector>

#include "engine/kernels/dlrm/work.h"
#include "engine/session/dlrm/dot_folds.h"
#include "package/dlrm_model.h"

namespace octavo {

/// Where things are among the packed inputs of the top MLP: x and, for `cat`, each embedding in whole steps,
/// the products behind x.
struct TopPlan {
  std::int64_t step_inputs;
  std::int64_t vector_bytes;  ///< of a feature vector: whole steps
  std::int64_t vectors;
  std::int64_t blocks;  ///< of 16 vectors
  DotFolds dots;
  std::int64_t steps;
  std::vector<std::int64_t> places;  ///< of each input, counted in inputs

  /// For steps of `step_inputs` inputs; `place_of` says where among the products' inputs a lane of DotFolds
  /// goes.
  TopPlan(const DlrmModel& model, std::int64_t step_inputs,
          std::int64_t (*place_of)(const DotFolds& dots, std::int64_t lane));

  [[nodiscard]] std::int64_t steps_of(std::int64_t inputs) const noexcept {
    return (inputs + step_inputs - 1) / step_inputs;
  }
  /// Of a sample's feature vectors, whole blocks of them.
  [[nodiscard]] std::int64_t sample_bytes() const noexcept { return blocks * 16 * vector_bytes; }
};

}  // namespace octavo

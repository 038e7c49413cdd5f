#pragma once
#include <cstdint>
#include <vector>

#include "engine/kernels/dlrm/work.h"

namespace octavo {

/// How the products of `vectors` feature vectors, a triangle, become whole vectors of 16 lanes: each fold
/// holds the end of one row of a tile and of another one. 27 vectors give 351 products in 24 folds of 384
/// lanes.
struct DotFolds {
  std::vector<DlrmFold> folds;       ///< whole steps of four; unused ones read the first sums
  std::vector<std::int64_t> places;  ///< of each product (i, j), row by row: 16 * its fold + its lane
  /// int8: DlrmDotsWork's; quads without products stand last in their step.
  std::vector<std::int32_t> quad_order;
};

/// Products (i, j < i), with_self also (i, i).
DotFolds fold_dots(std::int64_t vectors, bool with_self);

}  // namespace octavo

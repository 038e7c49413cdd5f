#pragma once
#include <string>
#include <vector>

#include "engine/session/dlrm/testing/models.h"

namespace octavo::testing {

/// MLPs dim-70-dim and 130-33-1, tables of 3, 10, 17, ... rows.
DlrmShape shape_of(Interaction interaction, std::int64_t dim, std::size_t tables,
                   std::vector<RowFormat> formats);

/// A shape, and how many samples to score with it at a time.
struct ShapeCase {
  std::string name;
  DlrmShape shape;
  std::vector<std::int64_t> batches;
};

/// What makes fused pipelines differ: steps, panels and blocks that are full or not, all interactions.
std::vector<ShapeCase> shape_cases();

}  // namespace octavo::testing

#pragma once
#include <memory>
#include <string>
#include <string_view>
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

/// One table of each.
std::vector<RowFormat> all_row_formats();

/// What makes fused pipelines differ: steps, panels and blocks that are full or not, all interactions.
std::vector<ShapeCase> shape_cases();

/// For each number of samples a batch of single rows and one of bags.
std::vector<OwnedBatch> random_batches(const DlrmModel& model, const std::vector<std::int64_t>& samples);

/// A model and what the reference of an arithmetic gives for it.
struct ScoredCase {
  std::string name;
  std::shared_ptr<DlrmData> data;
  std::vector<OwnedBatch> batches;
  DlrmPrecision precision;
  std::vector<std::vector<float>> expected;

  ScoredCase(std::string name, std::shared_ptr<DlrmData> data, std::vector<OwnedBatch> batches,
             DlrmPrecision precision);
  /// Expects these bits of a session with the row `kernel`.
  void expect_of(std::string_view kernel) const;
  /// And of a pipeline, which may run on emulated tiles.
  void expect_of(const DlrmPipeline& pipeline) const;
  /// Of batch i, for messages.
  [[nodiscard]] std::string text(std::size_t i) const;
};

}  // namespace octavo::testing

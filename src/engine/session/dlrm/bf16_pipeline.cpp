#include "engine/session/dlrm/bf16_pipeline.h"

#include <array>

#include "base/bf16.h"
#include "engine/session/dlrm/bf16_layers.h"

namespace octavo {
namespace {

std::vector<PlainLayer> plain(const std::vector<Bf16Layer>& layers) {
  std::vector<PlainLayer> result;
  result.reserve(layers.size());
  for (const Bf16Layer& layer : layers) {
    result.push_back({.inputs = layer.inputs,
                      .outputs = layer.outputs,
                      .weights = std::as_bytes(std::span(layer.weights)),
                      .bias = layer.bias});
  }
  return result;
}

/// The bf16 of each code of a table in 4-bit codes.
using Levels = std::array<std::uint16_t, 2 * kCodebookEntries>;

Levels levels_of(const RowCoding& coding) {
  Levels levels{};
  for (std::size_t q = 0; q < coding.codebook.size(); ++q)
    levels[q] = bf16_bits(coding.scale * static_cast<float>(coding.codebook[q]));
  return levels;
}

/// Single rows of codes become vectors through their table's levels, other bags are summed and rounded.
class Bf16Vectors {
 public:
  Bf16Vectors(const DlrmData& data, const DlrmBf16Gather& kernels) : kernels_(kernels), dim_(data.model.dim) {
    for (const TableView& view : data.tables.views()) {
      has_codes_.push_back(view.coding.format == RowFormat::s4_codebook);
      levels_.push_back(levels_of(view.coding));
    }
  }

  void operator()(const FeatureTurn& turn) const noexcept {
    prefetch_ahead(turn);
    for (std::int64_t s = 0; s < turn.samples; ++s) {
      for (std::size_t t = 0; t < has_codes_.size(); ++t) {
        const BagTable& table = turn.tables[t];
        const Bag bag = bag_of(turn.batch, static_cast<std::int64_t>(t), turn.first + s);
        auto* const vector = reinterpret_cast<std::uint16_t*>(turn.vector(s, t));
        if (has_codes_[t] && bag.count == 1) {
          kernels_.codes(table.rows + bag.rows[0] * table.row_bytes, dim_, levels_[t].data(), vector);
          continue;
        }
        kernels_.sum(table, bag.rows, bag.count, turn.sum);
        kernels_.round(turn.sum, dim_, vector);
      }
    }
  }

 private:
  DlrmBf16Gather kernels_;
  std::int64_t dim_;
  std::vector<bool> has_codes_;
  std::vector<Levels> levels_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_bf16(const DlrmData& data, const DlrmKernels& kernels,
                                           const DlrmBf16Gather& gather) {
  const Bf16Layers layers = bf16_layers(data);
  const TopPlan plan(data.model, kBf16Step, [](const DotFolds& /*dots*/, std::int64_t lane) { return lane; });
  return prepare_fused(data, {.most_samples = 256,  // half as many as in bytes
                              .kernels = kernels,
                              .top_plan = plan,
                              .layers = {plain(layers.bottom), plain(layers.top), plan},
                              .gather = Bf16Vectors(data, gather)});
}

}  // namespace octavo

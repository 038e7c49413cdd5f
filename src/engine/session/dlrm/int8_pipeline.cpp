#include "engine/session/dlrm/int8_pipeline.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "engine/embedding/bag_sum.h"
#include "engine/session/dlrm/int8_numbers.h"

namespace octavo {
namespace {

/// The byte of a lane of `dots`, by its quad_order.
std::int64_t byte_of(const DotFolds& dots, std::int64_t lane) {
  const std::int64_t fold = lane / 16, quad = lane % 16 / 4 * 4 + fold % 4;
  const auto order = std::span(dots.quad_order).subspan(static_cast<std::size_t>(fold / 4 * 16), 16);
  return fold / 4 * kDlrmStep + (std::find(order.begin(), order.end(), quad) - order.begin()) * 4 + lane % 4;
}

std::vector<PlainLayer> plain(const std::vector<Int8Layer>& layers) {
  std::vector<PlainLayer> result;
  for (const Int8Layer& layer : layers) {
    PlainLayer to{.inputs = layer.inputs,
                  .outputs = layer.outputs,
                  .weights = std::as_bytes(std::span(layer.weights)),
                  .bias = layer.bias,
                  .multiplier = layer.multiplier,
                  .highest = layer.highest};
    for (auto weight = layer.weights.begin(); weight != layer.weights.end(); weight += layer.inputs)
      to.excess.push_back(128 * std::accumulate(weight, weight + layer.inputs, 0));
    result.push_back(std::move(to));
  }
  return result;
}

/// The multiplier of each product, in its lane.
std::vector<float> by_lane(const std::vector<float>& multiplier, const DotFolds& dots) {
  std::vector<float> result(dots.folds.size() * 16);
  for (std::size_t i = 0; i < multiplier.size(); ++i)
    result[static_cast<std::size_t>(dots.places[i])] = multiplier[i];
  return result;
}

/// The feature vectors of single rows come from the kernel that gathers them, where it can, all others are
/// sums of rows, quantized.
class Int8Vectors {
 public:
  Int8Vectors(const DlrmData& data, const Int8Numbers& numbers, const TopPlan& plan,
              const DlrmInt8Gather& kernels)
      : kernels_(kernels), dim_(data.model.dim), inverse_scale_(numbers.feature_inverse_scale) {
    for (std::size_t t = 0; t < inverse_scale_.size(); ++t) {
      const auto number = static_cast<std::int64_t>(t);
      is_gathered_.push_back(numbers.keeps_rows[t] || kernels.gathers_all);
      if (!is_gathered_[t]) continue;
      FeatureTable table{bag_table(data.tables.views()[t]),
                         number,
                         (number + 1) * plan.vector_bytes,
                         numbers.keeps_rows[t] ? 0.0F : inverse_scale_[t],
                         {}};
      if (data.model.tables[t].format == RowFormat::s4_codebook) set_codebook(table);
      gathered_.push_back(table);
    }
  }

  void operator()(const FeatureTurn& turn) const noexcept {
    const bool are_single = turn.batch.offsets.empty();
    if (are_single) {
      kernels_.gather({gathered_.data(), std::ssize(gathered_), turn.batch.indices.data() + turn.first,
                       table_stride(turn.batch), turn.samples, turn.ahead, turn.features, turn.sample_bytes});
      if (gathered_.size() == is_gathered_.size()) return;
    }
    prefetch_ahead(turn);
    for (std::int64_t s = 0; s < turn.samples; ++s) {
      for (std::size_t t = 0; t < is_gathered_.size(); ++t) {
        if (are_single && is_gathered_[t]) continue;
        const Bag bag = bag_of(turn.batch, static_cast<std::int64_t>(t), turn.first + s);
        kernels_.sum(turn.tables[t], bag.rows, bag.count, turn.sum);
        kernels_.quantize(turn.sum, dim_, inverse_scale_[t], turn.vector(s, t));
      }
    }
  }

 private:
  /// Codes that are not vectors already are quantized once, in the codebook.
  void set_codebook(FeatureTable& table) const {
    std::copy_n(table.bag.codebook, kCodebookEntries, table.codebook);
    if (table.inverse_scale == 0) return;
    std::array<float, kCodebookEntries> values{};
    std::transform(table.codebook, table.codebook + kCodebookEntries, values.begin(),
                   [&](std::int8_t code) { return table.bag.scale * static_cast<float>(code); });
    kernels_.quantize(values.data(), kCodebookEntries, table.inverse_scale, table.codebook);
    table.inverse_scale = 0;
  }

  DlrmInt8Gather kernels_;
  std::int64_t dim_;
  std::vector<float> inverse_scale_;
  std::vector<bool> is_gathered_;
  std::vector<FeatureTable> gathered_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_int8(const DlrmData& data, const DlrmKernels& kernels,
                                           const DlrmInt8Gather& gather) {
  const Int8Numbers numbers = int8_numbers(data);
  const TopPlan plan(data.model, kDlrmStep, byte_of);
  return prepare_fused(data, {.most_samples = 512,
                              .kernels = kernels,
                              .top_plan = plan,
                              .layers = {plain(numbers.bottom), plain(numbers.top), plan},
                              .dense_inverse_scale = numbers.dense_inverse_scale,
                              .dense_zero_point = numbers.dense_zero_point,
                              .dot_multiplier = by_lane(numbers.dot_multiplier, plan.dots),
                              .gather = Int8Vectors(data, numbers, plan, gather)});
}

}  // namespace octavo

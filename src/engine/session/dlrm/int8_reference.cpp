#include <algorithm>
#include <cmath>

#include "engine/embedding/bag_sum.h"
#include "engine/embedding/feature_block.h"
#include "engine/kernels/quantized_math.h"
#include "engine/session/dlrm/int8_numbers.h"
#include "engine/session/dlrm/int8_pipeline.h"
#include "engine/session/dlrm/scratch.h"

namespace octavo {
namespace {

std::int32_t layer_sum(const Int8Layer& layer, const std::int32_t* x, std::int64_t n) noexcept {
  std::int32_t sum = 0;
  for (std::int64_t k = 0; k < layer.inputs; ++k)
    sum += x[k] * layer.weights[static_cast<std::size_t>(n * layer.inputs + k)];
  return sum;
}

float layer_real(const Int8Layer& layer, const std::int32_t* x, std::int64_t n) noexcept {
  const auto i = static_cast<std::size_t>(n);
  return std::fma(static_cast<float>(layer_sum(layer, x, n)), layer.multiplier[i], layer.bias[i]);
}

/// The rules of Int8Numbers, one sample after the other, one value after the other.
class Reference final : public DlrmPipeline {
 public:
  explicit Reference(const DlrmData& data) : model_(data.model), numbers_(int8_numbers(data)) {
    for (const TableView& view : data.tables.views()) tables_.push_back(bag_table(view));
    widest_ = std::max(model_.dense_features, interaction_width(model_));
    for (const auto* widths : {&model_.bottom, &model_.top})
      widest_ = std::max(widest_, *std::max_element(widths->begin(), widths->end()));
  }

  [[nodiscard]] std::int64_t most_samples() const noexcept override { return 1; }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    Scratch scratch(nullptr);
    Buffers{*this, scratch};
    return scratch.used();
  }

  void run(const DlrmChunk& chunk, std::byte* memory) const noexcept override {
    Scratch scratch(memory);
    Buffers b(*this, scratch);
    const float* const dense = chunk.batch->dense.data() + chunk.first * model_.dense_features;
    for (std::int64_t i = 0; i < model_.dense_features; ++i) {
      b.x[i] = quantize_value(dense[i], numbers_.dense_inverse_scale, numbers_.dense_zero_point, {0, 255});
    }
    chunk.stage_done();
    for (const Int8Layer& layer : numbers_.bottom) run_layer(layer, chunk, b);
    gather(chunk, b);
    interact(b);
    chunk.interaction_done();
    for (const Int8Layer& layer : numbers_.top) {
      if (&layer != &numbers_.top.back()) run_layer(layer, chunk, b);
    }
    const float logit = layer_real(numbers_.top.back(), b.x, 0);
    chunk.stage_done();
    *chunk.scores = 1.0F / (1.0F + std::exp(-logit));
    chunk.stage_done();
  }

 private:
  struct Buffers {
    std::int32_t *x, *y;    ///< activations
    std::int32_t* vectors;  ///< [tables + 1][dim]
    float* sum;
    std::int8_t* feature;

    Buffers(const Reference& r, Scratch& scratch)
        : x(scratch.take<std::int32_t>(r.widest_)),
          y(scratch.take<std::int32_t>(r.widest_)),
          vectors(scratch.take<std::int32_t>((std::ssize(r.tables_) + 1) * r.model_.dim)),
          sum(scratch.take<float>(r.model_.dim)),
          feature(scratch.take<std::int8_t>(r.model_.dim)) {}
  };

  static void run_layer(const Int8Layer& layer, const DlrmChunk& chunk, Buffers& b) noexcept {
    for (std::int64_t n = 0; n < layer.outputs; ++n)
      b.y[n] = clamp_stored(std::nearbyint(layer_real(layer, b.x, n)), 0, {0, layer.highest});
    std::swap(b.x, b.y);
    chunk.stage_done();
  }

  void gather(const DlrmChunk& chunk, Buffers& b) const noexcept {
    const Gathering gathering(chunk.clock);
    const std::int64_t dim = model_.dim;
    std::copy_n(b.x, dim, b.vectors);
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      const Bag bag = bag_of(*chunk.batch, static_cast<std::int64_t>(t), chunk.first);
      bag_sum_reference(tables_[t], bag.rows, bag.count, b.sum);
      quantize_features_reference(b.sum, dim, numbers_.feature_inverse_scale[t], b.feature);
      std::copy_n(b.feature, dim, b.vectors + (static_cast<std::int64_t>(t) + 1) * dim);
    }
  }

  void interact(Buffers& b) const noexcept {
    const std::int64_t dim = model_.dim, vectors = std::ssize(tables_) + 1;
    if (model_.interaction == Interaction::cat) {
      std::copy_n(b.vectors, vectors * dim, b.x);
      return;
    }
    const std::int64_t self = model_.interaction == Interaction::dot_with_self ? 1 : 0;
    std::int32_t* to = std::copy_n(b.vectors, dim, b.x);
    const float* multiplier = numbers_.dot_multiplier.data();
    for (std::int64_t i = 0; i < vectors; ++i) {
      for (std::int64_t j = 0; j < i + self; ++j) {
        std::int32_t sum = 0;
        for (std::int64_t k = 0; k < dim; ++k) sum += b.vectors[i * dim + k] * b.vectors[j * dim + k];
        *to++ = clamp_stored(std::nearbyint(static_cast<float>(sum) * *multiplier++), 0, {-128, 127});
      }
    }
  }

  const DlrmModel& model_;
  Int8Numbers numbers_;
  std::vector<BagTable> tables_;
  std::int64_t widest_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_int8_reference(const DlrmData& data) {
  return std::make_unique<Reference>(data);
}

}  // namespace octavo

#include <algorithm>
#include <cmath>

#include "base/bf16.h"
#include "engine/embedding/bag_sum.h"
#include "engine/session/dlrm/bf16_layers.h"
#include "engine/session/dlrm/bf16_pipeline.h"
#include "engine/session/dlrm/scratch.h"

namespace octavo {
namespace {

float rounded(float value) noexcept { return bf16_value(bf16_bits(value)); }

/// A sum begins as the bias and takes the products in the order of the inputs.
float layer_sum(const Bf16Layer& layer, const float* x, std::int64_t n) noexcept {
  float sum = layer.bias[static_cast<std::size_t>(n)];
  for (std::int64_t k = 0; k < layer.inputs; ++k)
    sum += x[k] * bf16_value(layer.weights[static_cast<std::size_t>(n * layer.inputs + k)]);
  return sum;
}

/// The rules of Bf16Layers, one sample after the other, one value after the other.
class Reference final : public DlrmPipeline {
 public:
  explicit Reference(const DlrmData& data) : model_(data.model), layers_(bf16_layers(data)) {
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
    std::transform(dense, dense + model_.dense_features, b.x, rounded);
    chunk.stage_done();
    for (const Bf16Layer& layer : layers_.bottom) run_layer(layer, chunk, b);
    gather(chunk, b);
    interact(b);
    chunk.interaction_done();
    for (const Bf16Layer& layer : layers_.top) {
      if (&layer != &layers_.top.back()) run_layer(layer, chunk, b);
    }
    const float logit = layer_sum(layers_.top.back(), b.x, 0);
    chunk.stage_done();
    *chunk.scores = 1.0F / (1.0F + std::exp(-logit));
    chunk.stage_done();
  }

 private:
  struct Buffers {
    float *x, *y;    ///< activations
    float* vectors;  ///< [tables + 1][dim]

    Buffers(const Reference& r, Scratch& scratch)
        : x(scratch.take<float>(r.widest_)),
          y(scratch.take<float>(r.widest_)),
          vectors(scratch.take<float>((std::ssize(r.tables_) + 1) * r.model_.dim)) {}
  };

  static void run_layer(const Bf16Layer& layer, const DlrmChunk& chunk, Buffers& b) noexcept {
    for (std::int64_t n = 0; n < layer.outputs; ++n)
      b.y[n] = rounded(std::max(layer_sum(layer, b.x, n), 0.0F));
    std::swap(b.x, b.y);
    chunk.stage_done();
  }

  void gather(const DlrmChunk& chunk, Buffers& b) const noexcept {
    const Gathering gathering(chunk.clock);
    const std::int64_t dim = model_.dim;
    std::copy_n(b.x, dim, b.vectors);
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      const Bag bag = bag_of(*chunk.batch, static_cast<std::int64_t>(t), chunk.first);
      float* const vector = b.vectors + (static_cast<std::int64_t>(t) + 1) * dim;
      bag_sum_reference(tables_[t], bag.rows, bag.count, vector);
      std::transform(vector, vector + dim, vector, rounded);
    }
  }

  void interact(Buffers& b) const noexcept {
    const std::int64_t dim = model_.dim, vectors = std::ssize(tables_) + 1;
    if (model_.interaction == Interaction::cat) {
      std::copy_n(b.vectors, vectors * dim, b.x);
      return;
    }
    const std::int64_t self = model_.interaction == Interaction::dot_with_self ? 1 : 0;
    float* to = std::copy_n(b.vectors, dim, b.x);
    for (std::int64_t i = 0; i < vectors; ++i) {
      for (std::int64_t j = 0; j < i + self; ++j) {
        float sum = 0.0F;
        for (std::int64_t k = 0; k < dim; ++k) sum += b.vectors[i * dim + k] * b.vectors[j * dim + k];
        *to++ = rounded(sum);
      }
    }
  }

  const DlrmModel& model_;
  Bf16Layers layers_;
  std::vector<BagTable> tables_;
  std::int64_t widest_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_bf16_reference(const DlrmData& data) {
  return std::make_unique<Reference>(data);
}

}  // namespace octavo

#pragma once
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/embedding/bag_sum.h"
#include "engine/session/dlrm/pipeline.h"
#include "engine/session/dlrm/scratch.h"

namespace octavo {

/// An arithmetic's rules, one sample after the other, one value after the other. `Rules`, made of DlrmData:
///   Value                                what holds activations, vectors and sums of their products
///   bottom(), top()                      the layers, whose extents are `inputs` and `outputs`
///   dense(float) -> Value
///   logit(layer, const Value* x, n) -> float, output(layer, const Value* x, n) -> Value
///   vector(table, float) -> Value        an element of the sum of rows
///   product(number, Value sum) -> Value  of two vectors
template <class Rules>
class ReferencePipeline final : public DlrmPipeline {
 public:
  explicit ReferencePipeline(const DlrmData& data) : model_(data.model), rules_(data) {
    for (const TableView& view : data.tables.views()) tables_.push_back(bag_table(view));
    widest_ = std::max(model_.dense_features, interaction_width(model_));
    for (const auto* widths : {&model_.bottom, &model_.top})
      widest_ = std::max(widest_, *std::max_element(widths->begin(), widths->end()));
  }

  [[nodiscard]] std::int64_t most_samples() const noexcept override { return 1; }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return bytes_of_buffers<Buffers>(*this);
  }

  void run(const DlrmChunk& chunk, std::byte* memory) const noexcept override {
    Scratch scratch(memory);
    Buffers b(*this, scratch);
    const float* const dense = chunk.batch->dense.data() + chunk.first * model_.dense_features;
    std::transform(dense, dense + model_.dense_features, b.x,
                   [&](float value) { return rules_.dense(value); });
    chunk.stage_done();
    for (const auto& layer : rules_.bottom()) run_layer(layer, chunk, b);
    gather(chunk, b);
    interact(b);
    chunk.interaction_done();
    for (const auto& layer : rules_.top()) {
      if (&layer != &rules_.top().back()) run_layer(layer, chunk, b);
    }
    const float logit = rules_.logit(rules_.top().back(), b.x, 0);
    chunk.stage_done();
    *chunk.scores = 1.0F / (1.0F + std::exp(-logit));
    chunk.stage_done();
  }

 private:
  using Value = typename Rules::Value;

  struct Buffers {
    Value *x, *y;    ///< activations
    Value* vectors;  ///< [tables + 1][dim]
    float* sum;

    Buffers(const ReferencePipeline& r, Scratch& scratch)
        : x(scratch.take<Value>(r.widest_)),
          y(scratch.take<Value>(r.widest_)),
          vectors(scratch.take<Value>((std::ssize(r.tables_) + 1) * r.model_.dim)),
          sum(scratch.take<float>(r.model_.dim)) {}
  };

  template <class Layer>
  void run_layer(const Layer& layer, const DlrmChunk& chunk, Buffers& b) const noexcept {
    for (std::int64_t n = 0; n < layer.outputs; ++n) b.y[n] = rules_.output(layer, b.x, n);
    std::swap(b.x, b.y);
    chunk.stage_done();
  }

  void gather(const DlrmChunk& chunk, Buffers& b) const noexcept {
    const Gathering gathering(chunk.clock);
    const std::int64_t dim = model_.dim;
    Value* to = std::copy_n(b.x, dim, b.vectors);
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      const Bag bag = bag_of(*chunk.batch, static_cast<std::int64_t>(t), chunk.first);
      bag_sum_reference(tables_[t], bag.rows, bag.count, b.sum);
      to = std::transform(b.sum, b.sum + dim, to, [&](float value) { return rules_.vector(t, value); });
    }
  }

  void interact(Buffers& b) const noexcept {
    const std::int64_t dim = model_.dim, vectors = std::ssize(tables_) + 1;
    if (model_.interaction == Interaction::cat) {
      std::copy_n(b.vectors, vectors * dim, b.x);
      return;
    }
    const std::int64_t self = model_.interaction == Interaction::dot_with_self ? 1 : 0;
    std::copy_n(b.vectors, dim, b.x);
    std::size_t number = 0;
    for (std::int64_t i = 0; i < vectors; ++i) {
      for (std::int64_t j = 0; j < i + self; ++j, ++number) {
        Value sum = 0;
        for (std::int64_t k = 0; k < dim; ++k) sum += b.vectors[i * dim + k] * b.vectors[j * dim + k];
        b.x[static_cast<std::size_t>(dim) + number] = rules_.product(number, sum);
      }
    }
  }

  const DlrmModel& model_;
  Rules rules_;
  std::vector<BagTable> tables_;
  std::int64_t widest_;
};

}  // namespace octavo

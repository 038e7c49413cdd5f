#include "engine/session/dlrm/fused_pipeline.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/embedding/bag_sum.h"
#include "engine/session/dlrm/scratch.h"

namespace octavo {
namespace {

/// Up to this many samples the weights are what takes the time: they are read forwards and backwards in turn.
constexpr std::int64_t kFewSamples = 16;
/// Between features and what is made of them: a load waits for an earlier store with the same low 12 bits.
constexpr std::int64_t kHalfPage = 2048;

class FusedPipeline final : public DlrmPipeline {
 public:
  FusedPipeline(const DlrmData& data, FusedArithmetic arithmetic)
      : model_(data.model),
        arithmetic_(std::move(arithmetic)),
        kernels_(arithmetic_.kernels),
        plan_(arithmetic_.top_plan),
        bottom_(arithmetic_.layers.bottom),
        top_(arithmetic_.layers.top) {
    for (const TableView& view : data.tables.views()) tables_.push_back(bag_table(view));
    for (const auto layers : {bottom_, top_}) {
      for (const PackedLayer& layer : layers) widest_steps_ = std::max(widest_steps_, dst_steps(layer));
    }
  }

  [[nodiscard]] std::int64_t most_samples() const noexcept override { return arithmetic_.most_samples; }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return bytes_of_buffers<Buffers>(*this);
  }

  void run(const DlrmChunk& chunk, std::byte* memory) const noexcept override {
    Scratch scratch(memory);
    const Buffers b(*this, scratch);
    const bool backwards = chunk.samples <= kFewSamples && (++*b.runs & 1) != 0;
    // The rows of the first turn come while the bottom MLP runs.
    for (std::int64_t i = 0; i < std::min(kDlrmTurn, chunk.samples); ++i)
      prefetch_sample(tables_, *chunk.batch, chunk.first + i);
    kernels_.input({chunk.batch->dense.data() + chunk.first * model_.dense_features, model_.dense_features,
                    chunk.samples, arithmetic_.dense_inverse_scale, arithmetic_.dense_zero_point, b.input,
                    bottom_.front().steps});
    chunk.stage_done();
    run_layers(bottom_, b.input, chunk, b, b.top, backwards);
    interact({this, &chunk, &b});
    chunk.interaction_done();
    const std::uint8_t* const src =
        run_layers(top_.first(top_.size() - 1), b.top, chunk, b, nullptr, backwards);
    const PackedLayer& last = top_.back();
    kernels_.last({src, last.steps, last.weights, last.bias[0], last.multiplier[0],
                   last.src_is_signed != 0 ? last.excess[0] : 0,
                   last.src_is_signed != 0 && !kernels_.top_is_u8 ? 1 : 0, chunk.samples, chunk.scores});
    chunk.stage_done();
    for (std::int64_t i = 0; i < chunk.samples; ++i)
      chunk.scores[i] = 1.0F / (1.0F + std::exp(-chunk.scores[i]));
    chunk.stage_done();
  }

 private:
  /// A thread's scratch.
  struct Buffers {
    std::int64_t* runs;
    std::uint8_t *input, *a, *b, *top;  ///< packed activations
    std::int8_t* features;              ///< of a turn: [sample][16 * blocks][vector_bytes]
    std::uint8_t* dots;
    float* sum;

    Buffers(const FusedPipeline& p, Scratch& scratch)
        : runs(scratch.take<std::int64_t>(1)),
          input(scratch.take<std::uint8_t>(p.packed_bytes(p.bottom_.front().steps))),
          a(scratch.take<std::uint8_t>(p.packed_bytes(p.widest_steps_))),
          b(scratch.take<std::uint8_t>(p.packed_bytes(p.widest_steps_))),
          top(scratch.take<std::uint8_t>(p.packed_bytes(p.plan_.steps))),
          features(scratch.take<std::int8_t>(kDlrmTurn * p.plan_.sample_bytes() + kHalfPage)),
          dots(scratch.take<std::uint8_t>(dlrm_dots_scratch_bytes(p.plan_.blocks, p.plan_.vector_bytes))),
          sum(scratch.take<float>(p.model_.dim)) {}
  };

  /// Of a chunk's packed activations.
  [[nodiscard]] std::int64_t packed_bytes(std::int64_t steps) const noexcept {
    return steps * arithmetic_.most_samples * kDlrmStep;
  }

  [[nodiscard]] std::int64_t dst_steps(const PackedLayer& layer) const noexcept {
    return plan_.steps_of(layer.panels * kDlrmPanel);
  }

  /// Runs layers from `src` on; the last one writes to `top` where that is given. Returns where the result
  /// lies.
  const std::uint8_t* run_layers(std::span<const PackedLayer> layers, const std::uint8_t* src,
                                 const DlrmChunk& chunk, const Buffers& b, std::uint8_t* top,
                                 bool backwards) const noexcept {
    for (const PackedLayer& layer : layers) {
      const bool is_placed = top != nullptr && &layer == &layers.back();
      std::uint8_t* const dst = is_placed ? top : src == b.a ? b.b : b.a;
      kernels_.layer({src, layer.steps, layer.weights, layer.bias.data(), layer.multiplier.data(),
                      layer.excess.data(), layer.src_is_signed, layer.highest, layer.panels, dst,
                      is_placed ? plan_.steps : dst_steps(layer), chunk.samples, backwards ? 1 : 0,
                      layer.quads});
      chunk.stage_done();
      src = dst;
    }
    return src;
  }

  /// Where feature vectors come from.
  struct Source {
    const FusedPipeline* pipeline;
    const DlrmChunk* chunk;
    const Buffers* buffers;
  };

  /// The feature vectors of the chunk's samples `first` .. `first + samples`, but x; asks for the rows of as
  /// many samples behind them.
  static void gather(const void* source, std::int64_t first, std::int64_t samples) {
    const Source& from = *static_cast<const Source*>(source);
    const Gathering gathering(from.chunk->clock);
    const FusedPipeline& p = *from.pipeline;
    p.arithmetic_.gather({*from.chunk->batch, p.tables_, from.chunk->first + first, samples,
                          std::min(kDlrmTurn, from.chunk->samples - first - samples), from.buffers->features,
                          p.plan_.sample_bytes(), p.plan_.vector_bytes, from.buffers->sum});
  }

  void interact(const Source& source) const noexcept {
    const Buffers& b = *source.buffers;
    const std::int64_t samples = source.chunk->samples;
    if (model_.interaction != Interaction::cat) {
      kernels_.dots({b.features, gather, &source, plan_.vectors, plan_.blocks, plan_.vector_bytes, samples,
                     plan_.dots.folds.data(), arithmetic_.dot_multiplier.data(), plan_.dots.quad_order.data(),
                     std::ssize(plan_.dots.folds) / 4, b.top, plan_.steps, b.dots});
      return;
    }
    for (std::int64_t s = 0; s < samples; ++s) {
      if (s % kDlrmTurn == 0) gather(&source, s, std::min(kDlrmTurn, samples - s));
      std::uint8_t* const row =
          b.top + s / kDlrmGroup * plan_.steps * kDlrmStepBytes + s % kDlrmGroup * kDlrmStep;
      const std::int8_t* const features = b.features + s % kDlrmTurn * plan_.sample_bytes();
      for (std::int64_t step = plan_.vector_bytes / kDlrmStep; step < plan_.steps; ++step)
        std::memcpy(row + step * kDlrmStepBytes, features + step * kDlrmStep, kDlrmStep);
      for (std::int64_t step = 0; kernels_.top_is_u8 && step < plan_.steps; ++step)
        for (std::int64_t i = 0; i < kDlrmStep; ++i) row[step * kDlrmStepBytes + i] ^= 0x80;
    }
  }

  const DlrmModel& model_;
  FusedArithmetic arithmetic_;
  const DlrmKernels& kernels_;
  const TopPlan& plan_;
  std::span<const PackedLayer> bottom_, top_;
  std::vector<BagTable> tables_;
  std::int64_t widest_steps_ = 1;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_fused(const DlrmData& data, FusedArithmetic arithmetic) {
  return std::make_unique<FusedPipeline>(data, std::move(arithmetic));
}

}  // namespace octavo

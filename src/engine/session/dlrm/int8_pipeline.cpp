#include "engine/session/dlrm/int8_pipeline.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/embedding/bag_sum.h"
#include "engine/session/dlrm/packed_layer.h"
#include "engine/session/dlrm/prefetch.h"
#include "engine/session/dlrm/scratch.h"
#include "engine/session/dlrm/top_plan.h"

namespace octavo {
namespace {

/// Samples whose activations stay in L2 while all weights pass (docs/performance.md).
constexpr std::int64_t kSamples = 512;
/// Up to this many samples the weights are what takes the time: they are read forwards and backwards in turn.
constexpr std::int64_t kFewSamples = 16;
/// Between features and what is made of them: a load waits for an earlier store with the same low 12 bits.
constexpr std::int64_t kHalfPage = 2048;

/// The byte of a lane of DotFolds: packing interleaves four folds by fours of lanes.
std::int64_t byte_of(std::int64_t lane) noexcept {
  const std::int64_t fold = lane / 16;
  return fold / 4 * kDlrmStep + lane % 16 / 4 * 16 + fold % 4 * 4 + lane % 4;
}

class Int8Pipeline final : public DlrmPipeline {
 public:
  Int8Pipeline(const DlrmData& data, const DlrmInt8Kernels& kernels)
      : model_(data.model),
        kernels_(kernels),
        numbers_(int8_numbers(data)),
        top_plan_(model_, kDlrmStep, byte_of) {
    for (std::size_t t = 0; t < model_.tables.size(); ++t) {
      const BagTable bag = bag_table(data.tables.views()[t]);
      const auto number = static_cast<std::int64_t>(t);
      tables_.push_back(bag);
      if (numbers_.keeps_rows[t])
        kept_tables_.push_back({bag, number, (number + 1) * top_plan_.vector_bytes});
    }
    pack_layers();
    scatter_multipliers();
  }

  [[nodiscard]] std::int64_t most_samples() const noexcept override { return kSamples; }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    Scratch scratch(nullptr);
    Buffers{*this, scratch};
    return scratch.used();
  }

  void run(const DlrmChunk& chunk, std::byte* memory) const noexcept override {
    Scratch scratch(memory);
    const Buffers b(*this, scratch);
    const bool backwards = chunk.samples <= kFewSamples && (++*b.runs & 1) != 0;
    // The rows of the first turn come while the bottom MLP runs.
    for (std::int64_t i = 0; i < std::min(kDlrmTurn, chunk.samples); ++i)
      prefetch_sample(tables_, *chunk.batch, chunk.first + i);
    kernels_.input({chunk.batch->dense.data() + chunk.first * model_.dense_features, model_.dense_features,
                    chunk.samples, numbers_.dense_inverse_scale, numbers_.dense_zero_point, b.input,
                    bottom_.front().steps});
    chunk.stage_done();
    run_layers(bottom_, b.input, chunk, b, b.top, top_plan_.steps, backwards);
    interact({this, &chunk, &b});
    chunk.interaction_done();
    const std::uint8_t* const src =
        run_layers(std::span(top_).first(top_.size() - 1), b.top, chunk, b, nullptr, 0, backwards);
    const PackedLayer& last = top_.back();
    kernels_.last({src, last.steps, last_weights_.data(), last.bias[0], last.multiplier[0], last.excess[0],
                   last.src_is_signed, chunk.samples, chunk.scores});
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

    Buffers(const Int8Pipeline& p, Scratch& scratch)
        : runs(scratch.take<std::int64_t>(1)),
          input(scratch.take<std::uint8_t>(p.bottom_.front().steps * kSamples * kDlrmStep)),
          a(scratch.take<std::uint8_t>(p.widest_steps_ * kSamples * kDlrmStep)),
          b(scratch.take<std::uint8_t>(p.widest_steps_ * kSamples * kDlrmStep)),
          top(scratch.take<std::uint8_t>(p.top_plan_.steps * kSamples * kDlrmStep)),
          features(scratch.take<std::int8_t>(kDlrmTurn * p.sample_bytes() + kHalfPage)),
          dots(scratch.take<std::uint8_t>(
              dlrm_dots_scratch_bytes(p.top_plan_.blocks, p.top_plan_.vector_bytes))),
          sum(scratch.take<float>(p.model_.dim)) {}
  };

  [[nodiscard]] std::int64_t sample_bytes() const noexcept {
    return top_plan_.blocks * 16 * top_plan_.vector_bytes;
  }

  /// Packs the layers, their weights one behind the other in memory but for the last one's.
  void pack_layers() {
    std::int64_t bytes = 0;
    const auto add = [&](std::vector<PackedLayer>& to, const Int8Layer& layer, bool reads_top) {
      to.emplace_back(layer, reads_top ? top_plan_.steps : dlrm_steps(layer.inputs), reads_top);
      to.back().weights_offset = bytes;
      bytes += to.back().weights_bytes();
      widest_steps_ = std::max(widest_steps_, dlrm_steps(layer.outputs));
    };
    for (const Int8Layer& layer : numbers_.bottom) add(bottom_, layer, false);
    for (const Int8Layer& layer : numbers_.top) add(top_, layer, &layer == &numbers_.top.front());
    weights_ = MemoryRegion::zeros(bytes);
    const auto pack = [&](const PackedLayer& to, const Int8Layer& layer) {
      pack_weights(layer, to.src_is_signed != 0 ? top_plan_.places : counted_places(layer.inputs), to.steps,
                   reinterpret_cast<std::int8_t*>(weights_.data()) + to.weights_offset);
    };
    for (std::size_t i = 0; i < bottom_.size(); ++i) pack(bottom_[i], numbers_.bottom[i]);
    for (std::size_t i = 0; i + 1 < top_.size(); ++i) pack(top_[i], numbers_.top[i]);
    const Int8Layer& last = numbers_.top.back();
    const auto places = top_.size() == 1 ? top_plan_.places : counted_places(last.inputs);
    last_weights_.resize(static_cast<std::size_t>(top_.back().steps * kDlrmStep));
    for (std::size_t k = 0; k < places.size(); ++k)
      last_weights_[static_cast<std::size_t>(places[k])] = last.weights[k];
  }

  /// The multiplier of each product to its lane.
  void scatter_multipliers() {
    dot_multiplier_.resize(top_plan_.dots.folds.size() * 16);
    for (std::size_t i = 0; i < numbers_.dot_multiplier.size(); ++i)
      dot_multiplier_[static_cast<std::size_t>(top_plan_.dots.places[i])] = numbers_.dot_multiplier[i];
  }

  /// Runs layers from `src` on; the last one writes to `last_dst` where that is given. Returns where the
  /// result lies.
  const std::uint8_t* run_layers(std::span<const PackedLayer> layers, const std::uint8_t* src,
                                 const DlrmChunk& chunk, const Buffers& b, std::uint8_t* last_dst,
                                 std::int64_t last_dst_steps, bool backwards) const noexcept {
    for (const PackedLayer& layer : layers) {
      const bool is_placed = last_dst != nullptr && &layer == &layers.back();
      std::uint8_t* const dst = is_placed ? last_dst : src == b.a ? b.b : b.a;
      const std::int64_t dst_steps = is_placed ? last_dst_steps : (layer.panels + 1) / 2;
      kernels_.layer({src, layer.steps,
                      reinterpret_cast<const std::int8_t*>(weights_.data()) + layer.weights_offset,
                      layer.bias.data(), layer.multiplier.data(), layer.excess.data(), layer.src_is_signed,
                      layer.highest, layer.panels, dst, dst_steps, chunk.samples, backwards ? 1 : 0});
      chunk.stage_done();
      src = dst;
    }
    return src;
  }

  /// Where feature vectors come from.
  struct Source {
    const Int8Pipeline* pipeline;
    const DlrmChunk* chunk;
    const Buffers* buffers;
  };

  /// The feature vectors of the chunk's samples `first` .. `first + samples`, but x; asks for the rows of as
  /// many samples behind them.
  static void gather(const void* source, std::int64_t first, std::int64_t samples) {
    const Source& from = *static_cast<const Source*>(source);
    const Gathering gathering(from.chunk->clock);
    const Int8Pipeline& p = *from.pipeline;
    const DlrmBatch& batch = *from.chunk->batch;
    const std::int64_t sample = from.chunk->first + first;
    const std::int64_t ahead = std::min(kDlrmTurn, from.chunk->samples - first - samples);
    const bool are_single = batch.offsets.empty();
    if (are_single) {
      p.kernels_.gather({p.kept_tables_.data(), std::ssize(p.kept_tables_), batch.indices.data() + sample,
                         table_stride(batch), samples, ahead, from.buffers->features, p.sample_bytes()});
      if (p.kept_tables_.size() == p.tables_.size()) return;
    }
    for (std::int64_t s = samples; s < samples + ahead; ++s) prefetch_sample(p.tables_, batch, sample + s);
    for (std::int64_t s = 0; s < samples; ++s) p.sum_bags(batch, sample + s, s, are_single, *from.buffers);
  }

  /// A sample's vectors of the tables whose rows are not vectors already, or of all where bags may have any
  /// number of rows.
  void sum_bags(const DlrmBatch& batch, std::int64_t sample, std::int64_t place, bool are_single,
                const Buffers& b) const noexcept {
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      if (are_single && numbers_.keeps_rows[t]) continue;
      const auto number = static_cast<std::int64_t>(t);
      const Bag bag = bag_of(batch, number, sample);
      kernels_.sum(tables_[t], bag.rows, bag.count, b.sum);
      kernels_.quantize(b.sum, model_.dim, numbers_.feature_inverse_scale[t],
                        b.features + place * sample_bytes() + (number + 1) * top_plan_.vector_bytes);
    }
  }

  void interact(const Source& source) const noexcept {
    const TopPlan& p = top_plan_;
    const Buffers& b = *source.buffers;
    const std::int64_t samples = source.chunk->samples;
    if (model_.interaction != Interaction::cat) {
      kernels_.dots({b.features, gather, &source, p.vectors, p.blocks, p.vector_bytes, samples,
                     p.dots.folds.data(), dot_multiplier_.data(), std::ssize(p.dots.folds) / 4, b.top,
                     p.steps, b.dots});
      return;
    }
    for (std::int64_t s = 0; s < samples; ++s) {
      if (s % kDlrmTurn == 0) gather(&source, s, std::min(kDlrmTurn, samples - s));
      std::uint8_t* const row =
          b.top + s / kDlrmGroup * p.steps * kDlrmStepBytes + s % kDlrmGroup * kDlrmStep;
      const std::int8_t* const features = b.features + s % kDlrmTurn * sample_bytes();
      for (std::int64_t step = p.vector_bytes / kDlrmStep; step < p.steps; ++step)
        std::memcpy(row + step * kDlrmStepBytes, features + step * kDlrmStep, kDlrmStep);
    }
  }

  const DlrmModel& model_;
  DlrmInt8Kernels kernels_;
  Int8Numbers numbers_;
  TopPlan top_plan_;
  std::vector<BagTable> tables_;
  std::vector<FeatureTable> kept_tables_;
  std::vector<PackedLayer> bottom_, top_;
  std::int64_t widest_steps_ = 1;
  MemoryRegion weights_;
  std::vector<std::int8_t> last_weights_;
  std::vector<float> dot_multiplier_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_int8(const DlrmData& data, const DlrmInt8Kernels& kernels) {
  return std::make_unique<Int8Pipeline>(data, kernels);
}

}  // namespace octavo

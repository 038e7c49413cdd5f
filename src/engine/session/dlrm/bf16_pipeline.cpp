#include "engine/session/dlrm/bf16_pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/bf16.h"
#include "engine/embedding/bag_sum.h"
#include "engine/embedding/memory_region.h"
#include "engine/session/dlrm/bf16_layers.h"
#include "engine/session/dlrm/prefetch.h"
#include "engine/session/dlrm/scratch.h"
#include "engine/session/dlrm/top_plan.h"

namespace octavo {
namespace {

/// Samples whose activations stay in L2 while all weights pass: half as many as in bytes.
constexpr std::int64_t kSamples = 256;
/// Up to this many samples the weights are what takes the time: they are read forwards and backwards in turn.
constexpr std::int64_t kFewSamples = 16;
/// Between features and what is made of them: a load waits for an earlier store with the same low 12 bits.
constexpr std::int64_t kHalfPage = 2048;

/// The bf16 of each code of a table in 4-bit codes.
using Levels = std::array<std::uint16_t, 2 * kCodebookEntries>;

Levels levels_of(const RowCoding& coding) {
  Levels levels{};
  for (std::size_t q = 0; q < coding.codebook.size(); ++q)
    levels[q] = bf16_bits(coding.scale * static_cast<float>(coding.codebook[q]));
  return levels;
}

constexpr std::int64_t steps_of(std::int64_t inputs) { return (inputs + kBf16Step - 1) / kBf16Step; }

/// A Bf16Layer as the kernels read it, its weights elsewhere.
struct PackedBf16Layer {
  std::int64_t steps, panels;
  std::vector<float> bias;
  std::int64_t weights_offset = 0;

  PackedBf16Layer(const Bf16Layer& layer, std::int64_t steps_in)
      : steps(steps_in), panels((layer.outputs + kDlrmPanel - 1) / kDlrmPanel), bias(layer.bias) {
    bias.resize(static_cast<std::size_t>(panels * kDlrmPanel));
  }
  [[nodiscard]] std::int64_t weights_bytes() const noexcept { return panels * steps * kDlrmStepBytes; }
};

/// Writes the weights in panels; `places[k]` is where input k lies among the packed inputs.
void pack_weights(const Bf16Layer& layer, std::span<const std::int64_t> places, std::int64_t steps,
                  std::byte* packed) {
  for (std::int64_t n = 0; n < layer.outputs; ++n) {
    std::byte* const panel = packed + n / kDlrmPanel * steps * kDlrmStepBytes + n % kDlrmPanel / 16 * 1024;
    for (std::int64_t k = 0; k < layer.inputs; ++k) {
      const std::int64_t place = places[static_cast<std::size_t>(k)];
      std::memcpy(panel + place / kBf16Step * kDlrmStepBytes + place % kBf16Step / 2 * 64 + n % 16 * 4 +
                      place % 2 * 2,
                  &layer.weights[static_cast<std::size_t>(n * layer.inputs + k)], 2);
    }
  }
}

class Bf16Pipeline final : public DlrmPipeline {
 public:
  Bf16Pipeline(const DlrmData& data, const DlrmBf16Kernels& kernels)
      : model_(data.model),
        kernels_(kernels),
        top_plan_(model_, kBf16Step, [](std::int64_t lane) { return lane; }) {
    for (const TableView& view : data.tables.views()) {
      tables_.push_back(bag_table(view));
      has_codes_.push_back(view.coding.format == RowFormat::s4_codebook);
      levels_.push_back(levels_of(view.coding));
    }
    pack_layers(bf16_layers(data));
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
                    chunk.samples, 1.0F, 0, b.input, bottom_.front().steps});
    chunk.stage_done();
    run_layers(bottom_, b.input, chunk, b, b.top, top_plan_.steps, backwards);
    interact({this, &chunk, &b});
    chunk.interaction_done();
    const std::uint8_t* const src =
        run_layers(std::span(top_).first(top_.size() - 1), b.top, chunk, b, nullptr, 0, backwards);
    const PackedBf16Layer& last = top_.back();
    kernels_.last({src, last.steps, reinterpret_cast<const std::int8_t*>(last_weights_.data()), last.bias[0],
                   1.0F, 0, 0, chunk.samples, chunk.scores});
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

    Buffers(const Bf16Pipeline& p, Scratch& scratch)
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
  void pack_layers(const Bf16Layers& layers) {
    std::int64_t bytes = 0;
    const auto add = [&](std::vector<PackedBf16Layer>& to, const Bf16Layer& layer, std::int64_t steps) {
      to.emplace_back(layer, steps);
      to.back().weights_offset = bytes;
      bytes += to.back().weights_bytes();
      widest_steps_ = std::max(widest_steps_, to.back().panels);
    };
    for (const Bf16Layer& layer : layers.bottom) add(bottom_, layer, steps_of(layer.inputs));
    for (const Bf16Layer& layer : layers.top)
      add(top_, layer, &layer == &layers.top.front() ? top_plan_.steps : steps_of(layer.inputs));
    weights_ = MemoryRegion::zeros(bytes);
    for (std::size_t i = 0; i < bottom_.size(); ++i) {
      pack_weights(layers.bottom[i], counted_places(layers.bottom[i].inputs), bottom_[i].steps,
                   weights_.data() + bottom_[i].weights_offset);
    }
    const auto top_places = [&](std::size_t i) {
      return i == 0 ? top_plan_.places : counted_places(layers.top[i].inputs);
    };
    for (std::size_t i = 0; i + 1 < top_.size(); ++i) {
      pack_weights(layers.top[i], top_places(i), top_[i].steps, weights_.data() + top_[i].weights_offset);
    }
    last_weights_.resize(static_cast<std::size_t>(top_.back().steps * kBf16Step));
    const std::vector<std::int64_t> places = top_places(top_.size() - 1);
    for (std::size_t k = 0; k < places.size(); ++k)
      last_weights_[static_cast<std::size_t>(places[k])] = layers.top.back().weights[k];
  }

  /// Runs layers from `src` on; the last one writes to `last_dst` where that is given. Returns where the
  /// result lies.
  const std::uint8_t* run_layers(std::span<const PackedBf16Layer> layers, const std::uint8_t* src,
                                 const DlrmChunk& chunk, const Buffers& b, std::uint8_t* last_dst,
                                 std::int64_t last_dst_steps, bool backwards) const noexcept {
    for (const PackedBf16Layer& layer : layers) {
      const bool is_placed = last_dst != nullptr && &layer == &layers.back();
      std::uint8_t* const dst = is_placed ? last_dst : src == b.a ? b.b : b.a;
      kernels_.layer({src, layer.steps,
                      reinterpret_cast<const std::int8_t*>(weights_.data()) + layer.weights_offset,
                      layer.bias.data(), nullptr, nullptr, 0, 0, layer.panels, dst,
                      is_placed ? last_dst_steps : layer.panels, chunk.samples, backwards ? 1 : 0});
      chunk.stage_done();
      src = dst;
    }
    return src;
  }

  /// Where feature vectors come from.
  struct Source {
    const Bf16Pipeline* pipeline;
    const DlrmChunk* chunk;
    const Buffers* buffers;
  };

  /// The feature vectors of the chunk's samples `first` .. `first + samples`, but x; asks for the rows of as
  /// many samples behind them.
  static void gather(const void* source, std::int64_t first, std::int64_t samples) {
    const Source& from = *static_cast<const Source*>(source);
    const Gathering gathering(from.chunk->clock);
    const Bf16Pipeline& p = *from.pipeline;
    const DlrmBatch& batch = *from.chunk->batch;
    const std::int64_t sample = from.chunk->first + first;
    const std::int64_t ahead = std::min(kDlrmTurn, from.chunk->samples - first - samples);
    for (std::int64_t s = samples; s < samples + ahead; ++s) prefetch_sample(p.tables_, batch, sample + s);
    for (std::int64_t s = 0; s < samples; ++s) p.sum_bags(batch, sample + s, s, *from.buffers);
  }

  void sum_bags(const DlrmBatch& batch, std::int64_t sample, std::int64_t place,
                const Buffers& b) const noexcept {
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      const auto number = static_cast<std::int64_t>(t);
      const Bag bag = bag_of(batch, number, sample);
      auto* const vector = reinterpret_cast<std::uint16_t*>(b.features + place * sample_bytes() +
                                                            (number + 1) * top_plan_.vector_bytes);
      if (has_codes_[t] && bag.count == 1) {
        kernels_.codes(tables_[t].rows + bag.rows[0] * tables_[t].row_bytes, model_.dim, levels_[t].data(),
                       vector);
        continue;
      }
      kernels_.sum(tables_[t], bag.rows, bag.count, b.sum);
      kernels_.round(b.sum, model_.dim, vector);
    }
  }

  void interact(const Source& source) const noexcept {
    const TopPlan& p = top_plan_;
    const Buffers& b = *source.buffers;
    const std::int64_t samples = source.chunk->samples;
    if (model_.interaction != Interaction::cat) {
      kernels_.dots({b.features, gather, &source, p.vectors, p.blocks, p.vector_bytes, samples,
                     p.dots.folds.data(), nullptr, std::ssize(p.dots.folds) / 4, b.top, p.steps, b.dots});
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
  DlrmBf16Kernels kernels_;
  TopPlan top_plan_;
  std::vector<BagTable> tables_;
  std::vector<bool> has_codes_;  ///< by table: a row's codes give its vector through the table's levels
  std::vector<Levels> levels_;
  std::vector<PackedBf16Layer> bottom_, top_;
  std::int64_t widest_steps_ = 1;
  MemoryRegion weights_;
  std::vector<std::uint16_t> last_weights_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_bf16(const DlrmData& data, const DlrmBf16Kernels& kernels) {
  return std::make_unique<Bf16Pipeline>(data, kernels);
}

}  // namespace octavo

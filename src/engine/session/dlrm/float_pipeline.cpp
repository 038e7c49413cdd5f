#include "engine/session/dlrm/float_pipeline.h"

#include <algorithm>
#include <cmath>

#include "base/bf16.h"
#include "engine/embedding/bag_sum.h"
#include "engine/kernels/dlrm/float_layer.h"
#include "engine/session/dlrm/bf16_layers.h"
#include "engine/session/dlrm/prefetch.h"
#include "engine/session/dlrm/scratch.h"

namespace octavo {
namespace {

using LayerKernel = void (*)(const FloatLayerWork&);

/// What weights and activations are rounded to.
enum class Rounding : std::uint8_t { none, bf16 };

/// Activations of this many samples stay in L2 while the weights pass.
constexpr std::int64_t kSamples = 96;

/// Floats between samples' activations: whole pages apart, all samples of a block would fight for the same
/// lines of L1.
constexpr std::int64_t kOffset = 16;

constexpr std::int64_t whole_panels(std::int64_t n) {
  return (n + kFloatPanel - 1) / kFloatPanel * kFloatPanel;
}

/// A layer with its weights in panels.
struct FloatLayer {
  std::int64_t inputs, outputs;
  std::vector<float> weights, bias;

  explicit FloatLayer(const DlrmLayer& layer)
      : inputs(layer.weights.shape()[1]),
        outputs(layer.weights.shape()[0]),
        weights(static_cast<std::size_t>(whole_panels(outputs) * inputs)),
        bias(static_cast<std::size_t>(whole_panels(outputs))) {
    const std::span<const float> from = layer.weights.as<float>();
    for (std::int64_t n = 0; n < outputs; ++n) {
      float* const panel = weights.data() + n / kFloatPanel * inputs * kFloatPanel + n % kFloatPanel;
      for (std::int64_t k = 0; k < inputs; ++k)
        panel[k * kFloatPanel] = from[static_cast<std::size_t>(n * inputs + k)];
    }
    std::copy_n(layer.bias.as<float>().begin(), outputs, bias.begin());
  }
};

class FloatPipeline final : public DlrmPipeline {
 public:
  FloatPipeline(const DlrmData& data, LayerKernel layer, BagSum sum, Rounding rounding,
                DlrmObserver* observer)
      : model_(data.model),
        layer_(layer),
        sum_(sum),
        rounding_(rounding),
        observer_(observer),
        vectors_(std::ssize(model_.tables) + 1) {
    for (const DlrmLayer& l : data.bottom) bottom_.emplace_back(l);
    for (const DlrmLayer& l : data.top) top_.emplace_back(l);
    for (const TableView& view : data.tables.views()) tables_.push_back(bag_table(view));
    widest_ = whole_panels(interaction_width(model_));
    for (const auto* layers : {&bottom_, &top_}) {
      for (const FloatLayer& l : *layers) widest_ = std::max(widest_, whole_panels(l.outputs));
    }
    widest_ += kOffset;
    no_bias_.resize(static_cast<std::size_t>(whole_panels(vectors_)));
    for (auto* layers : {&bottom_, &top_}) {
      for (FloatLayer& l : *layers) round(l.weights.data(), std::ssize(l.weights));
    }
  }

  [[nodiscard]] std::int64_t most_samples() const noexcept override { return kSamples; }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override {
    return bytes_of_buffers<Buffers>(*this);
  }

  void run(const DlrmChunk& chunk, std::byte* memory) const noexcept override {
    Scratch scratch(memory);
    const Buffers b(*this, scratch);
    const float* const dense = rounded_dense(chunk, b);
    if (rounding_ != Rounding::none) chunk.stage_done();
    see(DlrmActivation::dense, 0, dense, model_.dense_features, model_.dense_features, chunk.samples);
    const float* const x = run_layers(bottom_, dense, model_.dense_features, chunk, b, true);
    float* const top = x == b.a ? b.b : b.a;
    for (std::int64_t i = 0; i < chunk.samples; ++i)
      interact(chunk, i, x + i * widest_, b, top + i * widest_);
    chunk.interaction_done();
    const float* const logits = run_layers(top_, top, widest_, chunk, b, false);
    for (std::int64_t i = 0; i < chunk.samples; ++i)
      chunk.scores[i] = 1.0F / (1.0F + std::exp(-logits[i * widest_]));
    chunk.stage_done();
  }

 private:
  /// Where things are in a thread's scratch.
  struct Buffers {
    float* dense;       ///< rounded
    float *a, *b;       ///< activations, [samples][widest]
    float* features;    ///< of one sample, [vectors][dim]
    float* transposed;  ///< [panel of vectors][dim][32]
    float* dots;        ///< [vectors][whole panels of vectors]

    Buffers(const FloatPipeline& p, Scratch& scratch)
        : dense(scratch.take<float>(p.rounding_ == Rounding::none ? 0 : kSamples * p.model_.dense_features)),
          a(scratch.take<float>(kSamples * p.widest_)),
          b(scratch.take<float>(kSamples * p.widest_)),
          features(scratch.take<float>(p.vectors_ * p.model_.dim)),
          transposed(scratch.take<float>(whole_panels(p.vectors_) * p.model_.dim)),
          dots(scratch.take<float>(p.vectors_ * whole_panels(p.vectors_))) {}
  };

  const float* rounded_dense(const DlrmChunk& chunk, const Buffers& b) const noexcept {
    const float* const dense = chunk.batch->dense.data() + chunk.first * model_.dense_features;
    if (rounding_ == Rounding::none) return dense;
    const std::int64_t count = chunk.samples * model_.dense_features;
    std::copy_n(dense, count, b.dense);
    round(b.dense, count);
    return b.dense;
  }

  /// The result lies in b.a or b.b, `widest_` floats apart.
  const float* run_layers(const std::vector<FloatLayer>& layers, const float* src, std::int64_t src_stride,
                          const DlrmChunk& chunk, const Buffers& b, bool has_last_relu) const noexcept {
    for (const FloatLayer& l : layers) {
      float* const dst = src == b.a ? b.b : b.a;
      const bool has_relu = has_last_relu || &l != &layers.back();
      layer_({src, src_stride, l.inputs, l.weights.data(), l.bias.data(), std::ssize(l.bias) / kFloatPanel,
              has_relu ? 1 : 0, dst, widest_, chunk.samples});
      for (std::int64_t i = 0; has_relu && i < chunk.samples; ++i) round(dst + i * widest_, l.outputs);
      see(has_last_relu ? DlrmActivation::bottom : DlrmActivation::top,
          static_cast<std::size_t>(&l - layers.data()), dst, widest_, l.outputs, chunk.samples);
      chunk.stage_done();
      src = dst;
      src_stride = widest_;
    }
    return src;
  }

  void gather(const DlrmChunk& chunk, std::int64_t i, const float* x, float* features) const noexcept {
    const Gathering gathering(chunk.clock);
    const std::int64_t dim = model_.dim;
    if (i + kPrefetchSamples < chunk.samples)
      prefetch_sample(tables_, *chunk.batch, chunk.first + i + kPrefetchSamples);
    std::copy_n(x, dim, features);
    for (std::int64_t t = 0; t < vectors_ - 1; ++t) {
      const Bag bag = bag_of(*chunk.batch, t, chunk.first + i);
      sum_(tables_[static_cast<std::size_t>(t)], bag.rows, bag.count, features + (t + 1) * dim);
      round(features + (t + 1) * dim, dim);
      see(DlrmActivation::embedding, static_cast<std::size_t>(t), features + (t + 1) * dim, dim, dim, 1);
    }
  }

  void interact(const DlrmChunk& chunk, std::int64_t i, const float* x, const Buffers& b,
                float* top) const noexcept {
    if (model_.interaction == Interaction::cat) return gather(chunk, i, x, top);
    gather(chunk, i, x, b.features);
    multiply_all(b);
    const std::int64_t dim = model_.dim;
    std::copy_n(x, dim, top);
    const std::int64_t with_self = model_.interaction == Interaction::dot_with_self ? 1 : 0;
    float* to = top + dim;
    for (std::int64_t v = 0; v < vectors_; ++v)
      to = std::copy_n(b.dots + v * whole_panels(vectors_), v + with_self, to);
    round(top + dim, to - (top + dim));
    see(DlrmActivation::dots, 0, top + dim, widest_, to - (top + dim), 1);
  }

  void round(float* values, std::int64_t count) const noexcept {
    if (rounding_ == Rounding::bf16) round_to_bf16({values, static_cast<std::size_t>(count)});
  }

  void see(DlrmActivation what, std::size_t index, const float* values, std::int64_t stride,
           std::int64_t count, std::int64_t samples) const noexcept {
    if (observer_ == nullptr) return;
    for (std::int64_t i = 0; i < samples; ++i)
      observer_->see(what, index, {values + i * stride, static_cast<std::size_t>(count)});
  }

  /// dots[i][j] = features[i] · features[j]: a layer whose weights are the features themselves.
  void multiply_all(const Buffers& b) const noexcept {
    const std::int64_t dim = model_.dim;
    for (std::int64_t v = 0; v < vectors_; ++v) {
      float* const panel = b.transposed + v / kFloatPanel * dim * kFloatPanel + v % kFloatPanel;
      for (std::int64_t k = 0; k < dim; ++k) panel[k * kFloatPanel] = b.features[v * dim + k];
    }
    const std::int64_t padded = whole_panels(vectors_);
    layer_({b.features, dim, dim, b.transposed, no_bias_.data(), padded / kFloatPanel, 0, b.dots, padded,
            vectors_});
  }

  const DlrmModel& model_;
  LayerKernel layer_;
  BagSum sum_;
  Rounding rounding_;
  DlrmObserver* observer_;
  std::int64_t vectors_;  ///< x and one of each table
  std::vector<FloatLayer> bottom_, top_;
  std::vector<BagTable> tables_;
  std::int64_t widest_;  ///< floats from one sample's activations to the next
  std::vector<float> no_bias_;
};

template <LayerKernel layer, BagSum sum>
std::unique_ptr<DlrmPipeline> prepare(const DlrmData& data) {
  return std::make_unique<FloatPipeline>(data, layer, sum, Rounding::none, nullptr);
}

LayerKernel best_layer(Isa isa) {
  return implies(isa, Isa::avx512) ? float_layer_avx512
         : implies(isa, Isa::avx2) ? float_layer_avx2
                                   : float_layer_reference;
}

}  // namespace

std::span<const DlrmRow> dlrm_f32_rows() {
  static constexpr DlrmRow kRows[] = {
      {"avx512", Isa::avx512, prepare<float_layer_avx512, bag_sum_avx512>},
      {"avx2", Isa::avx2, prepare<float_layer_avx2, bag_sum_avx2>},
      {"reference", Isa::generic, prepare<float_layer_reference, bag_sum_reference>},
  };
  return kRows;
}

std::unique_ptr<DlrmPipeline> prepare_rounded_to_bf16(const DlrmData& data, Isa isa) {
  bf16_layers(data);  // refuses weights that are not finite
  return std::make_unique<FloatPipeline>(data, best_layer(isa), best_bag_sum(isa), Rounding::bf16, nullptr);
}

std::unique_ptr<DlrmPipeline> prepare_observed(const DlrmData& data, Isa isa, DlrmObserver& observer) {
  return std::make_unique<FloatPipeline>(data, best_layer(isa), best_bag_sum(isa), Rounding::none, &observer);
}

}  // namespace octavo

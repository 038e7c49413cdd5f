#include <algorithm>

#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/fast_rule.h"

namespace octavo {
namespace {

/// The channels of a block in the order in which interleaving 2 or 4 taps leaves them: accumulator j holds in
/// lane l the channels (4 * vectors) * l + 4 * j + 0..3, with as many lanes as accumulators.
std::int64_t lane_order(std::int64_t place, std::int64_t vectors) {
  const std::int64_t j = place / (4 * vectors);
  const std::int64_t lane = place / 4 % vectors;
  return lane * 4 * vectors + 4 * j + place % 4;
}

/// How many neighbouring pixels of a row are taken as one with their channels one after the other: 2 where
/// the channels of one would leave half of the only block empty.
std::int64_t pixels_at_once(const DirectIsa& isa, const Conv2dProblem& p, std::int64_t block) {
  const bool are_contiguous = p.sw == 1 && p.dw == 1 && p.kw > 1 && p.ow() % 2 == 0;
  return isa.shares_columns && are_contiguous && 2 * p.oc == block ? 2 : 1;
}

class Depthwise final : public Prepared {
 public:
  Depthwise(const DirectIsa& isa, const Conv2dProblem& p, const Operands& operands)
      : isa_(isa),
        problem_(p),
        block_(isa.depthwise_vectors * isa.depthwise_vectors * 4),
        pixels_(pixels_at_once(isa, p, block_)),
        channels_(pixels_ * p.oc),
        places_((channels_ + block_ - 1) / block_ * block_),
        band_(p, isa.form, tensor_quantization(operands.inputs[0], "x").zero_point,
              isa.form == InputForm::bytes),
        arrays_(p, operands, places_),
        rules_(p, arrays_) {
    WeightDifferences w(p, operands);
    parts_ = isa.form == InputForm::widened ? 1 : w.s8_parts();
    per_group_ = 4 / band_.element_bytes();
    columns_ = isa.shares_columns ? p.kw : 1;
    column_taps_ = p.kh * p.kw / columns_;
    tap_groups_ = (parts_ * column_taps_ + per_group_ - 1) / per_group_;
    weights_ = Tensor(DType::u8, {places_ * columns_ * tap_groups_ * 4});
    std::vector<WindowSums> windows(static_cast<std::size_t>(places_));
    for (std::int64_t place = 0; place < places_; ++place) pack_channel(w, place, windows);
    for (std::int64_t i = 0; i < tap_groups_ * per_group_; ++i) {
      const std::int64_t tap = i % column_taps_ * columns_;  // beyond the last part the weights are zeros
      taps_.push_back(band_.tap_offset(tap / p.kw, tap % p.kw));
    }
    rules_ = isa.knows_fast_forms ? FastRules(p, arrays_, windows) : FastRules(p, arrays_);
  }

  [[nodiscard]] std::int64_t scratch_bytes() const noexcept override { return band_.scratch_bytes(); }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(problem_.n * args.batch * problem_.oh() * problem_.ow() / pixels_);
    const std::int64_t end = range.end * pixels_;
    for (std::int64_t first = range.begin * pixels_; first < end;) {
      const InputBand::Placed placed = band_.place(args.inputs[0], first, end, args.scratch);
      DepthwiseBlock block{};
      block.windows = placed.windows;
      block.pixels = placed.count / pixels_;
      for (std::int64_t i = 0; i < block.pixels && pixels_ > 1; ++i)
        placed.windows[i] = placed.windows[i * pixels_];
      block.columns = columns_;
      block.column_bytes = band_.tap_offset(0, 1);
      block.pixel_bytes = pixels_ * problem_.sw * problem_.ic * band_.element_bytes();
      block.taps = taps_.data();
      block.column_taps = parts_ * column_taps_;
      block.tap_groups = tap_groups_;
      block.weights = weights_.as<std::uint8_t>().data();
      block.channels = channels_;
      block.dst = reinterpret_cast<std::uint8_t*>(args.output) + first * problem_.oc;
      block.dst_stride = channels_;
      block.form = rules_.form();
      block.rule = rules_.from(0);
      isa_.depthwise(block);
      first += placed.count;
    }
  }

 private:
  void pack_channel(WeightDifferences& w, std::int64_t place, std::vector<WindowSums>& windows) {
    const std::int64_t in_block = place % block_;
    const std::int64_t lane = place - in_block + lane_order(in_block, isa_.depthwise_vectors);
    if (lane >= channels_) return;
    const std::int64_t channel = lane % problem_.oc;
    const std::span<const std::int16_t> window = w.channel(channel);
    const WindowSums sums = windows[static_cast<std::size_t>(place)] = window_sums(window);
    arrays_.set(place, channel, sums.total(), band_.zero_point());
    for (std::int64_t column = 0; column < columns_; ++column) {
      for (std::int64_t i = 0; i < parts_ * column_taps_; ++i) {
        const std::int64_t tap = i % column_taps_ * columns_ + column;
        const std::int64_t group = (place / block_ * columns_ + column) * tap_groups_ + i / per_group_;
        const std::int64_t at = (group * block_ + in_block) * per_group_ + i % per_group_;
        set_weight(at, window[static_cast<std::size_t>(tap)], i / column_taps_);
      }
    }
  }

  void set_weight(std::int64_t at, std::int32_t difference, std::int64_t part) {
    if (isa_.form == InputForm::widened) {
      reinterpret_cast<std::int16_t*>(weights_.data())[at] = static_cast<std::int16_t>(difference);
    } else {
      weights_.data()[at] = static_cast<std::byte>(s8_part(difference, part) & 0xFF);
    }
  }

  const DirectIsa& isa_;
  Conv2dProblem problem_;
  std::int64_t block_;     ///< channels of a block
  std::int64_t pixels_;    ///< that are taken as one
  std::int64_t channels_;  ///< of these
  std::int64_t places_;    ///< channels filled up to whole blocks
  InputBand band_;
  RuleArrays arrays_;
  FastRules rules_;
  std::int64_t parts_ = 1, per_group_ = 1, columns_ = 1, column_taps_ = 0, tap_groups_ = 0;
  Tensor weights_;
  std::vector<std::int64_t> taps_;
};

}  // namespace

bool can_be_depthwise(const Conv2dProblem& p) noexcept {
  return p.g > 1 && p.icg() == 1 && p.ocg() == 1 && p.residual == 0 && p.y != DType::f32;
}

std::unique_ptr<Prepared> prepare_depthwise(const DirectIsa& isa, const Conv2dProblem& p,
                                            const Operands& operands) {
  return std::make_unique<Depthwise>(isa, p, operands);
}

}  // namespace octavo

#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/kernels/conv2d/direct_block.h"
#include "engine/kernels/conv2d/input_band.h"
#include "engine/kernels/kernel.h"
#include "engine/kernels/output_stage.h"

namespace octavo {

/// What the direct convolution needs to know of the file that is compiled for one ISA.
struct DirectIsa {
  InputForm form;
  std::int64_t panel;              ///< output channels in a panel
  std::int64_t narrow_panel;       ///< in a panel of so few
  std::int64_t block_pixels;       ///< that the kernel takes at once: shares are multiples of it
  std::int64_t lanes;              ///< of 16 bytes in a vector
  std::int64_t depthwise_vectors;  ///< accumulators of a depthwise block
  /// No vector reaches beyond the last channel; else the input is copied where one would.
  bool is_masked = false;
  bool knows_fast_forms = false;
  void (*multiply)(const PanelBlock&);
  void (*depthwise)(const DepthwiseBlock&);
  /// nullptr: windows are walked one by one, tap by tap.
  void (*depthwise_rows)(const DepthwiseRows&) = nullptr;
};

extern const DirectIsa kDirectAvx2;
extern const DirectIsa kDirectAvxVnni;
extern const DirectIsa kDirectAvx512Vnni;
extern const DirectIsa kDirectAvx512VnniWide;

/// Constant weights [oc, ic / g, kh, kw] as the differences w - zero_point, between -255 and 255.
class WeightDifferences {
 public:
  /// Error(unsupported) when operand 1 is not constant.
  WeightDifferences(const Conv2dProblem& p, const Operands& operands);
  /// Those of one output channel in the order [ic / g, kh, kw]; valid until the next call.
  std::span<const std::int16_t> channel(std::int64_t oc);
  /// How many s8 numbers it takes to sum to any of the differences: 1 for weights with the usual zero point,
  /// up to 3.
  [[nodiscard]] std::int64_t s8_parts() const noexcept { return s8_parts_; }

 private:
  DType dtype_;
  const std::byte* weights_;
  std::vector<std::int32_t> zero_points_;
  std::vector<std::int16_t> channel_;
  std::int64_t s8_parts_ = 1;
};

/// Part `part` of `difference` as an s8: the parts sum to it.
std::int32_t s8_part(std::int32_t difference, std::int64_t part) noexcept;

/// The arrays behind an OutputRule, channel c at place c; unused places are zeros.
class RuleArrays {
 public:
  /// `places` entries; bias constant or Error(unsupported). x_zero_point: of the input in the kernel's form.
  RuleArrays(const Conv2dProblem& p, const Operands& operands, std::int64_t places);
  /// Fills the place of a channel: its sum begins with the s32 bias less x_zero_point times the sum of its
  /// weights.
  void set(std::int64_t place, std::int64_t channel, std::int64_t weight_sum,
           std::int32_t x_zero_point) noexcept;
  /// The rule with its arrays beginning at `place`.
  [[nodiscard]] OutputRule from(std::int64_t place) const noexcept;
  [[nodiscard]] std::int64_t places() const noexcept { return start_.elements(); }

 private:
  void set_numbers(const Conv2dProblem& p, const Operands& operands);
  void set_addition(const Conv2dProblem& p);

  bool is_real_;
  Bias bias_kind_;
  const std::byte* bias_data_ = nullptr;
  OutputStage stage_;
  OutputRule rule_{};
  Tensor start_, bias_, multiplier_;
};

/// Problems of 8-bit numbers.
Support direct_support(const Conv2dProblem& p) noexcept;
/// Those of kDirectAvx512VnniWide, which is the faster one where all vector instructions share the ports of
/// products, as they do on Intel's servers; other CPUs of Intel's were not measured.
Support wide_direct_support(const Conv2dProblem& p) noexcept;

/// A convolution of 8-bit numbers by panels of output channels, exact for every legal problem; also linear
/// layers as 1x1 convolutions (then y may be f32). Depthwise problems are given to a kernel of their own.
std::unique_ptr<Prepared> prepare_direct(const DirectIsa& isa, const Conv2dProblem& p,
                                         const Operands& operands);
/// The depthwise one. Only for can_be_depthwise problems.
std::unique_ptr<Prepared> prepare_depthwise(const DirectIsa& isa, const Conv2dProblem& p,
                                            const Operands& operands);
/// One input channel for each output channel, stored results, no residual.
bool can_be_depthwise(const Conv2dProblem& p) noexcept;

}  // namespace octavo

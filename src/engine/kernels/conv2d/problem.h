#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"
#include "engine/kernels/reach.h"

namespace octavo {

/// y[n, oh, ow, oc] = activation(requantize(sum x[n, ih, iw, ic] * w[oc, ic / groups, kh, kw] + bias)),
/// channels last. Step operands: x, w, then residual if `residual`, then bias if `bias` is not none.
/// Parameters: lo, hi (activation=clamp); with a residual also conv_scale, conv_zero_point: the convolution
/// is first requantized to those (clamped to zero point when conv_activation=relu), then added to the
/// residual as binary add of the same arithmetic does. x, w, y: u8 or s8 quantized (weights s8 per tensor or
/// per output channel), or all f32.
struct Conv2dProblem {
  static constexpr std::string_view kFamily = "conv2d";
  DType x = DType::u8, w = DType::s8, y = DType::u8;
  std::int64_t n = 1;  ///< images per unit of batch
  std::int64_t ic = 0, ih = 0, iw = 0, oc = 0, kh = 1, kw = 1;
  std::int64_t sh = 1, sw = 1;                  ///< stride
  std::int64_t pt = 0, pl = 0, pb = 0, pr = 0;  ///< padding: top, left, bottom, right
  std::int64_t dh = 1, dw = 1;                  ///< dilation
  std::int64_t g = 1;                           ///< groups
  Bias bias = Bias::none;
  Activation activation = Activation::none;
  /// 1: a residual tensor shaped as y is added; 2: the result is added to it, which arithmetic=ort rounds
  /// otherwise.
  std::int64_t residual = 0;
  DType r = DType::u8;  ///< the residual's dtype
  Activation conv_activation = Activation::none;
  Arithmetic arithmetic = Arithmetic::fbgemm;

  template <class Field>
  void each_field(Field&& field) {
    fields(*this, field);
  }
  template <class Field>
  void each_field(Field&& field) const {
    fields(*this, field);
  }

  [[nodiscard]] std::int64_t oh() const noexcept { return (ih + pt + pb - dh * (kh - 1) - 1) / sh + 1; }
  [[nodiscard]] std::int64_t ow() const noexcept { return (iw + pl + pr - dw * (kw - 1) - 1) / sw + 1; }
  [[nodiscard]] std::int64_t icg() const noexcept { return ic / g; }
  [[nodiscard]] std::int64_t ocg() const noexcept { return oc / g; }
  /// Multiply-accumulates per unit of batch.
  [[nodiscard]] std::int64_t macs() const noexcept { return n * oh() * ow() * oc * icg() * kh * kw; }
  /// Error(invalid_argument) with the offending value when the sizes make no sense.
  void check() const;
  [[nodiscard]] StepSizes sizes() const;
  /// What output pixels [begin, end) of an image touch.
  [[nodiscard]] Reach reach(std::int64_t begin, std::int64_t end) const;

 private:
  template <class Self, class Field>
  static void fields(Self& p, Field& field) {
    field("x", p.x), field("w", p.w), field("y", p.y), field("n", p.n), field("ic", p.ic), field("ih", p.ih);
    field("iw", p.iw), field("oc", p.oc), field("kh", p.kh), field("kw", p.kw), field("sh", p.sh),
        field("sw", p.sw);
    field("pt", p.pt), field("pl", p.pl), field("pb", p.pb), field("pr", p.pr), field("dh", p.dh),
        field("dw", p.dw);
    field("g", p.g), field("bias", p.bias), field("activation", p.activation), field("residual", p.residual);
    field("r", p.r), field("conv_activation", p.conv_activation), field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo

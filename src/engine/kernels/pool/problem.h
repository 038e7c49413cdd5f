#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

enum class PoolKind { max, average, adaptive_average };
inline std::span<const std::string_view> enum_names(PoolKind) {
  static constexpr std::array<std::string_view, 3> kNames{"max", "average", "adaptive_average"};
  return kNames;
}

/// How an average of quantized values rounds (docs/numerics.md).
enum class AverageRounding { channels_last, contiguous, ort };
inline std::span<const std::string_view> enum_names(AverageRounding) {
  static constexpr std::array<std::string_view, 3> kNames{"channels_last", "contiguous", "ort"};
  return kNames;
}

/// Pooling of x[n, ih, iw, c], channels last, to y[n, oh, ow, c]. oh and ow are given (ceil_mode and adaptive
/// sizes are decided by lowering); windows may reach past the input by more than the padding, what lies
/// outside is not counted (count_include_pad=1: padding counts as zeros, what lies beyond the padding does
/// not). Quantized x and y may differ in scale for averages (requantized; parameters come from the operands).
/// adaptive_average: window i covers [floor(i * ih / oh), ceil((i + 1) * ih / oh)); kernel, stride and
/// padding are unused.
struct PoolProblem {
  static constexpr std::string_view kFamily = "pool";
  PoolKind kind = PoolKind::max;
  DType x = DType::u8, y = DType::u8;
  std::int64_t n = 1, c = 0, ih = 0, iw = 0, oh = 0, ow = 0;
  std::int64_t kh = 1, kw = 1, sh = 1, sw = 1, pt = 0, pl = 0, pb = 0, pr = 0, dh = 1, dw = 1;
  std::int64_t count_include_pad = 0;
  AverageRounding rounding = AverageRounding::channels_last;

  template <class Field>
  void each_field(Field&& field) {
    fields(*this, field);
  }
  template <class Field>
  void each_field(Field&& field) const {
    fields(*this, field);
  }
  void check() const;
  [[nodiscard]] StepSizes sizes() const;

 private:
  template <class Self, class Field>
  static void fields(Self& p, Field& field) {
    field("kind", p.kind), field("x", p.x), field("y", p.y), field("n", p.n), field("c", p.c),
        field("ih", p.ih);
    field("iw", p.iw), field("oh", p.oh), field("ow", p.ow), field("kh", p.kh), field("kw", p.kw),
        field("sh", p.sh);
    field("sw", p.sw), field("pt", p.pt), field("pl", p.pl), field("pb", p.pb), field("pr", p.pr),
        field("dh", p.dh);
    field("dw", p.dw), field("count_include_pad", p.count_include_pad), field("rounding", p.rounding);
  }
};

}  // namespace octavo

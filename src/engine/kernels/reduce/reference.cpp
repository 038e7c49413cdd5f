#include <cmath>
#include <limits>

#include "engine/kernels/element_types.h"
#include "engine/kernels/pool/average.h"
#include "engine/kernels/reduce/pytorch_sum.h"
#include "engine/kernels/reduce/rows.h"

namespace octavo {
namespace {

template <class T>
class ReduceReference final : public Prepared {
 public:
  ReduceReference(const ReduceProblem& problem, const Operands& operands) : p_(problem) {
    if (problem.kind != ReduceKind::mean || !std::is_integral_v<T>) return;
    x_ = affine_of(ReduceProblem::kFamily, operands.inputs.at(0));
    y_ = affine_of(ReduceProblem::kFamily, operands.output);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const T*>(args.inputs[0]);
    auto* y = reinterpret_cast<T*>(args.output);
    const auto range = share.of(p_.outer * args.batch * p_.inner);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const std::int64_t column = i % p_.inner;
      y[i] = reduced(x + i / p_.inner * p_.count * p_.inner + column, column);
    }
  }

 private:
  T reduced(const T* x, std::int64_t column) const noexcept {
    switch (p_.kind) {
      case ReduceKind::mean:
        return mean(x, column);
      case ReduceKind::sum:
        return sum(x, column);
      case ReduceKind::maximum:
        return extreme(x, [](T v, T most) { return v > most; });
      case ReduceKind::minimum:
        return extreme(x, [](T v, T most) { return v < most; });
    }
    return T{};
  }

  /// Of the values as they are stored; a NaN wins, an empty extent gives zero.
  template <class Beats>
  T extreme(const T* x, Beats&& beats) const noexcept {
    T most = p_.count > 0 ? x[0] : T{};
    for (std::int64_t r = 1; r < p_.count; ++r) {
      const T v = x[r * p_.inner];
      if (beats(v, most) || v != v) most = v;
    }
    return most;
  }

  T sum(const T* x, std::int64_t column) const noexcept {
    if constexpr (std::is_integral_v<T>) {
      std::uint64_t total = 0;
      for (std::int64_t r = 0; r < p_.count; ++r) total += static_cast<std::uint64_t>(x[r * p_.inner]);
      return static_cast<T>(total);
    } else {
      return pytorch_sum(p_.count, p_.inner, column, [&](std::int64_t r) { return x[r * p_.inner]; });
    }
  }

  T mean(const T* x, std::int64_t column) const noexcept {
    const auto n = static_cast<float>(p_.count);
    if constexpr (std::is_floating_point_v<T>) {
      return sum(x, column) / n;
    } else if (p_.rounding != static_cast<std::int64_t>(AverageRounding::channels_last)) {
      std::int64_t total = 0;
      for (std::int64_t r = 0; r < p_.count; ++r)
        total += static_cast<std::int64_t>(x[r * p_.inner]) - x_.zero_point;
      return static_cast<T>(
          average_of_sum(total, p_.count, x_, y_, static_cast<AverageRounding>(p_.rounding)));
    } else {
      const float total = pytorch_sum(p_.count, p_.inner, column, [&](std::int64_t r) {
        return dequantize_value(static_cast<std::int32_t>(x[r * p_.inner]), x_.scale, x_.zero_point);
      });
      return static_cast<T>(quantize_with(total / n, y_, false));
    }
  }

  ReduceProblem p_;
  Affine x_, y_;
};

}  // namespace

Support reduce_reference_supports(const ReduceProblem& problem) noexcept {
  if (problem.x != problem.y) return Support::no("x and y of different dtypes");
  if (is_stored_integer(problem.x)) {
    return problem.kind == ReduceKind::sum ? Support::no("sum of quantized values") : Support::yes();
  }
  if (problem.x == DType::f32) return Support::yes();
  if (problem.x != DType::s32 && problem.x != DType::s64)
    return Support::no("dtypes other than f32, s32, s64, u8, s8");
  return problem.kind == ReduceKind::mean ? Support::no("mean of integers") : Support::yes();
}

std::unique_ptr<Prepared> prepare_reduce_reference(const ReduceProblem& problem, const Operands& operands) {
  switch (problem.x) {
    case DType::u8:
      return std::make_unique<ReduceReference<std::uint8_t>>(problem, operands);
    case DType::s8:
      return std::make_unique<ReduceReference<std::int8_t>>(problem, operands);
    case DType::s32:
      return std::make_unique<ReduceReference<std::int32_t>>(problem, operands);
    case DType::s64:
      return std::make_unique<ReduceReference<std::int64_t>>(problem, operands);
    default:
      return std::make_unique<ReduceReference<float>>(problem, operands);
  }
}

}  // namespace octavo

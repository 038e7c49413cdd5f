#include <cmath>
#include <limits>

#include "engine/kernels/pool/average.h"
#include "engine/kernels/pool/rows.h"
#include "engine/kernels/pool/window.h"

namespace octavo {
namespace {

template <class T>
class PoolReference final : public Prepared {
 public:
  PoolReference(const PoolProblem& problem, const Operands& operands) : p_(problem) {
    if (problem.kind == PoolKind::max || !std::is_integral_v<T>) return;
    x_ = affine_of(PoolProblem::kFamily, operands.inputs.at(0));
    y_ = affine_of(PoolProblem::kFamily, operands.output);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const T*>(args.inputs[0]);
    auto* y = reinterpret_cast<T*>(args.output);
    const auto pixels = share.of(p_.n * args.batch * p_.oh * p_.ow);
    for (std::int64_t pixel = pixels.begin; pixel < pixels.end; ++pixel) {
      const std::int64_t image = pixel / (p_.oh * p_.ow);
      const PoolWindow h = pool_window_h(p_, pixel / p_.ow % p_.oh);
      const PoolWindow w = pool_window_w(p_, pixel % p_.ow);
      for (std::int64_t c = 0; c < p_.c; ++c) {
        const T* channel = x + image * p_.ih * p_.iw * p_.c + c;
        y[pixel * p_.c + c] = p_.kind == PoolKind::max ? max(channel, h, w) : average(channel, h, w);
      }
    }
  }

 private:
  template <class Take>
  void for_each_tap(const T* x, const PoolWindow& h, const PoolWindow& w, Take&& take) const noexcept {
    for (std::int64_t kh = 0; kh < h.taps; ++kh) {
      for (std::int64_t kw = 0; kw < w.taps; ++kw) {
        take(x[((h.first + kh * h.step) * p_.iw + w.first + kw * w.step) * p_.c]);
      }
    }
  }

  T max(const T* x, const PoolWindow& h, const PoolWindow& w) const noexcept {
    using Limits = std::numeric_limits<T>;
    T most = std::is_integral_v<T> ? Limits::lowest() : -Limits::infinity();
    // A NaN is kept, as PyTorch does.
    for_each_tap(x, h, w, [&](T v) { most = v > most || v != v ? v : most; });
    return most;
  }

  T average(const T* x, const PoolWindow& h, const PoolWindow& w) const noexcept {
    const std::int64_t count = average_count(p_, h, w);
    if constexpr (std::is_integral_v<T>) {
      if (p_.rounding == AverageRounding::ort && p_.kind == PoolKind::average) {
        float sum = 0;
        for_each_tap(x, h, w, [&](T v) { sum += dequantize_value(v, x_.scale, x_.zero_point); });
        return static_cast<T>(average_of_window_ort(sum, count, y_));
      }
      std::int64_t sum = 0;
      for_each_tap(x, h, w, [&](T v) { sum += v - x_.zero_point; });
      return static_cast<T>(average_of_sum(sum, count, x_, y_, p_.rounding));
    } else {
      T sum = 0;
      for_each_tap(x, h, w, [&](T v) { sum += v; });
      return count == 0 ? T{0} : sum / static_cast<T>(count);
    }
  }

  PoolProblem p_;
  Affine x_, y_;
};

}  // namespace

Support pool_reference_supports(const PoolProblem& problem) noexcept {
  if (problem.x != problem.y) return Support::no("x and y of different dtypes");
  if (!is_stored_integer(problem.x) && problem.x != DType::f32)
    return Support::no("dtypes other than u8, s8, f32");
  return Support::yes();
}

std::unique_ptr<Prepared> prepare_pool_reference(const PoolProblem& problem, const Operands& operands) {
  if (problem.x == DType::u8) return std::make_unique<PoolReference<std::uint8_t>>(problem, operands);
  if (problem.x == DType::s8) return std::make_unique<PoolReference<std::int8_t>>(problem, operands);
  return std::make_unique<PoolReference<float>>(problem, operands);
}

}  // namespace octavo

#include "engine/kernels/conv2d/stage.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/eltwise/binary_math.h"
#include "engine/kernels/reference_sums.h"

namespace octavo::conv2d {
namespace {

/// Where one result lies in y, which is [images, oh, ow, oc].
struct Place {
  std::int64_t image, oy, ox, oc;
  [[nodiscard]] std::int64_t index(const Conv2dProblem& p) const noexcept {
    return ((image * p.oh() + oy) * p.ow() + ox) * p.oc + oc;
  }
};

/// sum over ky, kx, c of (x[image, iy, ix, c] - x_zero) * (w[oc, c, ky, kx] - w_zero), the taps outside the
/// image adding nothing: there x is its zero point.
template <class Sum, class X, class W>
Sum window_sum(const Conv2dProblem& p, const X* x, const W* w, Sum x_zero, Sum w_zero,
               const Place& at) noexcept {
  const std::int64_t first_channel = at.oc / p.ocg() * p.icg();
  Sum sum{0};
  for (std::int64_t ky = 0; ky < p.kh; ++ky) {
    const std::int64_t iy = at.oy * p.sh - p.pt + ky * p.dh;
    if (iy < 0 || iy >= p.ih) continue;
    for (std::int64_t kx = 0; kx < p.kw; ++kx) {
      const std::int64_t ix = at.ox * p.sw - p.pl + kx * p.dw;
      if (ix < 0 || ix >= p.iw) continue;
      const X* pixel = x + ((at.image * p.ih + iy) * p.iw + ix) * p.ic + first_channel;
      const W* tap = w + ((at.oc * p.icg()) * p.kh + ky) * p.kw + kx;
      for (std::int64_t c = 0; c < p.icg(); ++c) {
        sum += (Sum{pixel[c]} - x_zero) * (Sum{tap[c * p.kh * p.kw]} - w_zero);
      }
    }
  }
  return sum;
}

/// Calls `each(place)` for every result of this share.
template <class Each>
void for_each_result(const Conv2dProblem& p, std::int64_t batch, Share share, const Each& each) noexcept {
  const auto [begin, end] = share.of(p.n * batch * p.oh());
  for (std::int64_t row = begin; row < end; ++row) {
    for (std::int64_t ox = 0; ox < p.ow(); ++ox) {
      for (std::int64_t oc = 0; oc < p.oc; ++oc) each(Place{row / p.oh(), row % p.oh(), ox, oc});
    }
  }
}

class QuantizedReference final : public Prepared {
 public:
  QuantizedReference(const Conv2dProblem& p, const Operands& operands)
      : problem_(p),
        x_zero_point_(tensor_quantization(operands.inputs[0], "x").zero_point),
        w_zero_points_(channel_quantization(operands.inputs[1], p.oc, "w").zero_points),
        stage_(conv2d_stage(p, operands)) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    if (problem_.x == DType::u8) {
      problem_.w == DType::s8 ? run_as<std::uint8_t, std::int8_t>(args, share)
                              : run_as<std::uint8_t, std::uint8_t>(args, share);
    } else {
      problem_.w == DType::s8 ? run_as<std::int8_t, std::int8_t>(args, share)
                              : run_as<std::int8_t, std::uint8_t>(args, share);
    }
  }

 private:
  template <class X, class W>
  void run_as(const KernelArgs& args, Share share) const noexcept {
    const auto* x = reinterpret_cast<const X*>(args.inputs[0]);
    const auto* w = reinterpret_cast<const W*>(args.inputs[1]);
    for_each_result(problem_, args.batch, share, [&](const Place& at) {
      const std::int64_t w_zero = w_zero_points_[static_cast<std::size_t>(at.oc)];
      const auto sum = window_sum<std::int64_t>(problem_, x, w, x_zero_point_, w_zero, at);
      store_stored(args.output, at.index(problem_), stored_result(args, sum, at));
    });
  }

  static Affine affine(const TensorQuantization& of, StoredRange range) noexcept {
    return {of.scale, 1.0F / of.scale, of.zero_point, range};
  }

  [[nodiscard]] std::int32_t stored_result(const KernelArgs& args, std::int64_t sum,
                                           const Place& at) const noexcept {
    const auto c = static_cast<std::size_t>(at.oc);
    const std::byte* bias_data = problem_.bias == Bias::none ? nullptr : args.inputs.back();
    const BiasAt bias = bias_at(problem_.bias, bias_data, at.oc, stage_, c);
    const std::int32_t q = requantize_sum(wrapped(sum + bias.in_sum), bias.addend, stage_.bias_factor,
                                          stage_.multiplier[c], stage_.zero_point, stage_.range);
    if (problem_.residual == 0) return q;
    const std::int32_t r = stored_at(args.inputs[2], problem_.r, at.index(problem_));
    const Affine result = affine(stage_.result, stage_.range);
    const Affine residual = affine(stage_.residual, stored_range(problem_.r));
    const Affine y = affine(stage_.sum, stage_.sum_range);
    if (problem_.arithmetic == Arithmetic::fbgemm) return add_fbgemm(q, r, result, residual, y, false);
    return problem_.residual == 1 ? add_ort(q, r, result, residual, y) : add_ort(r, q, residual, result, y);
  }

  Conv2dProblem problem_;
  std::int64_t x_zero_point_;
  std::vector<std::int32_t> w_zero_points_;
  OutputStage stage_;
};

/// f32: products and sums in f64, rounded to f32 once; then bias, the convolution's own activation, residual
/// and activation, each an f32 operation.
class FloatReference final : public Prepared {
 public:
  FloatReference(const Conv2dProblem& p, const Operands& operands)
      : problem_(p),
        lo_(static_cast<float>(operands.parameter("lo"))),
        hi_(static_cast<float>(operands.parameter("hi"))) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
    const auto* w = reinterpret_cast<const float*>(args.inputs[1]);
    const auto* residual = problem_.residual != 0 ? reinterpret_cast<const float*>(args.inputs[2]) : nullptr;
    const auto* bias =
        problem_.bias == Bias::f32 ? reinterpret_cast<const float*>(args.inputs.back()) : nullptr;
    auto* y = reinterpret_cast<float*>(args.output);
    for_each_result(problem_, args.batch, share, [&](const Place& at) {
      auto v = static_cast<float>(window_sum<double>(problem_, x, w, 0.0, 0.0, at));
      if (bias != nullptr) v += bias[at.oc];
      v = activated(v, problem_.conv_activation, lo_, hi_);
      if (residual != nullptr) v += residual[at.index(problem_)];
      y[at.index(problem_)] = activated(v, problem_.activation, lo_, hi_);
    });
  }

 private:
  Conv2dProblem problem_;
  float lo_, hi_;
};

std::unique_ptr<Prepared> prepare(const Conv2dProblem& p, const Operands& operands) {
  if (p.x == DType::f32) return std::make_unique<FloatReference>(p, operands);
  return std::make_unique<QuantizedReference>(p, operands);
}

}  // namespace

KernelRow<Conv2dProblem> reference_row() {
  return {"reference", Isa::generic, [](const Conv2dProblem&) noexcept { return Support::yes(); }, prepare};
}

}  // namespace octavo::conv2d

#include "engine/kernels/linear/table.h"
#include "engine/kernels/reference_sums.h"

namespace octavo::linear {
namespace {

/// Calls `each(row, oc)` for every result of this share.
template <class Each>
void for_each_result(const LinearProblem& p, std::int64_t batch, Share share, const Each& each) noexcept {
  const auto [begin, end] = share.of(p.m * batch);
  for (std::int64_t row = begin; row < end; ++row) {
    for (std::int64_t oc = 0; oc < p.oc; ++oc) each(row, oc);
  }
}

class QuantizedReference final : public Prepared {
 public:
  QuantizedReference(const LinearProblem& p, const Operands& operands)
      : problem_(p),
        x_zero_point_(tensor_quantization(operands.inputs[0], "x").zero_point),
        w_zero_points_(channel_quantization(operands.inputs[1], p.oc, "w").zero_points),
        stage_(output_stage(operands, p.oc, p.activation)),
        lo_(static_cast<float>(operands.parameter("lo"))),
        hi_(static_cast<float>(operands.parameter("hi"))) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::byte* bias_data = problem_.bias == Bias::none ? nullptr : args.inputs.back();
    for_each_result(problem_, args.batch, share, [&](std::int64_t row, std::int64_t oc) {
      const auto c = static_cast<std::size_t>(oc);
      const std::int64_t to = row * problem_.oc + oc;
      const std::int64_t sum = dot(args, row, oc);
      if (problem_.y == DType::f32) {
        reinterpret_cast<float*>(args.output)[to] = real_result(bias_data, sum, oc);
        return;
      }
      const BiasAt bias = bias_at(problem_.bias, bias_data, oc, stage_, c);
      store_stored(args.output, to,
                   requantize_sum(wrapped(sum + bias.in_sum), bias.addend, stage_.bias_factor,
                                  stage_.multiplier[c], stage_.zero_point, stage_.range));
    });
  }

 private:
  [[nodiscard]] std::int64_t dot(const KernelArgs& args, std::int64_t row, std::int64_t oc) const noexcept {
    const std::int64_t w_zero = w_zero_points_[static_cast<std::size_t>(oc)];
    std::int64_t sum = 0;
    for (std::int64_t k = 0; k < problem_.ic; ++k) {
      sum += (stored_at(args.inputs[0], problem_.x, row * problem_.ic + k) - x_zero_point_) *
             (stored_at(args.inputs[1], problem_.w, oc * problem_.ic + k) - w_zero);
    }
    return sum;
  }

  /// y=f32: f32(sum) * m[c] + bias, each an f32 operation; an s32 bias is part of the sum.
  [[nodiscard]] float real_result(const std::byte* bias_data, std::int64_t sum,
                                  std::int64_t oc) const noexcept {
    const float m = stage_.scale_of_sum[static_cast<std::size_t>(oc)];
    if (problem_.bias == Bias::s32) sum += reinterpret_cast<const std::int32_t*>(bias_data)[oc];
    float v = static_cast<float>(wrapped(sum)) * m;
    if (problem_.bias == Bias::f32) v += reinterpret_cast<const float*>(bias_data)[oc];
    return activated(v, problem_.activation, lo_, hi_);
  }

  LinearProblem problem_;
  std::int64_t x_zero_point_;
  std::vector<std::int32_t> w_zero_points_;
  OutputStage stage_;
  float lo_, hi_;
};

/// f32: products and sums in f64, rounded to f32 once; then bias and activation, each an f32 operation.
class FloatReference final : public Prepared {
 public:
  FloatReference(const LinearProblem& p, const Operands& operands)
      : problem_(p),
        lo_(static_cast<float>(operands.parameter("lo"))),
        hi_(static_cast<float>(operands.parameter("hi"))) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
    const auto* w = reinterpret_cast<const float*>(args.inputs[1]);
    const auto* bias =
        problem_.bias == Bias::f32 ? reinterpret_cast<const float*>(args.inputs.back()) : nullptr;
    auto* y = reinterpret_cast<float*>(args.output);
    for_each_result(problem_, args.batch, share, [&](std::int64_t row, std::int64_t oc) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < problem_.ic; ++k) {
        sum += double{x[row * problem_.ic + k]} * double{w[oc * problem_.ic + k]};
      }
      const float v = static_cast<float>(sum) + (bias != nullptr ? bias[oc] : 0.0F);
      y[row * problem_.oc + oc] = activated(v, problem_.activation, lo_, hi_);
    });
  }

 private:
  LinearProblem problem_;
  float lo_, hi_;
};

std::unique_ptr<Prepared> prepare(const LinearProblem& p, const Operands& operands) {
  if (p.x == DType::f32) return std::make_unique<FloatReference>(p, operands);
  return std::make_unique<QuantizedReference>(p, operands);
}

}  // namespace

KernelRow<LinearProblem> reference_row() {
  return {"reference", Isa::generic, [](const LinearProblem&) noexcept { return Support::yes(); }, prepare};
}

}  // namespace octavo::linear

#include "engine/kernels/matmul/rows.h"
#include "engine/kernels/matmul/table.h"
#include "engine/kernels/reference_sums.h"

namespace octavo::matmul {

ChannelQuantization column_quantization(const MatmulProblem& p, const Operand& b) {
  if (b.quantization == nullptr || b.quantization->is_per_tensor()) return channel_quantization(b, p.n, "b");
  Quantization columns = *b.quantization;
  columns.axis = 0;
  return channel_quantization({b.dtype, &columns, {}}, p.n, "b");
}

std::vector<float> column_multipliers(const Operand& a, const ChannelQuantization& b, float y_scale) {
  const float a_scale = tensor_quantization(a, "a").scale;
  std::vector<float> multipliers;
  multipliers.reserve(b.scales.size());
  for (float b_scale : b.scales) multipliers.push_back(a_scale * b_scale / y_scale);
  return multipliers;
}

namespace {

/// Element i of an f32 operand, or of an 8-bit one less its zero point.
double value_at(const std::byte* data, DType dtype, std::int64_t i, std::int32_t zero_point) noexcept {
  if (dtype == DType::f32) return double{reinterpret_cast<const float*>(data)[i]};
  return double{1} * (stored_at(data, dtype, i) - zero_point);
}

/// Sums are kept in f64, which holds every sum of 8-bit products exactly up to 2^53 / 2^16 terms, far beyond
/// where the 32-bit sums that it stands for wrap.
class Reference final : public Prepared {
 public:
  Reference(const MatmulProblem& p, const Operands& operands)
      : problem_(p),
        a_(tensor_quantization(operands.inputs[0], "a")),
        b_(column_quantization(p, operands.inputs[1])) {
    if (!is_stored_integer(p.y)) return;
    y_ = tensor_quantization(operands.output, "y");
    multiplier_ = column_multipliers(operands.inputs[0], b_, y_.scale);
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const MatmulRows rows(problem_, args.batch);
    const auto [begin, end] = share.of(rows.count());
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t column = 0; column < problem_.n; ++column) {
        const double sum = dot(args, rows.a_offset(row), rows.b_offset(row) + column, column);
        store(args.output, row * problem_.n + column, column, sum);
      }
    }
  }

 private:
  [[nodiscard]] double dot(const KernelArgs& args, std::int64_t a, std::int64_t b,
                           std::int64_t column) const noexcept {
    std::int32_t a_zero = a_.zero_point;
    std::int32_t b_zero = b_.zero_points[static_cast<std::size_t>(column)];
    if (problem_.a_zero_point != 0) a_zero = stored_at(args.inputs[2], problem_.a, 0);
    if (problem_.b_zero_point != 0) b_zero = stored_at(args.inputs.back(), problem_.b, 0);
    double sum = 0.0;
    for (std::int64_t k = 0; k < problem_.k; ++k) {
      sum += value_at(args.inputs[0], problem_.a, a + k, a_zero) *
             value_at(args.inputs[1], problem_.b, b + k * problem_.n, b_zero);
    }
    return sum;
  }

  void store(std::byte* y, std::int64_t i, std::int64_t column, double sum) const noexcept {
    if (problem_.y == DType::f32) {
      reinterpret_cast<float*>(y)[i] = static_cast<float>(sum);
      return;
    }
    const std::int32_t integer = wrapped(static_cast<std::int64_t>(sum));
    if (problem_.y == DType::s32) {
      reinterpret_cast<std::int32_t*>(y)[i] = integer;
      return;
    }
    store_stored(y, i,
                 requantize_sum(integer, 0.0F, 1.0F, multiplier_[static_cast<std::size_t>(column)],
                                y_.zero_point, stored_range(problem_.y)));
  }

  MatmulProblem problem_;
  TensorQuantization a_;
  ChannelQuantization b_;
  TensorQuantization y_;
  std::vector<float> multiplier_;
};

std::unique_ptr<Prepared> prepare(const MatmulProblem& p, const Operands& operands) {
  return std::make_unique<Reference>(p, operands);
}

}  // namespace

KernelRow<MatmulProblem> reference_row() {
  return {"reference", Isa::generic, [](const MatmulProblem&) noexcept { return Support::yes(); }, prepare};
}

}  // namespace octavo::matmul

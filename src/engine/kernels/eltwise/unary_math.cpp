#include "engine/kernels/eltwise/unary_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "engine/kernels/element_types.h"
#include "engine/kernels/eltwise/binary_math.h"

namespace octavo {
namespace {

constexpr float kSixth = 1.0F / 6.0F;

float softplus(float x) noexcept { return std::max(x, 0.0F) + std::log1p(std::exp(-std::fabs(x))); }

/// relu and clip keep the quantization; stored values compare as the reals do.
std::int32_t clipped(std::int32_t q, const UnaryProblem& problem, const Operands& operands) {
  if (problem.kind == UnaryKind::relu) {
    const Quantization* quantization = operands.output.quantization;
    return std::max(q, quantization == nullptr ? 0 : quantization->zero_point());
  }
  return clamp_value(q, operands.parameter("lo", -std::numeric_limits<double>::infinity()),
                     operands.parameter("hi", std::numeric_limits<double>::infinity()));
}

}  // namespace

float UnaryFunction::operator()(float x) const noexcept {
  switch (kind) {
    case UnaryKind::relu:
      return x < 0 ? 0 : x;
    case UnaryKind::clip:
      return x;
    case UnaryKind::sigmoid:
      return 1.0F / (1.0F + std::exp(-x));
    case UnaryKind::tanh:
      return std::tanh(x);
    case UnaryKind::hardswish:
      return x * std::min(std::max(x + 3.0F, 0.0F), 6.0F) / 6.0F;
    case UnaryKind::hardsigmoid:
      if (pytorch_hardsigmoid) return std::min(std::max(x + 3.0F, 0.0F), 6.0F) / 6.0F;
      return std::min(std::max(alpha * x + beta, 0.0F), 1.0F);
    case UnaryKind::leaky_relu:
      return x > 0 ? x : x * alpha;
    case UnaryKind::elu:
      return x > 0 ? x : alpha * std::expm1(x);
    case UnaryKind::exp:
      return std::exp(x);
    case UnaryKind::log:
      return std::log(x);
    case UnaryKind::sqrt:
      return std::sqrt(x);
    case UnaryKind::neg:
      return -x;
    case UnaryKind::abs:
      return std::fabs(x);
    case UnaryKind::erf:
      return std::erf(x);
    case UnaryKind::floor:
      return std::floor(x);
    case UnaryKind::ceil:
      return std::ceil(x);
    case UnaryKind::round:
      return std::nearbyint(x);
    case UnaryKind::reciprocal:
      return 1.0F / x;
    case UnaryKind::softplus:
      return softplus(x);
  }
  return x;
}

UnaryFunction unary_function(const UnaryProblem& problem, const Operands& operands) {
  const bool leaky = problem.kind == UnaryKind::leaky_relu, hard = problem.kind == UnaryKind::hardsigmoid;
  UnaryFunction function;
  function.kind = problem.kind;
  function.alpha = static_cast<float>(operands.parameter("alpha", leaky ? 0.01 : hard ? 1.0 / 6.0 : 1.0));
  function.beta = static_cast<float>(operands.parameter("beta", hard ? 0.5 : 0.0));
  function.pytorch_hardsigmoid =
      problem.arithmetic == Arithmetic::fbgemm && function.alpha == kSixth && function.beta == 0.5F;
  return function;
}

void fill_unary_table(const UnaryProblem& problem, const Operands& operands, std::uint8_t (&table)[256]) {
  const bool stays_stored = problem.kind == UnaryKind::relu || problem.kind == UnaryKind::clip;
  const Quantization* from = operands.inputs.at(0).quantization;
  const Quantization* to = operands.output.quantization;
  if (!stays_stored && from != nullptr) {
    fill_table(table, problem.x, affine_of(UnaryProblem::kFamily, operands.inputs[0]),
               affine_of(UnaryProblem::kFamily, operands.output), problem.arithmetic == Arithmetic::ort,
               unary_function(problem, operands));
    return;
  }
  if (from != nullptr) affine_of(UnaryProblem::kFamily, operands.inputs[0]);
  if (to != nullptr) affine_of(UnaryProblem::kFamily, operands.output);
  const bool same = from == to || (from != nullptr && to != nullptr && *from == *to);
  const bool knows_plain = stays_stored || problem.kind == UnaryKind::neg || problem.kind == UnaryKind::abs;
  if (!same || !knows_plain || problem.x != problem.y) {
    fail(ErrorCode::invalid_argument, "unary {}: no such function of {} with {} quantization",
         enum_names(problem.kind)[static_cast<std::size_t>(problem.kind)], dtype_name(problem.x),
         from == nullptr ? "no" : "another result's");
  }
  for (int bits = 0; bits < 256; ++bits) {
    const std::int32_t q = problem.x == DType::s8 ? static_cast<std::int8_t>(bits) : bits;
    const std::int32_t y = problem.kind == UnaryKind::neg   ? -q
                           : problem.kind == UnaryKind::abs ? std::abs(q)
                                                            : clipped(q, problem, operands);
    table[bits] = static_cast<std::uint8_t>(y);
  }
}

}  // namespace octavo

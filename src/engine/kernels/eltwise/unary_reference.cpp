#include <limits>

#include "engine/kernels/eltwise/binary_math.h"
#include "engine/kernels/eltwise/rows.h"
#include "engine/kernels/eltwise/unary_math.h"

namespace octavo {
namespace {

class UnaryTable final : public Prepared {
 public:
  UnaryTable(const UnaryProblem& problem, const Operands& operands) : count_(problem.count) {
    fill_unary_table(problem, operands, table_);
  }
  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(count_ * args.batch);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      args.output[i] = static_cast<std::byte>(table_[static_cast<std::uint8_t>(args.inputs[0][i])]);
    }
  }

 private:
  std::int64_t count_;
  std::uint8_t table_[256];
};

template <class T>
class UnaryPlain final : public Prepared {
 public:
  UnaryPlain(const UnaryProblem& problem, const Operands& operands)
      : p_(problem),
        function_(unary_function(problem, operands)),
        lo_(operands.parameter("lo", -std::numeric_limits<double>::infinity())),
        hi_(operands.parameter("hi", std::numeric_limits<double>::infinity())) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(p_.count * args.batch);
    const auto* x = reinterpret_cast<const T*>(args.inputs[0]);
    auto* y = reinterpret_cast<T*>(args.output);
    for (std::int64_t i = range.begin; i < range.end; ++i) y[i] = value(x[i]);
  }

 private:
  T value(T x) const noexcept {
    if (p_.kind == UnaryKind::clip) return clamp_value(x, lo_, hi_);
    if (p_.kind == UnaryKind::relu) return x < 0 ? T{0} : x;
    if constexpr (std::is_integral_v<T>) {
      const bool negate = p_.kind == UnaryKind::neg || x < 0;
      return negate ? binary_value(BinaryKind::sub, T{0}, x) : x;
    } else {
      return function_(x);
    }
  }

  UnaryProblem p_;
  UnaryFunction function_;
  double lo_, hi_;
};

}  // namespace

Support unary_reference_supports(const UnaryProblem& problem) noexcept {
  if (is_stored_integer(problem.x)) {
    return is_stored_integer(problem.y) ? Support::yes() : Support::no("wide results of 8-bit operands");
  }
  if (problem.x != problem.y) return Support::no("x and y of different dtypes");
  if (problem.x == DType::f32) return Support::yes();
  if (problem.x != DType::s32 && problem.x != DType::s64)
    return Support::no("dtypes other than f32, s32, s64, u8, s8");
  switch (problem.kind) {
    case UnaryKind::relu:
    case UnaryKind::clip:
    case UnaryKind::neg:
    case UnaryKind::abs:
      return Support::yes();
    default:
      return Support::no("integers");
  }
}

std::unique_ptr<Prepared> prepare_unary_reference(const UnaryProblem& problem, const Operands& operands) {
  if (is_stored_integer(problem.x)) return std::make_unique<UnaryTable>(problem, operands);
  if (problem.x == DType::s32) return std::make_unique<UnaryPlain<std::int32_t>>(problem, operands);
  if (problem.x == DType::s64) return std::make_unique<UnaryPlain<std::int64_t>>(problem, operands);
  return std::make_unique<UnaryPlain<float>>(problem, operands);
}

}  // namespace octavo

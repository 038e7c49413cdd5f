#include <limits>
#include <numeric>

#include "engine/kernels/eltwise/binary_math.h"
#include "engine/kernels/eltwise/rows.h"

namespace octavo {
namespace {

/// Walks y's elements and finds those of a and b; `Self::element(args, a, b, y)` computes one.
template <class Self>
class BinaryWalk : public Prepared {
 public:
  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t size =
        std::accumulate(p_.dims.begin(), p_.dims.end(), std::int64_t{1}, std::multiplies<>());
    const auto range = share.of(size * args.batch);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      std::int64_t a = i / size * p_.a_batch_stride, b = i / size * p_.b_batch_stride;
      std::int64_t rest = i % size;
      for (std::size_t d = p_.dims.size(); d-- > 0; rest /= p_.dims[d]) {
        a += rest % p_.dims[d] * p_.a_strides[d];
        b += rest % p_.dims[d] * p_.b_strides[d];
      }
      static_cast<const Self&>(*this).element(args, a, b, i);
    }
  }

 protected:
  BinaryWalk(const BinaryProblem& problem, const Operands& operands)
      : p_(problem),
        lo_(operands.parameter("lo", -std::numeric_limits<double>::infinity())),
        hi_(operands.parameter("hi", std::numeric_limits<double>::infinity())) {}

  BinaryProblem p_;
  double lo_, hi_;
};

template <class T>
class BinaryPlain final : public BinaryWalk<BinaryPlain<T>> {
 public:
  BinaryPlain(const BinaryProblem& problem, const Operands& operands)
      : BinaryWalk<BinaryPlain<T>>(problem, operands) {}

  void element(const KernelArgs& args, std::int64_t a, std::int64_t b, std::int64_t i) const noexcept {
    const auto* as = reinterpret_cast<const T*>(args.inputs[0]);
    const auto* bs = reinterpret_cast<const T*>(args.inputs[1]);
    T value = binary_value(this->p_.kind, as[a], bs[b]);
    if (this->p_.activation == Activation::relu && value < 0) value = 0;
    if (this->p_.activation == Activation::clamp) value = clamp_value(value, this->lo_, this->hi_);
    reinterpret_cast<T*>(args.output)[i] = value;
  }
};

std::int32_t stored(DType dtype, const std::byte* x, std::int64_t i) noexcept {
  return dtype == DType::s8 ? static_cast<std::int8_t>(x[i]) : static_cast<std::uint8_t>(x[i]);
}

class BinaryQuantized final : public BinaryWalk<BinaryQuantized> {
 public:
  BinaryQuantized(const BinaryProblem& problem, const Operands& operands)
      : BinaryWalk(problem, operands),
        qa_(affine_of(BinaryProblem::kFamily, operands.inputs.at(0))),
        qb_(affine_of(BinaryProblem::kFamily, operands.inputs.at(1))),
        qy_(affine_of(BinaryProblem::kFamily, operands.output)),
        bounds_(activation_bounds(problem.activation, operands, qy_)) {}

  void element(const KernelArgs& args, std::int64_t a, std::int64_t b, std::int64_t i) const noexcept {
    std::int32_t q = combined(stored(p_.a, args.inputs[0], a), stored(p_.b, args.inputs[1], b));
    q = std::min(std::max(q, bounds_.lowest), bounds_.highest);
    args.output[i] = static_cast<std::byte>(q);
  }

 private:
  std::int32_t combined(std::int32_t a, std::int32_t b) const noexcept {
    const bool ort = p_.arithmetic == Arithmetic::ort;
    if (p_.kind == BinaryKind::mul)
      return ort ? mul_ort(a, b, qa_, qb_, qy_) : mul_fbgemm(a, b, qa_, qb_, qy_);
    if (ort) return add_ort(a, b, qa_, qb_, qy_);
    return add_fbgemm(a, b, qa_, qb_, qy_, p_.activation == Activation::relu);
  }

  Affine qa_, qb_, qy_;
  StoredRange bounds_;
};

}  // namespace

Support binary_reference_supports(const BinaryProblem& problem) noexcept {
  if (is_stored_integer(problem.y)) {
    if (!is_stored_integer(problem.a) || !is_stored_integer(problem.b))
      return Support::no("8-bit results of wider operands");
    if (problem.kind != BinaryKind::add && problem.kind != BinaryKind::mul) {
      return Support::no("quantized operators other than add and mul");
    }
    return Support::yes();
  }
  if (problem.a != problem.y || problem.b != problem.y) return Support::no("operands of different dtypes");
  if (problem.y != DType::f32 && problem.y != DType::s32 && problem.y != DType::s64) {
    return Support::no("dtypes other than f32, s32, s64, u8, s8");
  }
  return Support::yes();
}

std::unique_ptr<Prepared> prepare_binary_reference(const BinaryProblem& problem, const Operands& operands) {
  if (is_stored_integer(problem.y)) return std::make_unique<BinaryQuantized>(problem, operands);
  if (problem.y == DType::s32) return std::make_unique<BinaryPlain<std::int32_t>>(problem, operands);
  if (problem.y == DType::s64) return std::make_unique<BinaryPlain<std::int64_t>>(problem, operands);
  return std::make_unique<BinaryPlain<float>>(problem, operands);
}

}  // namespace octavo

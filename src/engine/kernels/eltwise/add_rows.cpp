#include "engine/kernels/eltwise/add_u8.h"
#include "engine/kernels/eltwise/binary_math.h"
#include "engine/kernels/eltwise/rows.h"

namespace octavo {
namespace {

class DenseAdd final : public Prepared {
 public:
  DenseAdd(const BinaryProblem& problem, const Operands& operands, AddU8Run add)
      : count_(problem.dims.front()), add_(add) {
    const Affine a = affine_of(BinaryProblem::kFamily, operands.inputs.at(0));
    const Affine b = affine_of(BinaryProblem::kFamily, operands.inputs.at(1));
    const Affine y = affine_of(BinaryProblem::kFamily, operands.output);
    const StoredRange bounds = activation_bounds(problem.activation, operands, y);
    const auto za = static_cast<float>(a.zero_point), zb = static_cast<float>(b.zero_point);
    if (problem.arithmetic == Arithmetic::ort) {
      const float ra = a.scale / y.scale, rb = b.scale / y.scale;
      const float offset = static_cast<float>(y.zero_point) - std::fma(ra, za, rb * zb);
      numbers_ = {.a_scale = ra,
                  .b_scale = rb,
                  .b_offset = offset,
                  .lowest = static_cast<float>(bounds.lowest),
                  .highest = static_cast<float>(bounds.highest),
                  .ort = 1};
    } else {
      numbers_ = {.a_scale = a.scale,
                  .a_offset = -za * a.scale,
                  .b_scale = b.scale,
                  .b_offset = -zb * b.scale,
                  .inverse = y.inverse,
                  .lowest = static_cast<float>(bounds.lowest - y.zero_point),
                  .highest = static_cast<float>(bounds.highest - y.zero_point),
                  .zero_point = y.zero_point};
    }
    numbers_.a_flip = flip_to_u8(problem.a), numbers_.b_flip = flip_to_u8(problem.b);
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    const auto range = share.of(count_);
    const ByteRange bytes{range.begin, range.end};
    return Reach{bytes, {bytes, bytes}};
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(count_ * args.batch);
    add_(numbers_, reinterpret_cast<const std::uint8_t*>(args.inputs[0]) + range.begin,
         reinterpret_cast<const std::uint8_t*>(args.inputs[1]) + range.begin,
         reinterpret_cast<std::uint8_t*>(args.output) + range.begin, range.end - range.begin);
  }

 private:
  std::int64_t count_;
  AddU8Run add_;
  AddU8 numbers_;
};

}  // namespace

Support binary_dense_add_supports(const BinaryProblem& p) noexcept {
  if (p.kind != BinaryKind::add) return Support::no("operators other than add");
  if (!is_stored_integer(p.a) || !is_stored_integer(p.b) || !is_stored_integer(p.y))
    return Support::no("dtypes other than u8, s8");
  const bool dense = p.dims.size() == 1 && p.a_strides.front() == 1 && p.b_strides.front() == 1 &&
                     p.a_batch_stride == p.dims.front() && p.b_batch_stride == p.dims.front();
  return dense ? Support::yes() : Support::no("operands that are not both dense");
}

std::unique_ptr<Prepared> prepare_binary_add_avx2(const BinaryProblem& problem, const Operands& operands) {
  return std::make_unique<DenseAdd>(problem, operands, add_u8_avx2);
}
std::unique_ptr<Prepared> prepare_binary_add_avx512(const BinaryProblem& problem, const Operands& operands) {
  return std::make_unique<DenseAdd>(problem, operands, add_u8_avx512);
}

}  // namespace octavo

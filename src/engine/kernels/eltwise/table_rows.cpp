#include "engine/kernels/eltwise/rows.h"
#include "engine/kernels/eltwise/table_u8.h"
#include "engine/kernels/eltwise/unary_math.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {
namespace {

class VectorTable final : public Prepared {
 public:
  VectorTable(const UnaryProblem& problem, const Operands& operands) : count_(problem.count) {
    fill_unary_table(problem, operands, table_);
  }
  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    const auto range = share.of(count_);
    const ByteRange bytes{range.begin, range.end};
    return Reach{bytes, {bytes}};
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(count_ * args.batch);
    table_u8_avx512_vnni(table_, reinterpret_cast<const std::uint8_t*>(args.inputs[0]) + range.begin,
                         reinterpret_cast<std::uint8_t*>(args.output) + range.begin, range.end - range.begin);
  }

 private:
  std::int64_t count_;
  std::uint8_t table_[256];
};

}  // namespace

Support unary_table_supports(const UnaryProblem& problem) noexcept {
  const bool eight_bits = is_stored_integer(problem.x) && is_stored_integer(problem.y);
  return eight_bits ? Support::yes() : Support::no("dtypes other than u8, s8");
}

std::unique_ptr<Prepared> prepare_unary_table_avx512_vnni(const UnaryProblem& problem,
                                                          const Operands& operands) {
  return std::make_unique<VectorTable>(problem, operands);
}

}  // namespace octavo

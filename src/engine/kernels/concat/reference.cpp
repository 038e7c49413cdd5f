#include <cstring>

#include "engine/kernels/concat/requantization.h"
#include "engine/kernels/concat/rows.h"

namespace octavo {
namespace {

class ConcatReference final : public Prepared {
 public:
  ConcatReference(const ConcatProblem& problem, const Operands& operands)
      : outer_(problem.outer),
        bytes_(dtype_bytes(problem.dtype)),
        inputs_(concat_inputs(problem, operands)) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t y_width = inputs_.back().offset + inputs_.back().width;
    const auto rows = share.of(outer_ * args.batch);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const ConcatInput& input = inputs_[i];
      const std::int64_t row_bytes = input.width * bytes_;
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        const std::byte* from = args.inputs[i] + row * row_bytes;
        std::byte* to = args.output + (row * y_width + input.offset) * bytes_;
        if (!input.requantize) {
          if (row_bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(row_bytes));
          continue;
        }
        for (std::int64_t k = 0; k < row_bytes; ++k) {
          to[k] = static_cast<std::byte>(input.table[static_cast<std::uint8_t>(from[k])]);
        }
      }
    }
  }

 private:
  std::int64_t outer_, bytes_;
  std::vector<ConcatInput> inputs_;
};

}  // namespace

Support concat_reference_supports(const ConcatProblem&) noexcept { return Support::yes(); }

std::unique_ptr<Prepared> prepare_concat_reference(const ConcatProblem& problem, const Operands& operands) {
  return std::make_unique<ConcatReference>(problem, operands);
}

}  // namespace octavo

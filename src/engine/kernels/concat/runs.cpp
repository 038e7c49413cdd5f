#include <algorithm>
#include <cstring>

#include "engine/kernels/concat/requantization.h"
#include "engine/kernels/concat/rows.h"
#include "engine/kernels/constant_size.h"
#include "engine/kernels/table_u8.h"

namespace octavo {
namespace {

/// Writes y from its first element to its last: of each input in turn what belongs into a row, by one memcpy
/// or through its table. Shares may begin and end within a row.
class ConcatRuns final : public Prepared {
 public:
  ConcatRuns(const ConcatProblem& problem, const Operands& operands, TableU8Run requantize)
      : outer_(problem.outer),
        bytes_(dtype_bytes(problem.dtype)),
        inputs_(concat_inputs(problem, operands)),
        width_(inputs_.back().offset + inputs_.back().width),
        requantize_(requantize) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(outer_ * args.batch * width_);
    for (std::int64_t at = range.begin; at < range.end;) {
      const std::int64_t row = at / width_, end = std::min(range.end, (row + 1) * width_);
      write_row(args, row, at - row * width_, end - row * width_);
      at = end;
    }
  }

 private:
  /// Elements begin .. end of a row.
  void write_row(const KernelArgs& args, std::int64_t row, std::int64_t begin,
                 std::int64_t end) const noexcept {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const ConcatInput& input = inputs_[i];
      const std::int64_t first = std::max(begin, input.offset),
                         last = std::min(end, input.offset + input.width);
      if (first >= last) continue;
      const std::byte* const from = args.inputs[i] + (row * input.width + first - input.offset) * bytes_;
      std::byte* const to = args.output + (row * width_ + first) * bytes_;
      const std::int64_t bytes = (last - first) * bytes_;
      if (input.requantize) {
        requantize_(input.table, reinterpret_cast<const std::uint8_t*>(from),
                    reinterpret_cast<std::uint8_t*>(to), bytes);
      } else {
        with_constant_size(bytes, [&](auto size) { std::memcpy(to, from, size); });
      }
    }
  }

  std::int64_t outer_, bytes_;
  std::vector<ConcatInput> inputs_;
  std::int64_t width_;
  TableU8Run requantize_;
};

}  // namespace

Support concat_runs_supports(const ConcatProblem&) noexcept { return Support::yes(); }

std::unique_ptr<Prepared> prepare_concat_runs(const ConcatProblem& problem, const Operands& operands) {
  return std::make_unique<ConcatRuns>(problem, operands, table_u8);
}
std::unique_ptr<Prepared> prepare_concat_runs_avx512_vnni(const ConcatProblem& problem,
                                                          const Operands& operands) {
  return std::make_unique<ConcatRuns>(problem, operands, table_u8_avx512_vnni);
}

}  // namespace octavo

#include <cstring>

#include "engine/kernels/gather/rows.h"

namespace octavo {
namespace {

class GatherReference final : public Prepared {
 public:
  explicit GatherReference(const GatherProblem& problem) : p_(problem) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t outer = p_.grows_data != 0 ? p_.outer * args.batch : p_.outer;
    const std::int64_t indices = p_.grows_indices != 0 ? p_.indices * args.batch : p_.indices;
    const std::int64_t row_bytes = p_.inner * p_.bytes;
    if (row_bytes == 0) return;
    const auto range = share.of(outer * indices);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      std::int64_t row = index_at(args.inputs[1], i % indices);
      if (row < 0) row += p_.rows;
      std::byte* to = args.output + i * row_bytes;
      if (row < 0 || row >= p_.rows) {
        std::memset(to, 0, static_cast<std::size_t>(row_bytes));
      } else {
        const std::int64_t from = (i / indices * p_.rows + row) * row_bytes;
        std::memcpy(to, args.inputs[0] + from, static_cast<std::size_t>(row_bytes));
      }
    }
  }

 private:
  std::int64_t index_at(const std::byte* indices, std::int64_t j) const noexcept {
    return p_.index == DType::s32 ? reinterpret_cast<const std::int32_t*>(indices)[j]
                                  : reinterpret_cast<const std::int64_t*>(indices)[j];
  }

  GatherProblem p_;
};

}  // namespace

Support gather_reference_supports(const GatherProblem&) noexcept { return Support::yes(); }

std::unique_ptr<Prepared> prepare_gather_reference(const GatherProblem& problem, const Operands&) {
  return std::make_unique<GatherReference>(problem);
}

}  // namespace octavo

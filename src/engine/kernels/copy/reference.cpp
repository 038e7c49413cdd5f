#include <array>
#include <cstring>
#include <numeric>

#include "engine/kernels/copy/fill.h"
#include "engine/kernels/copy/rows.h"

namespace octavo {
namespace {

class CopyReference final : public Prepared {
 public:
  CopyReference(const CopyProblem& problem, const Operands& operands)
      : p_(problem), fill_(fill_bytes(problem, operands)) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::int64_t size =
        std::accumulate(p_.dims.begin(), p_.dims.end(), std::int64_t{1}, std::multiplies<>());
    const auto range = share.of(size * args.batch);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      std::int64_t from = p_.x_offset + i / size * p_.x_batch_stride;
      std::int64_t rest = i % size;
      bool inside = true;
      for (std::size_t d = p_.dims.size(); d-- > 0; rest /= p_.dims[d]) {
        const std::int64_t at = rest % p_.dims[d] - p_.begin[d];
        inside = inside && at >= 0 && at < p_.count[d];
        from += at * p_.x_strides[d];
      }
      const std::byte* source = inside ? args.inputs[0] + from * p_.bytes : fill_.data();
      std::memcpy(args.output + i * p_.bytes, source, static_cast<std::size_t>(p_.bytes));
    }
  }

 private:
  CopyProblem p_;
  std::array<std::byte, 8> fill_;
};

}  // namespace

Support copy_reference_supports(const CopyProblem&) noexcept { return Support::yes(); }

std::unique_ptr<Prepared> prepare_copy_reference(const CopyProblem& problem, const Operands& operands) {
  return std::make_unique<CopyReference>(problem, operands);
}

}  // namespace octavo

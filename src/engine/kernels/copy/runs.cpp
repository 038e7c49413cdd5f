#include <array>
#include <cstring>
#include <numeric>

#include "engine/kernels/copy/fill.h"
#include "engine/kernels/copy/rows.h"

namespace octavo {
namespace {

/// Walks y line by line along the innermost extent: filling, elements of x (one memcpy where they are
/// neighbours), filling.
class CopyRuns final : public Prepared {
 public:
  CopyRuns(const CopyProblem& problem, const Operands& operands)
      : p_(problem), fill_(fill_bytes(problem, operands)) {
    lines_ = std::accumulate(p_.dims.begin(), p_.dims.end() - 1, std::int64_t{1}, std::multiplies<>());
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const std::size_t inner = p_.dims.size() - 1;
    const auto range = share.of(lines_ * args.batch);
    if (p_.dims[inner] == 0) return;
    for (std::int64_t line = range.begin; line < range.end; ++line) {
      std::int64_t from = p_.x_offset + line / lines_ * p_.x_batch_stride;
      std::int64_t rest = line % lines_;
      bool inside = true;
      for (std::size_t d = inner; d-- > 0; rest /= p_.dims[d]) {
        const std::int64_t at = rest % p_.dims[d] - p_.begin[d];
        inside = inside && at >= 0 && at < p_.count[d];
        from += at * p_.x_strides[d];
      }
      const std::int64_t count = inside ? p_.count[inner] : 0, begin = count > 0 ? p_.begin[inner] : 0;
      std::byte* to = args.output + line * p_.dims[inner] * p_.bytes;
      fill(to, begin);
      if (count > 0) elements(args.inputs[0] + from * p_.bytes, to + begin * p_.bytes, count);
      fill(to + (begin + count) * p_.bytes, p_.dims[inner] - begin - count);
    }
  }

 private:
  void fill(std::byte* to, std::int64_t count) const noexcept {
    for (std::int64_t i = 0; i < count; ++i) {
      std::memcpy(to + i * p_.bytes, fill_.data(), static_cast<std::size_t>(p_.bytes));
    }
  }

  void elements(const std::byte* from, std::byte* to, std::int64_t count) const noexcept {
    const std::int64_t stride = p_.x_strides.back();
    if (stride == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(count * p_.bytes));
      return;
    }
    switch (p_.bytes) {
      case 1:
        return strided<1>(from, to, count, stride);
      case 2:
        return strided<2>(from, to, count, stride);
      case 4:
        return strided<4>(from, to, count, stride);
      default:
        return strided<8>(from, to, count, stride);
    }
  }

  template <std::int64_t kBytes>
  static void strided(const std::byte* from, std::byte* to, std::int64_t count,
                      std::int64_t stride) noexcept {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * kBytes, from + i * stride * kBytes, kBytes);
  }

  CopyProblem p_;
  std::array<std::byte, 8> fill_;
  std::int64_t lines_ = 1;
};

}  // namespace

Support copy_runs_supports(const CopyProblem& problem) noexcept {
  return problem.dims.empty() ? Support::no("a single element") : Support::yes();
}

std::unique_ptr<Prepared> prepare_copy_runs(const CopyProblem& problem, const Operands& operands) {
  return std::make_unique<CopyRuns>(problem, operands);
}

}  // namespace octavo

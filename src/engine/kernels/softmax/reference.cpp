#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/kernels/softmax/rows.h"

namespace octavo {
namespace {

/// y = exp(x - max) / sum exp(x - max), or x - max - log(sum): the largest is taken away so that no exp
/// overflows. The sum is kept in f64.
class SoftmaxReference final : public Prepared {
 public:
  explicit SoftmaxReference(const SoftmaxProblem& problem) : p_(problem) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto lines = share.of(p_.outer * args.batch * p_.inner);
    for (std::int64_t line = lines.begin; line < lines.end; ++line) {
      const std::int64_t start = line / p_.inner * p_.count * p_.inner + line % p_.inner;
      softmax(reinterpret_cast<const float*>(args.inputs[0]) + start,
              reinterpret_cast<float*>(args.output) + start);
    }
  }

 private:
  void softmax(const float* x, float* y) const noexcept {
    float most = -std::numeric_limits<float>::infinity();
    for (std::int64_t r = 0; r < p_.count; ++r) most = std::max(most, x[r * p_.inner]);
    double sum = 0;
    for (std::int64_t r = 0; r < p_.count; ++r) sum += std::exp(x[r * p_.inner] - most);
    const auto log_sum = static_cast<float>(std::log(sum));
    for (std::int64_t r = 0; r < p_.count; ++r) {
      const float above = x[r * p_.inner] - most;
      y[r * p_.inner] = p_.log != 0 ? above - log_sum : static_cast<float>(std::exp(above) / sum);
    }
  }

  SoftmaxProblem p_;
};

}  // namespace

Support softmax_reference_supports(const SoftmaxProblem&) noexcept { return Support::yes(); }

std::unique_ptr<Prepared> prepare_softmax_reference(const SoftmaxProblem& problem, const Operands&) {
  return std::make_unique<SoftmaxReference>(problem);
}

}  // namespace octavo

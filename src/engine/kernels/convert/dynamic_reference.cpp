#include <algorithm>

#include "engine/kernels/convert/rows.h"
#include "engine/kernels/element_types.h"

namespace octavo {
namespace {

/// The smallest range that holds all values and zero:
///   scale = (max - min) / 255, 1 when all values are zero;  zero_point = clamp(rint(-min / scale), 0, 255);
///   q = clamp(rint(x / scale) + zero_point, 0, 255)
/// Every result needs all values, so share 0 does the work alone.
class DynamicQuantizeReference final : public Prepared {
 public:
  explicit DynamicQuantizeReference(const DynamicQuantizeProblem& problem) : p_(problem) {}

  void run(const KernelArgs& args, Share share) const noexcept override {
    if (!share.is_first()) return;
    const auto* x = reinterpret_cast<const float*>(args.inputs[0]);
    const std::int64_t count = p_.count * args.batch;
    float lowest = 0, highest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      lowest = std::min(lowest, x[i]);
      highest = std::max(highest, x[i]);
    }
    const float scale = lowest == highest ? 1.0F : (highest - lowest) / 255.0F;
    const std::int32_t zero_point = clamp_stored(std::nearbyint(0.0F - lowest / scale), 0, StoredRange{});
    if (p_.result == DynamicResult::scale) *reinterpret_cast<float*>(args.output) = scale;
    if (p_.result == DynamicResult::zero_point) *args.output = static_cast<std::byte>(zero_point);
    if (p_.result != DynamicResult::values) return;
    for (std::int64_t i = 0; i < count; ++i) {
      args.output[i] = static_cast<std::byte>(quantize_value_ort(x[i], scale, zero_point, StoredRange{}));
    }
  }

 private:
  DynamicQuantizeProblem p_;
};

}  // namespace

Support dynamic_quantize_reference_supports(const DynamicQuantizeProblem&) noexcept { return Support::yes(); }

std::unique_ptr<Prepared> prepare_dynamic_quantize_reference(const DynamicQuantizeProblem& problem,
                                                             const Operands&) {
  return std::make_unique<DynamicQuantizeReference>(problem);
}

}  // namespace octavo

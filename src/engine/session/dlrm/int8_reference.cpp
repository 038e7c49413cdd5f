#include <cmath>

#include "engine/kernels/quantized_math.h"
#include "engine/session/dlrm/int8_numbers.h"
#include "engine/session/dlrm/int8_pipeline.h"
#include "engine/session/dlrm/reference_pipeline.h"

namespace octavo {
namespace {

/// Those of Int8Numbers.
class Int8Rules {
 public:
  using Value = std::int32_t;

  explicit Int8Rules(const DlrmData& data) : numbers_(int8_numbers(data)) {}

  [[nodiscard]] const std::vector<Int8Layer>& bottom() const noexcept { return numbers_.bottom; }
  [[nodiscard]] const std::vector<Int8Layer>& top() const noexcept { return numbers_.top; }

  [[nodiscard]] Value dense(float value) const noexcept {
    return quantize_value(value, numbers_.dense_inverse_scale, numbers_.dense_zero_point, {0, 255});
  }
  static float logit(const Int8Layer& layer, const Value* x, std::int64_t n) noexcept {
    const auto i = static_cast<std::size_t>(n);
    Value sum = 0;
    for (std::int64_t k = 0; k < layer.inputs; ++k)
      sum += x[k] * layer.weights[static_cast<std::size_t>(n * layer.inputs + k)];
    return std::fma(static_cast<float>(sum), layer.multiplier[i], layer.bias[i]);
  }
  static Value output(const Int8Layer& layer, const Value* x, std::int64_t n) noexcept {
    return clamp_stored(std::nearbyint(logit(layer, x, n)), 0, {0, layer.highest});
  }
  [[nodiscard]] Value vector(std::size_t table, float value) const noexcept {
    return quantize_value(value, numbers_.feature_inverse_scale[table], 0, {-127, 127});
  }
  [[nodiscard]] Value product(std::size_t number, Value sum) const noexcept {
    return clamp_stored(std::nearbyint(static_cast<float>(sum) * numbers_.dot_multiplier[number]), 0,
                        {-128, 127});
  }

 private:
  Int8Numbers numbers_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_int8_reference(const DlrmData& data) {
  return std::make_unique<ReferencePipeline<Int8Rules>>(data);
}

}  // namespace octavo

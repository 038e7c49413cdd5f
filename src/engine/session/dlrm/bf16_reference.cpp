#include <algorithm>

#include "base/bf16.h"
#include "engine/session/dlrm/bf16_layers.h"
#include "engine/session/dlrm/bf16_pipeline.h"
#include "engine/session/dlrm/reference_pipeline.h"

namespace octavo {
namespace {

float rounded(float value) noexcept { return bf16_value(bf16_bits(value)); }

/// Those of Bf16Layers; a layer's sum begins as the bias and takes the products in the order of the inputs.
class Bf16Rules {
 public:
  using Value = float;

  explicit Bf16Rules(const DlrmData& data) : layers_(bf16_layers(data)) {}

  [[nodiscard]] const std::vector<Bf16Layer>& bottom() const noexcept { return layers_.bottom; }
  [[nodiscard]] const std::vector<Bf16Layer>& top() const noexcept { return layers_.top; }

  static float dense(float value) noexcept { return rounded(value); }
  static float logit(const Bf16Layer& layer, const float* x, std::int64_t n) noexcept {
    float sum = layer.bias[static_cast<std::size_t>(n)];
    for (std::int64_t k = 0; k < layer.inputs; ++k)
      sum += x[k] * bf16_value(layer.weights[static_cast<std::size_t>(n * layer.inputs + k)]);
    return sum;
  }
  static float output(const Bf16Layer& layer, const float* x, std::int64_t n) noexcept {
    return rounded(std::max(logit(layer, x, n), 0.0F));
  }
  static float vector(std::size_t /*table*/, float value) noexcept { return rounded(value); }
  static float product(std::size_t /*number*/, float sum) noexcept { return rounded(sum); }

 private:
  Bf16Layers layers_;
};

}  // namespace

std::unique_ptr<DlrmPipeline> prepare_bf16_reference(const DlrmData& data) {
  return std::make_unique<ReferencePipeline<Bf16Rules>>(data);
}

}  // namespace octavo

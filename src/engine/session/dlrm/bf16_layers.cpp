#include "engine/session/dlrm/bf16_layers.h"

#include <cmath>

#include "base/bf16.h"
#include "base/fail.h"

namespace octavo {
namespace {

Bf16Layer rounded(const DlrmLayer& layer, std::string_view mlp, std::size_t number) {
  const auto check = [&](float value, float kept) {
    if (!std::isfinite(kept))
      fail(ErrorCode::invalid_model, "layer {} of the {} MLP holds {}", number, mlp, value);
  };
  Bf16Layer result{layer.weights.shape()[1], layer.weights.shape()[0], {}, {}};
  for (float weight : layer.weights.as<float>()) {
    result.weights.push_back(bf16_bits(weight));
    check(weight, bf16_value(result.weights.back()));
  }
  for (float bias : layer.bias.as<float>()) {
    result.bias.push_back(bias);
    check(bias, bias);
  }
  return result;
}

}  // namespace

Bf16Layers bf16_layers(const DlrmData& data) {
  Bf16Layers layers;
  for (std::size_t i = 0; i < data.bottom.size(); ++i)
    layers.bottom.push_back(rounded(data.bottom[i], "bottom", i));
  for (std::size_t i = 0; i < data.top.size(); ++i) layers.top.push_back(rounded(data.top[i], "top", i));
  return layers;
}

}  // namespace octavo

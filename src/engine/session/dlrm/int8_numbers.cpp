#include "engine/session/dlrm/int8_numbers.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace octavo {
namespace {

/// Scales below this would make their inverses infinite; no real value is that small.
constexpr float kSmallestScale = 1e-30F;
/// Results stay below this before they are clamped, so that their conversion to integers cannot overflow.
constexpr double kLargestResult = 1 << 30;
constexpr std::int64_t kMostInputs = (std::int64_t{1} << 31) / (255 * 128);

float magnitude(const ValueRange& range) noexcept {
  return std::max(std::fabs(range.min), std::fabs(range.max));
}

float scale_of(float largest, float levels) noexcept { return std::max(largest / levels, kSmallestScale); }

/// Weights of one layer with the scales of its inputs multiplied in.
class ScaledWeights {
 public:
  ScaledWeights(const DlrmLayer& layer, std::span<const float> input_scales, std::string_view name)
      : layer_(layer), input_scales_(input_scales) {
    for (const Tensor* tensor : {&layer.weights, &layer.bias}) {
      for (float value : tensor->as<float>()) {
        if (!std::isfinite(value)) fail(ErrorCode::invalid_model, "{} holds {}", name, value);
      }
    }
    if (std::ssize(input_scales) > kMostInputs) {
      fail(ErrorCode::unsupported, "{} has {} inputs; sums of 8-bit products hold {}", name,
           input_scales.size(), kMostInputs);
    }
  }

  /// The 8-bit layer whose results are in units of `output_scale`, which grows where results could otherwise
  /// not be converted.
  [[nodiscard]] Int8Layer quantized(std::int32_t input_zero_point, std::int32_t highest,
                                    float& output_scale) const {
    Int8Layer layer;
    layer.inputs = std::ssize(input_scales_);
    layer.outputs = layer_.bias.elements();
    layer.highest = highest;
    std::vector<double> scales, biases;
    double largest = 0;
    for (std::int64_t n = 0; n < layer.outputs; ++n) {
      scales.push_back(add_output(n, layer.weights));
      const auto weights = std::span(layer.weights).last(input_scales_.size());
      double sum = 0, magnitudes = 0;
      for (std::int8_t weight : weights) sum += weight, magnitudes += std::abs(weight);
      biases.push_back(layer_.bias.as<float>()[static_cast<std::size_t>(n)] -
                       input_zero_point * sum * scales.back());
      largest = std::max(largest, 255 * magnitudes * scales.back() + std::fabs(biases.back()));
    }
    output_scale = std::max(output_scale, static_cast<float>(largest / kLargestResult));
    for (std::size_t n = 0; n < scales.size(); ++n) {
      layer.multiplier.push_back(static_cast<float>(scales[n] / output_scale));
      layer.bias.push_back(static_cast<float>(biases[n] / output_scale));
    }
    return layer;
  }

 private:
  /// Appends the 8-bit weights of output n; returns their scale.
  double add_output(std::int64_t n, std::vector<std::int8_t>& weights) const {
    const auto row = layer_.weights.as<float>().subspan(static_cast<std::size_t>(n) * input_scales_.size(),
                                                        input_scales_.size());
    double largest = 0;
    for (std::size_t k = 0; k < row.size(); ++k)
      largest = std::max(largest, std::fabs(double{row[k]} * double{input_scales_[k]}));
    const double scale = std::max(largest / 127, double{kSmallestScale});
    for (std::size_t k = 0; k < row.size(); ++k)
      weights.push_back(
          static_cast<std::int8_t>(std::nearbyint(double{row[k]} * double{input_scales_[k]} / scale)));
    return scale;
  }

  const DlrmLayer& layer_;
  std::span<const float> input_scales_;
};

class Quantizer {
 public:
  explicit Quantizer(const DlrmData& data)
      : data_(data), model_(data.model), ranges_(*data.model.calibration) {}

  Int8Numbers numbers() {
    const float x_scale = quantize_bottom();
    std::vector<float> scales(static_cast<std::size_t>(model_.dim), x_scale);
    const std::vector<float> features = feature_scales();
    if (model_.interaction == Interaction::cat) {
      for (float feature : features)
        scales.insert(scales.end(), static_cast<std::size_t>(model_.dim), feature);
    } else {
      append_dots(x_scale, features, scales);
    }
    quantize_top(std::move(scales));
    return std::move(numbers_);
  }

 private:
  /// Returns the scale of x.
  float quantize_bottom() {
    const float lowest = std::min(ranges_.dense.min, 0.0F), highest = std::max(ranges_.dense.max, 0.0F);
    const float dense_scale = scale_of(highest - lowest, 255.0F);
    numbers_.dense_inverse_scale = 1.0F / dense_scale;
    std::int32_t zero_point =
        static_cast<std::int32_t>(std::clamp(std::nearbyint(-lowest / dense_scale), 0.0F, 255.0F));
    numbers_.dense_zero_point = zero_point;
    std::vector<float> scales(static_cast<std::size_t>(model_.dense_features), dense_scale);
    for (std::size_t i = 0; i < data_.bottom.size(); ++i) {
      const bool is_last = i + 1 == data_.bottom.size();
      const std::int32_t levels = is_last ? 127 : 255;
      float scale = scale_of(magnitude(ranges_.bottom[i]), static_cast<float>(levels));
      const ScaledWeights weights(data_.bottom[i], scales, fmt::format("layer {} of the bottom MLP", i));
      numbers_.bottom.push_back(weights.quantized(zero_point, levels, scale));
      scales.assign(static_cast<std::size_t>(model_.bottom[i]), scale);
      zero_point = 0;
    }
    return scales.front();
  }

  std::vector<float> feature_scales() {
    std::vector<float> scales;
    for (std::size_t t = 0; t < model_.tables.size(); ++t) {
      const DlrmTable& table = model_.tables[t];
      const float largest = magnitude(ranges_.embeddings[t]);
      // Bags of several rows may be larger than any row; the margin is for rounding.
      const bool keeps =
          has_table_scale(table.format) && table.scale >= kSmallestScale && largest <= 127.5F * table.scale;
      scales.push_back(keeps ? table.scale : scale_of(largest, 127.0F));
      numbers_.keeps_rows.push_back(keeps);
      numbers_.feature_inverse_scale.push_back(1.0F / scales.back());
    }
    return scales;
  }

  /// Appends the scale of each product. A product that was small on the samples keeps room for a sixteenth of
  /// the largest; one whose scale were too small for its sums to be converted gets a larger one.
  void append_dots(float x_scale, const std::vector<float>& features, std::vector<float>& scales) {
    float largest = 0.0F;
    for (const ValueRange& range : ranges_.dots) largest = std::max(largest, magnitude(range));
    const double largest_sum = static_cast<double>(model_.dim) * 127 * 127;
    const std::size_t self = model_.interaction == Interaction::dot_with_self ? 1 : 0;
    const auto scale_of_vector = [&](std::size_t v) { return double{v == 0 ? x_scale : features[v - 1]}; };
    const ValueRange* range = ranges_.dots.data();
    for (std::size_t i = 0; i <= features.size(); ++i) {
      for (std::size_t j = 0; j < i + self; ++j, ++range) {
        const double unit = scale_of_vector(i) * scale_of_vector(j);
        scales.push_back(std::max(scale_of(std::max(magnitude(*range), largest / 16.0F), 127.0F),
                                  static_cast<float>(unit * largest_sum / kLargestResult)));
        numbers_.dot_multiplier.push_back(static_cast<float>(unit / double{scales.back()}));
      }
    }
  }

  void quantize_top(std::vector<float> scales) {
    for (std::size_t i = 0; i < data_.top.size(); ++i) {
      const bool is_last = i + 1 == data_.top.size();
      float scale = is_last ? 1.0F : scale_of(magnitude(ranges_.top[i]), 255.0F);
      const ScaledWeights weights(data_.top[i], scales, fmt::format("layer {} of the top MLP", i));
      numbers_.top.push_back(weights.quantized(0, 255, scale));
      scales.assign(static_cast<std::size_t>(model_.top[i]), scale);
    }
  }

  const DlrmData& data_;
  const DlrmModel& model_;
  const DlrmCalibration& ranges_;
  Int8Numbers numbers_;
};

}  // namespace

Int8Numbers int8_numbers(const DlrmData& data) {
  if (!data.model.calibration) {
    fail(ErrorCode::invalid_model, "'{}' is not calibrated: int8 needs the ranges of its activations",
         data.model.name);
  }
  return Quantizer(data).numbers();
}

}  // namespace octavo

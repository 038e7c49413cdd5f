#include "compiler/import/synthetic/resnet50.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "compiler/import/synthetic/generated_weights.h"

namespace octavo {
namespace {

/// Mean and variance of a tensor's real values, as they are to be expected.
struct Moments {
  double mean = 0.0;
  double variance = 1.0;
  [[nodiscard]] double deviation() const { return std::sqrt(variance); }
};

/// A value of the graph and what its numbers look like.
struct Activation {
  ValueId value = kNoValue;
  Moments moments;
};

/// The scale and zero point of a 7-bit range.
struct Range {
  double scale = 1.0;
  std::int64_t zero_point = 0;
};

constexpr int kQuanta = 127;
// So many deviations of a bell curve around the mean fit into a range.
constexpr double kDeviations = 4.0;
// The scales of a layer's channels are spread evenly over 1 -+ kScaleSpread times their mean, its biases over
// -+ kBiasSpread deviations of its sums. An even spread of -+ a has the variance a^2 / 3.
constexpr double kScaleSpread = 0.25;
constexpr double kBiasSpread = 0.2;

/// max(x, 0) of normally distributed x:
///   E = mean * P + s * p,  E(square) = (mean^2 + s^2) * P + mean * s * p
/// with P and p the normal distribution and density at mean / s.
Moments rectified(const Moments& x) {
  const double s = x.deviation();
  const double at = x.mean / s;
  const double below = 0.5 * std::erfc(-at / std::numbers::sqrt2);
  const double density = std::exp(-0.5 * at * at) / std::sqrt(2.0 * std::numbers::pi);
  const double mean = x.mean * below + s * density;
  const double square = (x.mean * x.mean + x.variance) * below + x.mean * s * density;
  return {mean, square - mean * mean};
}

Range rectified_range(const Moments& before_relu) {
  return {(before_relu.mean + kDeviations * before_relu.deviation()) / kQuanta, 0};
}

Range signed_range(const Moments& x) {
  return {2.0 * kDeviations * x.deviation() / kQuanta, (kQuanta + 1) / 2};
}

Attributes quantized_as(const Range& range, std::string_view activation) {
  return {{"scale", range.scale}, {"zero_point", range.zero_point}, {"activation", std::string(activation)}};
}

/// Appends layers to a graph, each with weights that give its result the variance asked for.
class Builder {
 public:
  Builder(Graph& graph, std::uint64_t seed) : graph_(graph), random_(seed) {}

  Activation quantized_input() {
    const ValueId x = graph_.add_input("x", {DType::f32, {Dim::batch(), {3}, {224}, {224}}, std::nullopt});
    // Photographs, normalized as torchvision does, lie in -2.12..2.64.
    const ValueId q = graph_.add(
        "quantize", {x}, {{"scale", 4.76 / kQuanta}, {"zero_point", std::int64_t{57}}}, "quant", "quant");
    return {q, {0.0, 1.0}};
  }

  Activation conv_relu(const Activation& x, std::int64_t oc, std::int64_t side, std::int64_t stride,
                       const std::string& name) {
    const Moments sums{0.0, 1.0};
    return {conv(x, oc, side, stride, sums, quantized_as(rectified_range(sums), "relu"), name),
            rectified(sums)};
  }

  Activation conv_only(const Activation& x, std::int64_t oc, std::int64_t stride, double variance,
                       const std::string& name) {
    const Moments sums{0.0, variance};
    return {conv(x, oc, 1, stride, sums, quantized_as(signed_range(sums), "none"), name), sums};
  }

  Activation add_relu(const Activation& a, const Activation& b, const std::string& name) {
    const Moments sum{a.moments.mean + b.moments.mean, a.moments.variance + b.moments.variance};
    const ValueId value =
        graph_.add("add", {a.value, b.value}, quantized_as(rectified_range(sum), "relu"), name, name);
    return {value, rectified(sum)};
  }

  /// 1x1, 3x3, 1x1 beside a shortcut.
  Activation bottleneck(const Activation& x, std::int64_t width, std::int64_t stride, bool widens,
                        const std::string& name) {
    const std::int64_t oc = 4 * width;
    const Activation narrow = conv_relu(x, width, 1, 1, name + ".conv1");
    const Activation middle = conv_relu(narrow, width, 3, stride, name + ".conv2");
    // The branch adds little to the shortcut, as in trained networks: the variance grows slowly with depth.
    const Activation branch = conv_only(middle, oc, 1, 0.25, name + ".conv3");
    const Activation shortcut = widens ? conv_only(x, oc, stride, 1.0, name + ".downsample") : x;
    return add_relu(branch, shortcut, name + ".add");
  }

  Activation max_pool(const Activation& x) {
    const Attributes attributes{{"kernel", std::vector<std::int64_t>{3, 3}},
                                {"stride", std::vector<std::int64_t>{2, 2}},
                                {"pad", std::vector<std::int64_t>{1, 1, 1, 1}}};
    return {graph_.add("max_pool2d", {x.value}, attributes, "maxpool", "maxpool"), x.moments};
  }

  ValueId average_pool(const Activation& x) {
    const ValueId pooled =
        graph_.add("adaptive_avg_pool2d", {x.value}, {{"output_size", std::vector<std::int64_t>{1, 1}}},
                   "avgpool", "avgpool");
    const Shape flat{Dim::batch(), graph_.type(pooled).shape[1]};
    return graph_.add("reshape", {pooled}, {{"shape", flat}}, "flatten", "flatten");
  }

  ValueId linear(const Activation& x, std::int64_t oc, const std::string& name) {
    const Moments sums{0.0, 1.0};
    const std::int64_t ic = graph_.type(x.value).shape[1].count;
    return graph_.add("linear", {x.value, weights({oc, ic}, x, sums, name), biases(oc, sums, name)},
                      quantized_as(signed_range(sums), "none"), name, name);
  }

 private:
  ValueId conv(const Activation& x, std::int64_t oc, std::int64_t side, std::int64_t stride,
               const Moments& sums, Attributes attributes, const std::string& name) {
    const std::int64_t ic = graph_.type(x.value).shape[1].count;
    attributes["stride"] = std::vector<std::int64_t>{stride, stride};
    attributes["pad"] = std::vector<std::int64_t>(4, side / 2);
    return graph_.add("conv2d",
                      {x.value, weights({oc, ic, side, side}, x, sums, name), biases(oc, sums, name)},
                      std::move(attributes), name, name);
  }

  /// Independent inputs of variance v under n weights of mean 0 and variance w give sums of variance n * v *
  /// w.
  ValueId weights(const std::vector<std::int64_t>& shape, const Activation& x, const Moments& sums,
                  const std::string& name) {
    const auto fan_in = static_cast<double>(element_count(shape) / shape[0]);
    const double from_inputs = sums.variance * (1.0 - kBiasSpread * kBiasSpread / 3.0);
    const double spread = 1.0 + kScaleSpread * kScaleSpread / 3.0;
    const double scale =
        std::sqrt(from_inputs / (fan_in * x.moments.variance * spread)) / kGeneratedDeviation;
    Quantization quantization{{}, std::vector<std::int32_t>(static_cast<std::size_t>(shape[0]), 0), 0};
    for (std::int64_t c = 0; c < shape[0]; ++c) {
      const double factor = 1.0 + kScaleSpread * (2.0 * random_.fraction() - 1.0);
      quantization.scales.push_back(static_cast<float>(scale * factor));
    }
    return graph_.add_constant(name + ".weight", generated_weights(shape, random_), std::move(quantization));
  }

  ValueId biases(std::int64_t count, const Moments& sums, const std::string& name) {
    return graph_.add_constant(name + ".bias",
                               generated_biases(count, kBiasSpread * sums.deviation(), random_));
  }

  Graph& graph_;
  RandomBits random_;
};

}  // namespace

Graph synthetic_resnet50(std::uint64_t seed) {
  struct Stage {
    std::int64_t width, blocks, stride;
  };
  constexpr Stage kStages[] = {{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}};

  Graph graph;
  graph.name = "resnet50_synthetic";
  Builder build(graph, seed);
  Activation x = build.max_pool(build.conv_relu(build.quantized_input(), 64, 7, 2, "conv1"));
  for (std::size_t s = 0; s < std::size(kStages); ++s) {
    for (std::int64_t b = 0; b < kStages[s].blocks; ++b) {
      const std::string name = fmt::format("layer{}.{}", s + 1, b);
      x = build.bottleneck(x, kStages[s].width, b == 0 ? kStages[s].stride : 1, b == 0, name);
    }
  }
  const ValueId logits = build.linear({build.average_pool(x), x.moments}, 1000, "fc");
  graph.outputs.push_back({"output", graph.add("dequantize", {logits}, {}, "dequant", "dequant")});
  return graph;
}

}  // namespace octavo

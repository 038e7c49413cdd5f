#include "compiler/passes/qdq_to_quantized.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/assert.h"
#include "compiler/graph/op.h"

namespace octavo {
namespace {

/// Exporters compute a bias's scale in other precisions than f32(scale(x) * scale(w)).
constexpr float kScaleTolerance = 1e-5F;
/// How far a clamp's bound may lie inside the quantized range and still change nothing that rounds to it.
constexpr double kBoundTolerance = 1e-5;

class QdqRewrite {
 public:
  explicit QdqRewrite(Graph& graph)
      : graph_(graph), producers_(graph.values().size(), -1), uses_(graph.values().size(), 0) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      producers_[at(graph.nodes()[i].output)] = static_cast<std::ptrdiff_t>(i);
      for (ValueId id : graph.nodes()[i].inputs) {
        if (id != kNoValue) ++uses_[at(id)];
      }
    }
    for (const GraphOutput& output : graph.outputs) ++uses_[at(output.value)];
  }

  bool run() {
    bool changed = false;
    for (Node& node : graph_.nodes()) {
      if (node.op->name != "quantize" || node.text("arithmetic") != "ort") continue;
      changed = drop_covered_clamp(node) || changed;
      changed = rewrite(node) || changed;
    }
    changed = graph_.remove_dead() || changed;
    return dequantize_constants() || changed;
  }

 private:
  static std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }

  /// The node that computes `id`; nullptr when none did when the pass began.
  const Node* producer(ValueId id) const {
    if (id == kNoValue || at(id) >= producers_.size() || producers_[at(id)] < 0) return nullptr;
    return &graph_.nodes()[static_cast<std::size_t>(producers_[at(id)])];
  }

  /// The 8-bit integers behind a dequantize, quantized as a whole tensor; kNoValue when there are none.
  ValueId activation(ValueId real) const {
    const ValueId id = integers(real);
    if (id == kNoValue || graph_.type(id).dtype == DType::s32) return kNoValue;
    return graph_.type(id).quantization->is_per_tensor() ? id : kNoValue;
  }

  ValueId integers(ValueId real) const {
    const Node* node = producer(real);
    return node != nullptr && node->op->name == "dequantize" ? node->inputs[0] : kNoValue;
  }

  const Quantization& quantization(ValueId id) const { return *graph_.type(id).quantization; }

  bool drop_covered_clamp(Node& quantize) {
    bool changed = false;
    for (const Node* clamp = producer(quantize.inputs[0]); clamp != nullptr;
         clamp = producer(quantize.inputs[0])) {
      const bool is_relu = clamp->op->name == "relu";
      if ((!is_relu && clamp->op->name != "clip") || uses_[at(clamp->output)] != 1) break;
      const double lo = is_relu ? 0.0 : clamp->real("lo");
      const double hi = is_relu ? static_cast<double>(INFINITY) : clamp->real("hi");
      const auto& [least, most] = real_range(graph_.type(quantize.output));
      if (lo > least + kBoundTolerance || hi < most - kBoundTolerance) break;
      quantize.inputs[0] = clamp->inputs[0];
      changed = true;
    }
    return changed;
  }

  static std::pair<double, double> real_range(const TensorType& type) {
    const double lowest = type.dtype == DType::s8 ? -128.0 : 0.0;
    const double scale = static_cast<double>(type.quantization->scale());
    const double zero_point = type.quantization->zero_point();
    return {(lowest - zero_point) * scale, (lowest + 255.0 - zero_point) * scale};
  }

  bool rewrite(Node& quantize) {
    const Node* op = producer(quantize.inputs[0]);
    if (op == nullptr) return false;
    if (op->op->name == "dequantize") return requantize(quantize, op->inputs[0]);
    if (uses_[at(op->output)] != 1) return false;
    const std::string_view name = op->op->name;
    if (name == "conv2d" || name == "linear") return rewrite_weighted(quantize, *op, op->input(2));
    if (name == "add" && rewrite_biased_linear(quantize, *op)) return true;
    if (name == "add" || name == "mul") return rewrite_binary(quantize, *op);
    if (name == "adaptive_avg_pool2d" || name == "avg_pool2d") return rewrite_average(quantize, *op);
    if (name == "sigmoid" || name == "leaky_relu" || name == "cat") return rewrite_each(quantize, *op);
    return rewrite_moving(quantize, *op);
  }

  /// The quantize node becomes `op` on integers, with its own result type.
  bool become(Node& quantize, const Node& op, std::vector<ValueId> inputs, const Attributes& more = {}) {
    Attributes attributes = op.attributes;
    for (const auto& [key, value] : quantize.attributes) attributes.insert_or_assign(key, value);
    for (const auto& [key, value] : more) attributes.insert_or_assign(key, value);
    return replace(quantize, op, std::move(inputs), std::move(attributes));
  }

  bool replace(Node& quantize, const Node& op, std::vector<ValueId> inputs, Attributes attributes) {
    quantize.op = op.op;
    quantize.inputs = std::move(inputs);
    quantize.attributes = std::move(attributes);
    quantize.origin = op.origin;
    OCTAVO_ASSERT(quantize.op->infer(OpInputs(graph_, quantize)) == graph_.type(quantize.output));
    return true;
  }

  bool requantize(Node& quantize, ValueId source) {
    if (activation(quantize.inputs[0]) == kNoValue) return false;
    if (graph_.type(source) == graph_.type(quantize.output)) {
      graph_.replace_uses(quantize.output, source);
      return true;
    }
    quantize.op = find_op("requantize");
    quantize.inputs = {source};
    return true;
  }

  bool rewrite_weighted(Node& quantize, const Node& op, ValueId real_bias) {
    const ValueId x = activation(op.inputs[0]);
    const ValueId w = integers(op.inputs[1]);
    if (x == kNoValue || w == kNoValue || op.text("activation") != "none") return false;
    const TensorType& weights = graph_.type(w);
    if (!graph_.value(w).constant || weights.dtype == DType::s32) return false;
    if (!weights.quantization->is_per_tensor() && weights.quantization->axis != 0) return false;
    ValueId bias = kNoValue;
    if (real_bias != kNoValue) {
      bias = integer_bias(real_bias, sum_quantization(x, w));
      if (bias == kNoValue) return false;
    }
    return become(quantize, op, {x, w, bias});
  }

  /// What the sums of x * w mean: f32(scale(x) * scale(w)), zero point 0.
  Quantization sum_quantization(ValueId x, ValueId w) const {
    Quantization sums = quantization(w);
    for (float& scale : sums.scales) scale *= quantization(x).scale();
    sums.zero_points.assign(sums.scales.size(), 0);
    if (!sums.is_per_tensor()) sums.axis = 0;
    return sums;
  }

  /// The bias as s32 in units of the sums: the constant itself, or what ONNX Runtime makes of one in f32.
  ValueId integer_bias(ValueId real, const Quantization& sums) {
    const std::optional<Tensor>& data = graph_.value(real).constant;
    if (data && data->dtype() == DType::f32) return quantized_bias(real, sums);
    const ValueId id = integers(real);
    if (id == kNoValue || graph_.type(id).dtype != DType::s32 || !graph_.value(id).constant) return kNoValue;
    if (!fits(quantization(id), sums)) return kNoValue;
    return quantization(id) == sums
               ? id
               : graph_.add_constant(graph_.value(id).name, Tensor(*graph_.value(id).constant), sums);
  }

  static bool fits(const Quantization& bias, const Quantization& sums) {
    for (std::size_t i = 0; i < std::max(bias.scales.size(), sums.scales.size()); ++i) {
      const float own = bias.scales[bias.is_per_tensor() ? 0 : i];
      const float expected = sums.scales[sums.is_per_tensor() ? 0 : i];
      if (std::abs(own - expected) > kScaleTolerance * expected) return false;
    }
    return std::all_of(bias.zero_points.begin(), bias.zero_points.end(),
                       [](std::int32_t z) { return z == 0; });
  }

  /// rint(bias / scale of the sums)
  ValueId quantized_bias(ValueId real, const Quantization& sums) {
    const Tensor& values = *graph_.value(real).constant;
    Tensor integers(DType::s32, values.shape());
    for (std::size_t i = 0; i < static_cast<std::size_t>(values.elements()); ++i) {
      const float rounded = std::nearbyint(values.as<float>()[i] / sums.scales[sums.is_per_tensor() ? 0 : i]);
      if (!(std::abs(rounded) < 0x1p31F)) return kNoValue;
      integers.as<std::int32_t>()[i] = static_cast<std::int32_t>(rounded);
    }
    return graph_.add_constant(graph_.value(real).name, std::move(integers), sums);
  }

  /// MatMul + bias, which ONNX Runtime makes one Gemm.
  bool rewrite_biased_linear(Node& quantize, const Node& add) {
    for (std::size_t i : {0U, 1U}) {
      const Node* linear = producer(add.inputs[i]);
      if (linear == nullptr || linear->op->name != "linear" || linear->input(2) != kNoValue) continue;
      const Shape& shape = graph_.type(linear->output).shape;
      const ValueId bias = add.inputs[1 - i];
      if (uses_[at(linear->output)] != 1 || shape.size() != 2 || graph_.type(bias).shape != Shape{shape[1]})
        continue;
      if (rewrite_weighted(quantize, *linear, bias)) return true;
    }
    return false;
  }

  bool rewrite_binary(Node& quantize, const Node& op) {
    const ValueId a = activation(op.inputs[0]);
    const ValueId b = activation(op.inputs[1]);
    if (a == kNoValue || b == kNoValue || op.text("activation") != "none") return false;
    if (repeats_inside(graph_.type(a).shape, graph_.type(b).shape)) return become(quantize, op, {b, a});
    return become(quantize, op, {a, b});
  }

  /// Whether `a` is one value along the innermost extents in which `b` is not; ONNX Runtime swaps the two
  /// then.
  static bool repeats_inside(const Shape& a, const Shape& b) {
    for (std::size_t back = 1; back <= b.size(); ++back) {
      const Dim own = back <= a.size() ? a[a.size() - back] : Dim{1, false};
      if (own != b[b.size() - back]) return own == Dim{1, false};
      if (own != Dim{1, false}) return false;
    }
    return false;
  }

  bool rewrite_average(Node& quantize, const Node& op) {
    const ValueId x = activation(op.inputs[0]);
    if (x == kNoValue) return false;
    if (op.op->name == "adaptive_avg_pool2d" && op.integers("output_size") != std::vector<std::int64_t>{1, 1})
      return false;
    return become(quantize, op, {x}, {{"rounding", std::string("ort")}});
  }

  /// Every input dequantized, each with a scale of its own.
  bool rewrite_each(Node& quantize, const Node& op) {
    std::vector<ValueId> inputs;
    for (ValueId real : op.inputs) inputs.push_back(activation(real));
    if (std::find(inputs.begin(), inputs.end(), kNoValue) != inputs.end()) return false;
    return become(quantize, op, std::move(inputs));
  }

  /// Operators that only move or select values, between equal quantizations. ONNX Runtime keeps some of them
  /// in float (pad, relu, clip, reduce_max, expand), which gives the same integers.
  bool rewrite_moving(Node& quantize, const Node& op) {
    static const std::set<std::string_view> moving{"max_pool2d", "reshape", "transpose",  "slice",  "gather",
                                                   "pad",        "relu",    "reduce_max", "expand", "clip"};
    if (!moving.contains(op.op->name)) return false;
    const ValueId x = activation(op.inputs[0]);
    const TensorType& result = graph_.type(quantize.output);
    if (x == kNoValue || graph_.type(x).dtype != result.dtype || quantization(x) != *result.quantization)
      return false;
    std::vector<ValueId> inputs = op.inputs;
    inputs[0] = x;
    Attributes attributes = op.attributes;
    for (const char* real : {"value", "lo", "hi"}) {
      const bool has_it = std::any_of(op.op->attributes.begin(), op.op->attributes.end(),
                                      [real](const AttributeDef& def) { return def.name == real; });
      if (has_it) attributes.insert_or_assign(real, static_cast<double>(stored(op.real(real), result)));
    }
    return replace(quantize, op, std::move(inputs), std::move(attributes));
  }

  /// The integer that stands for `real`.
  static std::int64_t stored(double real, const TensorType& type) {
    const std::int64_t lowest = type.dtype == DType::s8 ? -128 : 0;
    const float rounded = std::nearbyint(static_cast<float>(real) / type.quantization->scale());
    const float inside = std::clamp(rounded, -512.0F, 512.0F);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(inside) + type.quantization->zero_point(),
                                    lowest, lowest + 255);
  }

  bool dequantize_constants() {
    bool changed = false;
    for (Node& node : graph_.nodes()) {
      if (node.op->name != "dequantize" || !graph_.value(node.inputs[0]).constant) continue;
      graph_.value(node.output).constant = dequantized(graph_.value(node.inputs[0]));
      changed = true;
    }
    std::erase_if(graph_.nodes(),
                  [this](const Node& node) { return graph_.value(node.output).constant.has_value(); });
    graph_.remove_dead();
    return changed;
  }

  static std::int32_t element(const Tensor& data, std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    if (data.dtype() == DType::u8) return data.as<std::uint8_t>()[at];
    if (data.dtype() == DType::s8) return data.as<std::int8_t>()[at];
    OCTAVO_ASSERT(data.dtype() == DType::s32);
    return data.as<std::int32_t>()[at];
  }

  /// f32(q - zero_point) * scale
  static Tensor dequantized(const Value& source) {
    const Tensor& data = *source.constant;
    const Quantization& q = *source.type.quantization;
    std::int64_t inner = 1;
    for (std::size_t i = static_cast<std::size_t>(q.axis + 1); !q.is_per_tensor() && i < data.shape().size();
         ++i) {
      inner *= data.shape()[i];
    }
    Tensor result(DType::f32, data.shape());
    const auto channels = static_cast<std::int64_t>(q.scales.size());
    for (std::int64_t i = 0; i < data.elements(); ++i) {
      const auto channel = static_cast<std::size_t>(q.is_per_tensor() ? 0 : i / inner % channels);
      const std::int64_t distance = std::int64_t{element(data, i)} - q.zero_points[channel];
      result.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(distance) * q.scales[channel];
    }
    return result;
  }

  Graph& graph_;
  std::vector<std::ptrdiff_t> producers_;
  std::vector<int> uses_;
};

}  // namespace

bool qdq_to_quantized(Graph& graph) { return QdqRewrite(graph).run(); }

}  // namespace octavo

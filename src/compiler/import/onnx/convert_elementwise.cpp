#include <algorithm>
#include <array>
#include <cmath>

#include "base/assert.h"
#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"

namespace octavo::onnx_import {
namespace {

struct Names {
  std::string_view onnx;
  std::string_view graph;
};

constexpr std::array<Names, 24> kSameMeaning{{{"Relu", "relu"},         {"Sigmoid", "sigmoid"},
                                              {"Tanh", "tanh"},         {"HardSwish", "hardswish"},
                                              {"Sqrt", "sqrt"},         {"Exp", "exp"},
                                              {"Log", "log"},           {"Neg", "neg"},
                                              {"Abs", "abs"},           {"Erf", "erf"},
                                              {"Floor", "floor"},       {"Ceil", "ceil"},
                                              {"Round", "round"},       {"Reciprocal", "reciprocal"},
                                              {"Softplus", "softplus"}, {"Add", "add"},
                                              {"Sub", "sub"},           {"Mul", "mul"},
                                              {"Div", "div"},           {"Max", "maximum"},
                                              {"Min", "minimum"},       {"Sum", "add"},
                                              {"Mean", "add"},          {"Pow", "pow"}}};

std::string_view graph_name(std::string_view onnx) {
  const auto* found = std::find_if(kSameMeaning.begin(), kSameMeaning.end(),
                                   [onnx](const Names& n) { return n.onnx == onnx; });
  OCTAVO_ASSERT(found != kSameMeaning.end());
  return found->graph;
}

void convert_unary(OnnxNode& node) { node.finish(graph_name(node.op()), {node.value(0)}); }

ValueId cast(OnnxNode& node, ValueId value, DType to) {
  return node.step("cast", {value}, {{"to", std::string(dtype_name(to))}});
}

/// Narrow integers that are plain numbers are computed with as s32.
bool is_narrow(DType dtype) {
  return dtype == DType::u8 || dtype == DType::s8 || dtype == DType::u16 || dtype == DType::s16;
}

ValueId combine(OnnxNode& node, ValueId a, ValueId b) {
  const DType dtype = node.graph().type(a).dtype;
  if (!is_narrow(dtype) || node.graph().type(b).dtype != dtype)
    return node.step(graph_name(node.op()), {a, b});
  const ValueId wide =
      node.step(graph_name(node.op()), {cast(node, a, DType::s32), cast(node, b, DType::s32)});
  return cast(node, wide, dtype);
}

void convert_binary(OnnxNode& node) {
  if (is_narrow(node.type(0).dtype)) return node.give(combine(node, node.value(0), node.value(1)));
  node.finish(graph_name(node.op()), {node.value(0), node.value(1)});
}

/// Max, Min, Sum, Mean of any number of tensors, from the first to the last.
void convert_variadic(OnnxNode& node) {
  if (node.inputs() == 0) fail(ErrorCode::invalid_model, "no inputs");
  ValueId result = node.value(0);
  for (std::size_t i = 1; i < node.inputs(); ++i) result = combine(node, result, node.value(i));
  if (node.op() == "Mean")
    result = node.step("div", {result, node.constant(static_cast<float>(node.inputs()))});
  node.give(result);
}

/// The exponent may have another type than the base.
void convert_pow(OnnxNode& node) {
  const ValueId base = node.value(0);
  ValueId exponent = node.value(1);
  const DType dtype = node.graph().type(base).dtype;
  if (node.graph().type(exponent).dtype != dtype) {
    exponent = cast(node, exponent, dtype);
  }
  node.finish("pow", {base, exponent});
}

void convert_leaky_relu(OnnxNode& node) {
  node.finish("leaky_relu", {node.value(0)}, {{"alpha", node.real("alpha", 0.01F)}});
}

void convert_elu(OnnxNode& node) {
  node.finish("elu", {node.value(0)}, {{"alpha", node.real("alpha", 1.0)}});
}

void convert_hard_sigmoid(OnnxNode& node) {
  node.finish("hardsigmoid", {node.value(0)},
              {{"alpha", node.real("alpha", 0.2F)}, {"beta", node.real("beta", 0.5)}});
}

/// max(x, 0) + slope * min(x, 0)
void convert_prelu(OnnxNode& node) {
  const ValueId zero = node.constant(0.0F);
  const ValueId below = node.step("mul", {node.value(1), node.step("minimum", {node.value(0), zero})});
  node.finish("add", {node.step("maximum", {node.value(0), zero}), below});
}

/// x / 2 * (1 + erf(x / sqrt(2)))
void convert_gelu(OnnxNode& node) {
  if (node.text("approximate", "none") != "none") {
    fail(ErrorCode::unsupported, "attribute 'approximate' is '{}'", node.text("approximate", ""));
  }
  const ValueId x = node.value(0);
  const ValueId scaled = node.step("mul", {x, node.constant(static_cast<float>(1.0 / std::sqrt(2.0)))});
  const ValueId sum = node.step("add", {node.step("erf", {scaled}), node.constant(1.0F)});
  node.finish("mul", {node.step("mul", {x, node.constant(0.5F)}), sum});
}

/// Bounds are attributes before opset 11, then inputs, which a model may even compute.
void convert_clip(OnnxNode& node) {
  Attributes attributes;
  ValueId x = node.value(0);
  if (node.opset() < 11) {
    attributes = {{"lo", node.real("min", -INFINITY)}, {"hi", node.real("max", INFINITY)}};
    return node.finish("clip", {x}, attributes);
  }
  for (std::size_t i : {1U, 2U}) {
    if (!node.has(i)) continue;
    const auto bound = known_scalar(node, i, i == 1 ? "min" : "max");
    if (bound) attributes[i == 1 ? "lo" : "hi"] = *bound;
    if (!bound) x = node.step(i == 1 ? "maximum" : "minimum", {x, node.value(i)});
  }
  if (attributes.empty()) return node.give(x);
  node.finish("clip", {x}, attributes);
}

void convert_batchnorm(OnnxNode& node) {
  node.expect("training_mode", 0);
  node.expect("spatial", 1);
  node.ignore("momentum");
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < 5; ++i) inputs.push_back(node.value(i));
  node.finish("batchnorm", inputs, {{"eps", node.real("epsilon", 1e-5F)}});
}

constexpr std::array<Converter, 32> kConverters{{{"", "Relu", convert_unary},
                                                 {"", "Sigmoid", convert_unary},
                                                 {"", "Tanh", convert_unary},
                                                 {"", "HardSwish", convert_unary},
                                                 {"", "Sqrt", convert_unary},
                                                 {"", "Exp", convert_unary},
                                                 {"", "Log", convert_unary},
                                                 {"", "Neg", convert_unary},
                                                 {"", "Abs", convert_unary},
                                                 {"", "Erf", convert_unary},
                                                 {"", "Floor", convert_unary},
                                                 {"", "Ceil", convert_unary},
                                                 {"", "Round", convert_unary},
                                                 {"", "Reciprocal", convert_unary},
                                                 {"", "Softplus", convert_unary},
                                                 {"", "Add", convert_binary},
                                                 {"", "Sub", convert_binary},
                                                 {"", "Mul", convert_binary},
                                                 {"", "Div", convert_binary},
                                                 {"", "Max", convert_variadic},
                                                 {"", "Min", convert_variadic},
                                                 {"", "Sum", convert_variadic},
                                                 {"", "Mean", convert_variadic},
                                                 {"", "Pow", convert_pow},
                                                 {"", "LeakyRelu", convert_leaky_relu},
                                                 {"", "Elu", convert_elu},
                                                 {"", "HardSigmoid", convert_hard_sigmoid},
                                                 {"", "PRelu", convert_prelu},
                                                 {"", "Gelu", convert_gelu},
                                                 {kMicrosoft, "Gelu", convert_gelu},
                                                 {"", "Clip", convert_clip},
                                                 {"", "BatchNormalization", convert_batchnorm}}};

}  // namespace

std::span<const Converter> elementwise_converters() { return kConverters; }

}  // namespace octavo::onnx_import

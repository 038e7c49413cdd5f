#include <array>
#include <numeric>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/parameters.h"

namespace octavo::onnx_import {
namespace {

std::string_view graph_name(const std::string& op) {
  if (op == "ReduceMean") return "mean";
  if (op == "ReduceSum") return "sum";
  return op == "ReduceMax" ? "reduce_max" : "reduce_min";
}

void convert_reduce(OnnxNode& node) {
  const bool keep = node.integer("keepdims", 1) != 0;
  const bool noop = node.integer("noop_with_empty_axes", 0) != 0;
  Ints axes = read_axes(node).value_or(Ints{});
  if (axes.empty() && noop) return node.give_input();
  if (axes.empty()) {
    axes.resize(node.shape(0).size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  node.finish(graph_name(node.op()), {node.value(0)}, {{"axes", axes}, {"keep", std::int64_t{keep}}});
}

/// Over one axis since opset 13; before, over all from `axis` on as if they were one.
void convert_softmax(OnnxNode& node) {
  const std::string_view op = node.op() == "Softmax" ? "softmax" : "log_softmax";
  const Shape shape = node.shape(0);
  const ValueId x = node.value(0);
  if (node.opset() >= 13) return node.finish(op, {x}, {{"axis", node.integer("axis", -1)}});
  const std::size_t axis = OnnxNode::axis(node.integer("axis", 1), shape.size());
  if (axis + 1 == shape.size()) return node.finish(op, {x}, {{"axis", std::int64_t{-1}}});
  const auto middle = shape.begin() + static_cast<std::ptrdiff_t>(axis);
  const Shape matrix{element_count(Shape(shape.begin(), middle)), element_count(Shape(middle, shape.end()))};
  const ValueId flat = node.step("reshape", {x}, {{"shape", matrix}});
  node.finish("reshape", {node.step(op, {flat}, {{"axis", std::int64_t{1}}})}, {{"shape", shape}});
}

constexpr std::array<Converter, 6> kConverters{{{"", "ReduceMean", convert_reduce},
                                                {"", "ReduceSum", convert_reduce},
                                                {"", "ReduceMax", convert_reduce},
                                                {"", "ReduceMin", convert_reduce},
                                                {"", "Softmax", convert_softmax},
                                                {"", "LogSoftmax", convert_softmax}}};

}  // namespace

std::span<const Converter> reduce_converters() { return kConverters; }

}  // namespace octavo::onnx_import

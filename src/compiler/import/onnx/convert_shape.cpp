#include <algorithm>
#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/parameters.h"

namespace octavo::onnx_import {
namespace {

void convert_reshape(OnnxNode& node) {
  const Shape shape = node.shape(0);
  node.finish("reshape", {node.value(0)}, {{"shape", read_new_shape(node, shape)}});
}

void convert_transpose(OnnxNode& node) {
  Ints reversed;
  for (std::size_t i = node.shape(0).size(); i-- > 0;) reversed.push_back(static_cast<std::int64_t>(i));
  node.finish("transpose", {node.value(0)}, {{"perm", node.integers("perm", reversed)}});
}

void convert_concat(OnnxNode& node) {
  if (!node.has_attribute("axis")) fail(ErrorCode::invalid_model, "attribute 'axis' is missing");
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < node.inputs(); ++i) parts.push_back(node.value(i));
  node.finish("cat", parts, {{"axis", node.integer("axis", 0)}});
}

void convert_expand(OnnxNode& node) {
  const auto shape = node.known(1);
  if (!shape || shape->rank() != 1)
    fail(ErrorCode::unsupported, "'shape' is not known when the model is compiled");
  node.finish("expand", {node.value(0)}, {{"shape", Shape(shape->values)}});
}

/// Negative indices count from the back; those that are known now are checked and made plain.
ValueId plain_indices(OnnxNode& node, Dim extent) {
  const auto indices = node.is_constant(1) ? node.known(1) : std::nullopt;
  if (!indices) return node.value(1);
  Known plain = *indices;
  plain.dtype = DType::s64;
  for (Dim& index : plain.values) {
    if (index.count < 0) index.count += extent.count;
    if (index.count < 0 || index.count >= extent.count) {
      fail(ErrorCode::invalid_model, "index {} of an extent of {}", index.count, dim_text(extent));
    }
  }
  return node.constant(to_tensor(plain));
}

void convert_gather(OnnxNode& node) {
  const Shape shape = node.shape(0);
  const std::size_t axis = OnnxNode::axis(node.integer("axis", 0), shape.size());
  if (shape[axis].per_image) fail(ErrorCode::unsupported, "Gather along the batch");
  ValueId indices = plain_indices(node, shape[axis]);
  if (node.graph().type(indices).dtype == DType::s32)
    indices = node.step("cast", {indices}, {{"to", std::string("s64")}});
  node.finish("gather", {node.value(0), indices}, {{"axis", static_cast<std::int64_t>(axis)}});
}

struct Blocks {
  Shape shape;
  std::int64_t size;
};

Blocks read_blocks(OnnxNode& node) {
  const Blocks blocks{node.shape(0), node.integer("blocksize", 0)};
  if (blocks.shape.size() != 4 || blocks.size < 1 || blocks.size > 65535) {
    fail(ErrorCode::invalid_model, "'blocksize' is {} for {}", blocks.size, shape_text(blocks.shape));
  }
  return blocks;
}

/// [n, b*b*c, h, w] -> [n, c, h*b, w*b]
void convert_depth_to_space(OnnxNode& node) {
  const auto [s, b] = read_blocks(node);
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") fail(ErrorCode::invalid_model, "'mode' is '{}'", mode);
  if (s[1].count % (b * b) != 0) fail(ErrorCode::invalid_model, "'blocksize' is {} for {}", b, shape_text(s));
  const Dim block{b, false};
  const Dim depth{s[1].count / (b * b), false};
  const Shape split = mode == "DCR" ? Shape{s[0], block, block, depth, s[2], s[3]}
                                    : Shape{s[0], depth, block, block, s[2], s[3]};
  const Ints perm = mode == "DCR" ? Ints{0, 3, 4, 1, 5, 2} : Ints{0, 1, 4, 2, 5, 3};
  const ValueId moved =
      node.step("transpose", {node.step("reshape", {node.value(0)}, {{"shape", split}})}, {{"perm", perm}});
  node.finish("reshape", {moved},
              {{"shape", Shape{s[0], depth, {s[2].count * b, false}, {s[3].count * b, false}}}});
}

/// [n, c, h*b, w*b] -> [n, b*b*c, h, w]
void convert_space_to_depth(OnnxNode& node) {
  const auto [s, b] = read_blocks(node);
  if (s[2].count % b != 0 || s[3].count % b != 0)
    fail(ErrorCode::invalid_model, "'blocksize' is {} for {}", b, shape_text(s));
  const Dim block{b, false};
  const Dim height{s[2].count / b, false};
  const Dim width{s[3].count / b, false};
  const Shape split{s[0], s[1], height, block, width, block};
  const ValueId moved = node.step("transpose", {node.step("reshape", {node.value(0)}, {{"shape", split}})},
                                  {{"perm", Ints{0, 3, 5, 1, 2, 4}}});
  node.finish("reshape", {moved}, {{"shape", Shape{s[0], {s[1].count * b * b, false}, height, width}}});
}

constexpr std::array<Converter, 10> kConverters{{{"", "Reshape", convert_reshape},
                                                 {"", "Flatten", convert_reshape},
                                                 {"", "Squeeze", convert_reshape},
                                                 {"", "Unsqueeze", convert_reshape},
                                                 {"", "Transpose", convert_transpose},
                                                 {"", "Concat", convert_concat},
                                                 {"", "Expand", convert_expand},
                                                 {"", "Gather", convert_gather},
                                                 {"", "DepthToSpace", convert_depth_to_space},
                                                 {"", "SpaceToDepth", convert_space_to_depth}}};

}  // namespace

std::span<const Converter> shape_converters() { return kConverters; }

}  // namespace octavo::onnx_import

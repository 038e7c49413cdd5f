#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

using Ints = std::vector<std::int64_t>;

/// PyTorch's and ONNX's rule; with ceil_mode a last window that would start in the padding behind is dropped.
std::int64_t window_count(std::int64_t in, std::int64_t before, std::int64_t after, std::int64_t kernel,
                          std::int64_t stride, std::int64_t dilation, bool ceil_mode) {
  const std::int64_t span = in + before + after - dilation * (kernel - 1) - 1;
  if (span < 0) {
    fail(ErrorCode::invalid_model, "pooling window {} is larger than the padded input {}", kernel,
         in + before + after);
  }
  std::int64_t count = (span + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  if (ceil_mode && (count - 1) * stride >= in + before) --count;
  return count;
}

void check_list(const Node& node, std::string_view name, std::size_t count, std::int64_t least) {
  const Ints& values = node.integers(name);
  if (values.size() != count) {
    fail(ErrorCode::invalid_model, "'{}' has {} entries, expected {}", name, values.size(), count);
  }
  for (std::int64_t v : values) {
    if (v < least || v > 65535) fail(ErrorCode::invalid_model, "'{}' holds {}", name, v);
  }
}

TensorType infer_pool(const OpInputs& in) {
  expect_rank(in, 0, 4);
  const Node& node = in.node();
  check_list(node, "kernel", 2, 1);
  check_list(node, "stride", 2, 1);
  check_list(node, "pad", 4, 0);
  check_list(node, "dilation", 2, 1);
  const Ints& kernel = node.integers("kernel");
  const Ints& stride = node.integers("stride");
  const Ints& pad = node.integers("pad");
  const Ints& dilation = node.integers("dilation");
  const bool ceil_mode = node.integer("ceil_mode") != 0;
  TensorType type = in.type(0);
  for (std::size_t d = 0; d < 2; ++d) {
    if (type.shape[2 + d].per_image)
      fail(ErrorCode::unsupported, "pooling over the batch: {}", shape_text(type.shape));
    type.shape[2 + d].count = window_count(type.shape[2 + d].count, pad[d], pad[d + 2], kernel[d], stride[d],
                                           dilation[d], ceil_mode);
  }
  return type;
}

TensorType infer_avg_pool(const OpInputs& in) {
  TensorType type = infer_pool(in);
  if (!in.node().has("scale")) return type;
  return result_type(in, type.shape);
}

TensorType infer_adaptive(const OpInputs& in) {
  expect_rank(in, 0, 4);
  check_list(in.node(), "output_size", 2, 1);
  const Ints& size = in.node().integers("output_size");
  TensorType type = in.type(0);
  type.shape[2].count = size[0];
  type.shape[3].count = size[1];
  if (!in.node().has("scale")) return type;
  return result_type(in, type.shape);
}

std::vector<AttributeDef> window_attributes() {
  return {required("kernel", AttributeKind::integers),
          required("stride", AttributeKind::integers),
          {"pad", AttributeKind::integers, Ints{0, 0, 0, 0}},
          {"dilation", AttributeKind::integers, Ints{1, 1}},
          {"ceil_mode", AttributeKind::integer, std::int64_t{0}}};
}

/// How an average of quantized values rounds (FACTS of docs/numerics.md): what PyTorch does with a
/// channels-last tensor, what it does with a contiguous one, and what ONNX Runtime does.
AttributeDef rounding() { return {"rounding", AttributeKind::text, std::string("channels_last")}; }

}  // namespace

/// max_pool2d, avg_pool2d(x [n, c, h, w]), pad = top, left, bottom, right; adaptive_avg_pool2d to
/// output_size. Results keep the input's quantization unless `scale` gives another.
std::vector<OpDef> pool_ops() {
  return {
      {"max_pool2d", 1, 1, window_attributes(), infer_pool},
      {"avg_pool2d", 1, 1,
       join(join(window_attributes(),
                 {{"count_include_pad", AttributeKind::integer, std::int64_t{0}}, rounding()}),
            quantized_result_attributes()),
       infer_avg_pool},
      {"adaptive_avg_pool2d", 1, 1,
       join({required("output_size", AttributeKind::integers), rounding()}, quantized_result_attributes()),
       infer_adaptive}};
}

}  // namespace octavo::ops

#pragma once
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "compiler/graph/graph.h"

namespace octavo {

/// Replaces every node whose inputs are all constant by its value.
bool fold_constants(Graph& graph);

/// Folds a batch-norm with constant parameters into the convolution or linear layer before it.
///   before:  y = gamma * (conv(x, w) + b - mean) / sqrt(var + eps) + beta
///   after:   y = conv(x, w * a) + (b - mean) * a + beta     with a = gamma / sqrt(var + eps)
/// Leaves the pair alone when somebody else reads the convolution's result.
bool fold_batchnorm(Graph& graph);

/// Turns every batch-norm that is left into elementwise operators, since no kernel computes one.
bool decompose_batchnorm(Graph& graph);

/// Stores as u8, with a zero point greater by 128, what an ONNX model quantizes to s8 and reads as reals: the
/// same reals, which most kernels read where they are. All of a graph's s8 tensors but weights, or none:
/// operators want operands and results of one dtype. ONNX Runtime does so on x86 where a tensor has one
/// reader.
///   before:  q = quantize(x) scale=.1 zero_point=-3 dtype=s8
///            y = dequantize(q)
///   after:   q = quantize(x) scale=.1 zero_point=125
///            y = dequantize(q)
bool unsigned_activations(Graph& graph);

/// Turns constant padding of an image, with what the convolution would pad with, into the convolution's own
/// padding.
bool fold_pad(Graph& graph);

/// Turns relu and clip behind conv2d, conv2d_add, linear or add into their activation.
///   before:  y = relu(conv2d(x, w))     after:  y = conv2d(x, w) activation=relu
bool fuse_activation(Graph& graph);

/// Turns the addition of a convolution's result and another tensor into one operator, which keeps the sum in
/// registers.
///   before:  y = add(conv2d(x, w, b), r)     after:  y = conv2d_add(x, w, r, b)
bool fuse_residual_add(Graph& graph);

/// Orders the nodes so that results are read soon after they are computed: of a node's operands the one with
/// the longest way from the inputs comes first, a short way beside it just before the node.
///   before:  d = conv2d(x, v)  c = conv2d(x, w)  e = conv2d(c, u)  y = add(e, d)
///   after:   c = conv2d(x, w)  e = conv2d(c, u)  d = conv2d(x, v)  y = add(e, d)
bool order_nodes(Graph& graph);

/// One pass and what it is called in --disable-pass, --dump-after and messages.
struct PassDef {
  std::string_view name;
  bool (*run)(Graph&);
  bool is_optional;  ///< whether the graph can be lowered without it
};

/// The optimiser: every pass, in the order in which they run.
std::span<const PassDef> all_passes();

/// How `run_passes` goes about it.
struct PassOptions {
  std::set<std::string, std::less<>> disabled;
  /// Called after each pass that changed something (and once before the first, with pass = "import").
  std::function<void(std::string_view pass, const Graph&, double milliseconds)> after;
};

/// Runs `passes` once in order, dropping dead nodes and verifying the graph after each.
/// Error(invalid_argument) for a disabled pass that does not exist or cannot be left out.
void run_passes(Graph& graph, std::span<const PassDef> passes, const PassOptions& options);

}  // namespace octavo

#include "compiler/import/torchscript/graph_builder.h"

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

/// Far beyond any image network; a loop in hostile code could add nodes without end.
constexpr std::size_t kMostNodes = 100000;

}  // namespace

GraphTensor GraphBuilder::add_input(std::string_view name, std::vector<std::int64_t> shape_per_image) {
  Shape full = fixed_shape(shape_per_image);
  full.insert(full.begin(), Dim::batch());
  element_count(full);
  const ValueId id = graph.add_input(name, {DType::f32, std::move(full), std::nullopt});
  return {id, Layout{}};
}

GraphTensor GraphBuilder::emit(std::string_view op, std::vector<ValueId> inputs, Attributes attributes,
                               Layout layout) {
  if (graph.nodes().size() >= kMostNodes) {
    fail(ErrorCode::invalid_model, "the model has more than {} operators", kMostNodes);
  }
  const ValueId id = graph.add(op, std::move(inputs), std::move(attributes), origin, origin);
  element_count(graph.type(id).shape);
  last_module_ = is_in_module ? origin : "";
  return {id, layout};
}

GraphTensor GraphBuilder::constant(const StoredTensor& tensor, std::string_view role) {
  const auto found = constants_.find(&tensor);
  if (found != constants_.end()) return {found->second, Layout{}};
  std::optional<Quantization> quantization = tensors_.read_quantization(tensor);
  const ValueId id =
      graph.add_constant(origin + "." + std::string(role), tensors_.read(tensor), std::move(quantization));
  constants_.emplace(&tensor, id);
  return {id, Layout{}};
}

GraphTensor GraphBuilder::constant(Tensor data, std::string_view role) {
  return {graph.add_constant(origin + "." + std::string(role), std::move(data)), Layout{}};
}

GraphTensor GraphBuilder::scalar(double value) {
  Tensor data(DType::f32, {});
  data.as<float>()[0] = static_cast<float>(value);
  return constant(std::move(data), "scalar");
}

GraphTensor GraphBuilder::current(GraphTensor tensor) const {
  for (auto found = changed_.find(tensor.id); found != changed_.end(); found = changed_.find(tensor.id)) {
    tensor = found->second;
  }
  return tensor;
}

void GraphBuilder::claim_last_node(std::string_view path) {
  if (!graph.nodes().empty() && last_module_ == origin) graph.nodes().back().origin = path;
}

/// "features.0.0._packed_params" in a tree of modules;
/// "_jit_pass_hoist_conv_packed_params.features.0.0._packed_params.1" where the mobile optimizer moved the
/// parameters to the root.
void GraphBuilder::name_after_parameters(std::string_view path) {
  constexpr std::string_view kHoisted = "_jit_pass_hoist_conv_packed_params.";
  if (path.starts_with(kHoisted)) path.remove_prefix(kHoisted.size());
  path = path.substr(0, path.find("._packed_params"));
  if (!is_in_module && !path.empty()) origin = path;
}

Attributes quantized_result(double scale, std::int64_t zero_point, DType dtype) {
  return {{"scale", scale}, {"zero_point", zero_point}, {"dtype", std::string(dtype_name(dtype))}};
}

}  // namespace octavo::torchscript

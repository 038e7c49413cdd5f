#pragma once
// Small ONNX models for tests, built with protobuf.
#include <cstring>
#include <string>
#include <vector>

#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/proto.h"

namespace octavo::onnx_test {

using Ints = std::vector<std::int64_t>;

/// One model of `opset`; "N" stands for -1 among an input's extents.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(std::int64_t opset = 17) {
    model_.set_ir_version(8);
    auto* entry = model_.add_opset_import();
    entry->set_domain("");
    entry->set_version(opset);
    auto* contrib = model_.add_opset_import();
    contrib->set_domain("com.microsoft");
    contrib->set_version(1);
  }

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  OnnxBuilder& input(const std::string& name, const Ints& extents, int type = onnx::TensorProto::FLOAT) {
    auto* tensor = add_port(graph().add_input(), name, type);
    for (std::int64_t extent : extents) {
      auto* dim = tensor->mutable_shape()->add_dim();
      if (extent < 0) dim->set_dim_param("N");
      if (extent >= 0) dim->set_dim_value(extent);
    }
    return *this;
  }

  OnnxBuilder& output(const std::string& name) {
    add_port(graph().add_output(), name, onnx::TensorProto::FLOAT);
    return *this;
  }

  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& domain = "") {
    auto* added = graph().add_node();
    added->set_op_type(op);
    added->set_name(op + "_" + std::to_string(graph().node_size()));
    added->set_domain(domain);
    for (const auto& name : inputs) added->add_input(name);
    for (const auto& name : outputs) added->add_output(name);
    return *added;
  }

  template <class T>
  onnx::TensorProto& initializer(const std::string& name, const Ints& extents, const std::vector<T>& values,
                                 int type) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (std::int64_t extent : extents) tensor->add_dims(extent);
    std::string raw(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
    tensor->set_raw_data(raw);
    return *tensor;
  }
  OnnxBuilder& integers(const std::string& name, const Ints& values) {
    initializer(name, {static_cast<std::int64_t>(values.size())}, values, onnx::TensorProto::INT64);
    return *this;
  }
  OnnxBuilder& reals(const std::string& name, const Ints& extents, float value) {
    std::int64_t count = 1;
    for (std::int64_t extent : extents) count *= extent;
    initializer(name, extents, std::vector<float>(static_cast<std::size_t>(count), value),
                onnx::TensorProto::FLOAT);
    return *this;
  }

  [[nodiscard]] std::string bytes() const { return model_.SerializeAsString(); }
  [[nodiscard]] Graph import(const OnnxOptions& options = {}) const {
    const std::string all = bytes();
    Graph graph = import_onnx(std::as_bytes(std::span(all)), {}, options);
    verify(graph);
    return graph;
  }

 private:
  static onnx::TypeProto_Tensor* add_port(onnx::ValueInfoProto* port, const std::string& name, int type) {
    port->set_name(name);
    auto* tensor = port->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    return tensor;
  }

  onnx::ModelProto model_;
};

inline void set(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, int value) {
  set(node, name, std::int64_t{value});
}
inline void set(onnx::NodeProto& node, const std::string& name, float value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, const Ints& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (std::int64_t value : values) attribute->add_ints(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, const char* text) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(text);
}

}  // namespace octavo::onnx_test

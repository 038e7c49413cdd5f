#include "compiler/import/onnx/activation.h"

#include "base/fail.h"

namespace octavo::onnx_import {

ValueId add_activation(OnnxNode& node, ValueId value) {
  const std::string name = node.text("activation", "");
  std::vector<double> parameters;
  if (const auto* list = node.attribute("activation_params"))
    parameters.assign(list->floats().begin(), list->floats().end());
  const auto expect = [&](std::size_t count) {
    if (parameters.size() != count) {
      fail(ErrorCode::invalid_model, "activation '{}' has {} parameters, expected {}", name,
           parameters.size(), count);
    }
  };
  if (name.empty()) return value;
  if (name == "Relu") return node.step("relu", {value});
  if (name == "Sigmoid") return node.step("sigmoid", {value});
  if (name == "Tanh") return node.step("tanh", {value});
  if (name == "LeakyRelu") {
    expect(1);
    return node.step("leaky_relu", {value}, {{"alpha", parameters[0]}});
  }
  if (name == "Clip") {
    expect(2);
    return node.step("clip", {value}, {{"lo", parameters[0]}, {"hi", parameters[1]}});
  }
  if (name == "HardSigmoid") {
    expect(2);
    return node.step("hardsigmoid", {value}, {{"alpha", parameters[0]}, {"beta", parameters[1]}});
  }
  fail(ErrorCode::unsupported, "activation '{}'", name);
}

}  // namespace octavo::onnx_import

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/fail.h"
#include "engine/kernels/family.h"
#include "engine/kernels/testing/random_step.h"

namespace octavo {
namespace {

/// A layer that PyTorch computed: tools/make_kernel_cases.py.
struct Case {
  std::string problem;
  std::map<std::string, std::vector<double>> numbers;

  [[nodiscard]] Quantization quantization(const std::string& name) const {
    const std::vector<double>& values = numbers.at(name + "_quantization");
    Quantization q;
    const std::size_t channels = values.size() / 2;
    for (std::size_t i = 0; i < channels; ++i) {
      q.scales.push_back(static_cast<float>(values[i]));
      q.zero_points.push_back(static_cast<std::int32_t>(values[channels + i]));
    }
    if (channels > 1) q.axis = 0;
    return q;
  }

  [[nodiscard]] Tensor tensor(const std::string& name, DType dtype) const {
    const std::vector<double>& values = numbers.at(name);
    Tensor tensor(dtype, {static_cast<std::int64_t>(values.size())});
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (dtype == DType::f32) tensor.as<float>()[i] = static_cast<float>(values[i]);
      if (dtype == DType::s8) tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(values[i]);
      if (dtype == DType::u8) tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(values[i]);
    }
    return tensor;
  }
};

std::vector<Case> read_cases() {
  std::ifstream file("tests/problems/pytorch_cases.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    if (line.starts_with("case ")) {
      cases.push_back({line.substr(5), {}});
      continue;
    }
    std::istringstream values(line.substr(line.find(':') + 1));
    std::vector<double>& numbers = cases.back().numbers[line.substr(0, line.find(':'))];
    for (double v = 0; values >> v;) numbers.push_back(v);
  }
  return cases;
}

/// What `row` computes for the case.
Tensor run(const FamilyRow& row, const Case& c) {
  std::vector<std::pair<std::string, DType>> names{{"x", DType::u8}, {"w", DType::s8}};
  if (c.numbers.contains("residual")) names.emplace_back("residual", DType::u8);
  if (c.numbers.contains("bias")) names.emplace_back("bias", DType::f32);
  std::vector<Tensor> tensors;
  std::vector<Quantization> quantizations;
  for (const auto& [name, dtype] : names) {
    tensors.push_back(c.tensor(name, dtype));
    quantizations.push_back(name == "bias" ? Quantization{} : c.quantization(name));
  }
  Operands operands;
  std::vector<const std::byte*> inputs;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_constant = names[i].first == "w" || names[i].first == "bias";
    operands.inputs.push_back({names[i].second, names[i].first == "bias" ? nullptr : &quantizations[i],
                               is_constant ? tensors[i].view() : TensorView{}});
    inputs.push_back(tensors[i].data());
  }
  const Quantization y_quantization = c.quantization("y");
  operands.output = {DType::u8, &y_quantization, {}};
  if (c.numbers.contains("conv_quantization")) {
    operands.parameters["conv_scale"] = c.numbers.at("conv_quantization")[0];
    operands.parameters["conv_zero_point"] = c.numbers.at("conv_quantization")[1];
  }
  const auto prepared = row.prepare(c.problem, operands);
  Tensor y(DType::u8, {static_cast<std::int64_t>(c.numbers.at("y").size())});
  Tensor scratch(DType::u8, {prepared->scratch_bytes()});
  prepared->run({inputs, y.data(), scratch.data(), 1}, {0, 1});
  return y;
}

TEST(PyTorchCases, EqualEveryRowThatTakesThem) {
  const std::vector<Case> cases = read_cases();
  ASSERT_EQ(cases.size(), 10U);
  for (const Case& c : cases) {
    const Tensor expected = c.tensor("y", DType::u8);
    for (const FamilyRow& row : family_of(c.problem).rows) {
      if (!row.supports(c.problem) || !testing::runs_here(row.needs)) continue;
      const Tensor y = run(row, c);
      for (std::size_t i = 0; i < expected.as<std::uint8_t>().size(); ++i) {
        ASSERT_EQ(int{y.as<std::uint8_t>()[i]}, int{expected.as<std::uint8_t>()[i]})
            << row.name << ", element " << i << " of " << c.problem;
      }
    }
  }
}

}  // namespace
}  // namespace octavo

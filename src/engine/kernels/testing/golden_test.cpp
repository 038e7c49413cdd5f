#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/fail.h"
#include "engine/kernels/family.h"
#include "engine/kernels/testing/random_step.h"

namespace octavo {
namespace {

/// An operand of a recorded case.
struct Recorded {
  DType dtype = DType::u8;
  Quantization quantization;
  std::vector<std::byte> bytes;
  [[nodiscard]] Operand operand() const {
    return {dtype, quantization.scales.empty() ? nullptr : &quantization, {}};
  }
};

struct Case {
  std::string problem;
  Parameters parameters;
  std::vector<Recorded> inputs;
  Recorded output;
};

/// The number sequence of tools/make_kernel_fixtures.py.
std::vector<std::byte> drawn(DType dtype, std::uint64_t state, std::int64_t count) {
  std::vector<std::byte> bytes;
  for (std::int64_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    if (dtype == DType::u8) {
      bytes.push_back(static_cast<std::byte>(state >> 56U));
      continue;
    }
    const float centred = static_cast<float>(static_cast<std::int64_t>(state >> 40U) - (1 << 23));
    const auto real = std::bit_cast<std::array<std::byte, 4>>(centred / static_cast<float>(1 << 20));
    bytes.insert(bytes.end(), real.begin(), real.end());
  }
  return bytes;
}

std::vector<std::byte> from_hex(const std::string& text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Recorded read_operand(std::istringstream& line) {
  Recorded operand;
  std::string dtype, scale, values;
  int zero_point = 0;
  line >> dtype >> scale >> zero_point >> values;
  operand.dtype = parse_dtype(dtype).value();
  if (scale != "-") operand.quantization = Quantization::per_tensor(std::stof(scale), zero_point);
  if (values != "random" && values != "ramp") {
    operand.bytes = from_hex(values);
    return operand;
  }
  std::uint64_t seed = 0;
  std::int64_t count = 0;
  line >> seed >> count;
  if (values == "random") operand.bytes = drawn(operand.dtype, seed, count);
  for (std::int64_t i = 0; values == "ramp" && i < count; ++i)
    operand.bytes.push_back(static_cast<std::byte>(i));
  return operand;
}

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string word, name;
    line >> word;
    if (word == "problem") {
      cases.emplace_back().problem = text.substr(word.size() + 1);
    } else if (word == "parameter") {
      line >> name >> cases.back().parameters[name];
    } else if (word == "input") {
      cases.back().inputs.push_back(read_operand(line));
    } else if (word == "output") {
      cases.back().output = read_operand(line);
    }
  }
  return cases;
}

Operands operands_of(const Case& recorded) {
  Operands operands;
  for (const Recorded& input : recorded.inputs) operands.inputs.push_back(input.operand());
  operands.output = recorded.output.operand();
  operands.parameters = recorded.parameters;
  return operands;
}

std::vector<std::byte> computed(const Prepared& prepared, const Case& recorded) {
  std::vector<const std::byte*> inputs;
  for (const Recorded& input : recorded.inputs) inputs.push_back(input.bytes.data());
  std::vector<std::byte> output(recorded.output.bytes.size());
  const Tensor scratch(DType::u8, {prepared.scratch_bytes()});
  KernelArgs args{inputs, output.data(), nullptr, 1};
  args.scratch = const_cast<std::byte*>(scratch.data());
  prepared.run(args, Share{});
  return output;
}

class KernelsAgainstRecordings : public ::testing::TestWithParam<const char*> {};

TEST_P(KernelsAgainstRecordings, GiveTheSameBits) {
  const auto path = std::filesystem::path("tests/golden/kernels") / (std::string(GetParam()) + ".txt");
  const std::vector<Case> cases = read_cases(path);
  ASSERT_GE(cases.size(), 4U) << path;
  for (const Case& recorded : cases) {
    int rows = 0;
    for (const FamilyRow& row : family_of(recorded.problem).rows) {
      if (!row.supports(recorded.problem) || !testing::runs_here(row.needs)) continue;
      ++rows;
      const auto prepared = row.prepare(recorded.problem, operands_of(recorded));
      const std::vector<std::byte> got = computed(*prepared, recorded);
      std::size_t different = 0;
      for (std::size_t i = 0; i < got.size(); ++i) different += got[i] != recorded.output.bytes[i] ? 1U : 0U;
      EXPECT_EQ(different, 0U) << row.name << " of " << got.size() << " bytes: " << recorded.problem;
    }
    EXPECT_GE(rows, 1) << recorded.problem;
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorchAndOnnxRuntime, KernelsAgainstRecordings,
                         ::testing::Values("convert", "binary", "unary", "pool", "reduce", "concat", "onnx"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace octavo

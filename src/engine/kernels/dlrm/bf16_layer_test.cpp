#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/bf16.h"
#include "base/cpu.h"
#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/dlrm/testing/emulated.h"

namespace octavo {
namespace {

/// 64-byte aligned bf16.
class Bf16s {
 public:
  explicit Bf16s(std::int64_t count) : memory_(static_cast<std::size_t>(count) + 32) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    data_ = memory_.data() + (64 - address % 64) % 64 / 2;
  }
  [[nodiscard]] std::uint16_t* data() const { return data_; }

 private:
  std::vector<std::uint16_t> memory_;
  std::uint16_t* data_;
};

/// A layer with random inputs, weights and biases.
struct Layer {
  std::int64_t samples, steps, panels;
  std::int64_t groups = (samples + kDlrmGroup - 1) / kDlrmGroup;
  Bf16s src{groups * steps * kDlrmStepBytes / 2};
  Bf16s weights{panels * steps * kDlrmStepBytes / 2};
  std::vector<float> bias = std::vector<float>(static_cast<std::size_t>(panels * kDlrmPanel));

  Layer(std::int64_t samples_in, std::int64_t steps_in, std::int64_t panels_in, float scale = 1.0F)
      : samples(samples_in), steps(steps_in), panels(panels_in) {
    std::mt19937 random(static_cast<unsigned>(samples * 1000 + steps * 10 + panels));
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < groups * steps * kDlrmStepBytes / 2; ++i)
      src.data()[i] = bf16_bits(scale * normal(random));
    for (std::int64_t i = 0; i < panels * steps * kDlrmStepBytes / 2; ++i)
      weights.data()[i] = bf16_bits(normal(random));
    for (float& value : bias) value = scale * normal(random);
  }

  [[nodiscard]] double input(std::int64_t m, std::int64_t k) const {
    return double{bf16_value(src.data()[((m / 32 * steps + k / 32) * 32 + m % 32) * 32 + k % 32])};
  }
  [[nodiscard]] double weight(std::int64_t n, std::int64_t k) const {
    return double{bf16_value(weights.data()[(n / 32 * steps + k / 32) * 1024 + n % 32 / 16 * 512 +
                                            k % 32 / 2 * 32 + n % 16 * 2 + k % 2])};
  }

  /// dst[m][n] at [m / 32][n / 32][m % 32][n % 32].
  [[nodiscard]] std::vector<std::uint16_t> run(void (*kernel)(const DlrmLayerWork&), bool backwards) const {
    const Bf16s dst(groups * panels * kDlrmStepBytes / 2);
    kernel({.src = reinterpret_cast<const std::uint8_t*>(src.data()),
            .steps = steps,
            .weights = reinterpret_cast<const std::int8_t*>(weights.data()),
            .bias = bias.data(),
            .multiplier = nullptr,
            .excess = nullptr,
            .src_is_signed = 0,
            .highest = 0,
            .panels = panels,
            .dst = reinterpret_cast<std::uint8_t*>(dst.data()),
            .dst_steps = panels,
            .samples = samples,
            .backwards = backwards ? 1 : 0,
            .quads = 0});
    std::vector<std::uint16_t> outputs;
    for (std::int64_t m = 0; m < samples; ++m) {
      for (std::int64_t n = 0; n < panels * 32; ++n)
        outputs.push_back(dst.data()[((m / 32 * panels + n / 32) * 32 + m % 32) * 32 + n % 32]);
    }
    return outputs;
  }
};

struct Kernel {
  const char* name;
  CpuFeature needs;
  void (*run)(const DlrmLayerWork&);
};

constexpr Kernel kKernels[] = {
    {"amx_bf16", CpuFeature::amx_bf16, dlrm_layer_amx_bf16},
    {"emulated", CpuFeature::avx512_bf16, dlrm_bf16_layer_emulated},
    {"avx512_bf16", CpuFeature::avx512_bf16, dlrm_layer_avx512_bf16},
};

class Bf16LayerKernel : public ::testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    if (!cpu_facts().has(GetParam().needs))
      GTEST_SKIP() << "NOT TESTED: needs " << feature_name(GetParam().needs);
  }
};

/// A sum of n terms has n roundings, each of at most 2^-24 of a partial sum, and no partial sum is more than
/// the terms' magnitudes together. What an output is then, rounding and ReLU keep in order.
void expect_within_bounds(const Layer& layer, std::span<const std::uint16_t> outputs) {
  const std::uint16_t* output = outputs.data();
  for (std::int64_t m = 0; m < layer.samples; ++m) {
    for (std::int64_t n = 0; n < layer.panels * 32; ++n, ++output) {
      double sum = double{layer.bias[static_cast<std::size_t>(n)]}, magnitude = std::fabs(sum);
      for (std::int64_t k = 0; k < layer.steps * 32; ++k) {
        const double term = layer.input(m, k) * layer.weight(n, k);
        sum += term;
        magnitude += std::fabs(term);
      }
      const double error = static_cast<double>(layer.steps * 32 + 3) * 0x1p-24 * magnitude;
      const auto rounded = [](double value) {
        return bf16_value(bf16_bits(static_cast<float>(std::max(value, 0.0))));
      };
      ASSERT_GE(bf16_value(*output), rounded(sum - error)) << "sample " << m << " output " << n;
      ASSERT_LE(bf16_value(*output), rounded(sum + error)) << "sample " << m << " output " << n;
    }
  }
}

TEST_P(Bf16LayerKernel, GivesSumsWithinTheRoundingOfF32) {
  for (std::int64_t samples : {1, 2, 3, 8, 13, 16, 17, 31, 32, 33, 70}) {
    for (std::int64_t steps : {1, 2, 3, 4, 9, 17}) {
      const Layer layer(samples, steps, samples % 3 + 1);
      SCOPED_TRACE(std::to_string(samples) + " samples, " + std::to_string(steps) + " steps");
      const std::vector<std::uint16_t> outputs = layer.run(GetParam().run, false);
      expect_within_bounds(layer, outputs);
      EXPECT_EQ(layer.run(GetParam().run, true), outputs);
      EXPECT_EQ(emulated::take_fault(), "");
    }
  }
}

// Kernels of f32 operands would give 2^-130; the bf16 instructions take operands and results below 2^-126 for
// zero.
TEST_P(Bf16LayerKernel, TakesDenormalsForZero) {
  Layer layer(2, 1, 1, 0x1p-130F);
  for (std::uint16_t output : layer.run(GetParam().run, false)) EXPECT_EQ(output, 0);
}

INSTANTIATE_TEST_SUITE_P(Dlrm, Bf16LayerKernel, ::testing::ValuesIn(kKernels),
                         [](const auto& kernel) { return std::string(kernel.param.name); });

TEST(Bf16LayerOnEmulatedTiles, HasTheBitsOfTheHardware) {
  if (!cpu_facts().has(CpuFeature::amx_bf16)) GTEST_SKIP() << "NOT TESTED: needs amx_bf16";
  for (std::int64_t samples : {5, 70}) {
    const Layer layer(samples, 5, 3);
    EXPECT_EQ(layer.run(dlrm_bf16_layer_emulated, false), layer.run(dlrm_layer_amx_bf16, false));
  }
}

}  // namespace
}  // namespace octavo

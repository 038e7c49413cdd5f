#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "base/cpu.h"
#include "engine/embedding/bag_sum.h"
#include "engine/embedding/feature_block.h"
#include "engine/kernels/testing/random_step.h"

namespace octavo {
namespace {

constexpr std::int64_t kRows = 40;
constexpr std::int64_t kSamples = 30;

/// Rows of random bits, so that floats and halves are also infinite, no numbers, and larger than any scale;
/// behind the last one memory is out of bounds.
class RandomRows {
 public:
  RandomRows(RowFormat format, std::int64_t dim, std::mt19937& random)
      : bytes_(kRows * row_bytes(format, dim)),
        memory_(bytes_, testing::GuardedMemory::Side::end),
        coding_{format, dim, 0.02F, {}} {
    std::generate_n(memory_.data(), bytes_, [&] { return static_cast<std::byte>(random()); });
    std::generate(coding_.codebook.begin(), coding_.codebook.end(),
                  [&] { return static_cast<std::int8_t>(random()); });
    for (std::int64_t i = 0; i < kSamples; ++i) {
      indices_.push_back(i == 0 ? kRows - 1 : static_cast<std::int64_t>(random() % kRows));
    }
  }

  /// What `gather` makes of a row for each index; the last vector ends where memory does.
  std::vector<std::int8_t> gathered(void (*gather)(const FeatureWork&), float inverse_scale) const {
    FeatureTable table{bag_table({coding_, kRows, memory_.data()}), 0, 0, inverse_scale, {}};
    std::copy(coding_.codebook.begin(), coding_.codebook.end(), table.codebook);
    const testing::GuardedMemory vectors(kSamples * coding_.dim, testing::GuardedMemory::Side::end);
    auto* const to = reinterpret_cast<std::int8_t*>(vectors.data());
    constexpr std::int64_t kAhead = 4;
    gather({&table, 1, indices_.data(), kSamples, kSamples - kAhead, kAhead, to, coding_.dim});
    gather({&table, 1, indices_.data() + kSamples - kAhead, kSamples, kAhead, 0,
            to + (kSamples - kAhead) * coding_.dim, coding_.dim});
    return {to, to + kSamples * coding_.dim};
  }

  /// Values decoded, then quantized.
  std::vector<std::int8_t> quantized(float inverse_scale) const {
    const std::int64_t dim = coding_.dim, row = row_bytes(coding_.format, dim);
    std::vector<float> values(static_cast<std::size_t>(dim));
    std::vector<std::int8_t> result(static_cast<std::size_t>(kSamples * dim));
    for (std::int64_t i = 0; i < kSamples; ++i) {
      const std::byte* const from = memory_.data() + indices_[static_cast<std::size_t>(i)] * row;
      decode_rows(coding_, {from, static_cast<std::size_t>(row)}, values);
      quantize_features_reference(values.data(), dim, inverse_scale, result.data() + i * dim);
    }
    return result;
  }

 private:
  std::int64_t bytes_;
  testing::GuardedMemory memory_;
  RowCoding coding_;
  std::vector<std::int64_t> indices_;
};

constexpr std::int64_t kDims[] = {1, 2, 15, 16, 17, 33, 48, 63, 64, 65, 100, 127, 128, 129};

TEST(GatherFeatures, QuantizesRowsOfAnyBits) {
  if (!implies(usable_isa(), Isa::avx512)) GTEST_SKIP() << "NOT TESTED: needs avx512";
  std::mt19937 random(3);
  for (RowFormat format :
       {RowFormat::f32, RowFormat::f16, RowFormat::s8_table, RowFormat::s8_row, RowFormat::s4_row}) {
    for (std::int64_t dim : kDims) {
      const RandomRows rows(format, dim, random);
      for (float inverse_scale : {1e-9F, 0.3F, 40.0F, 1e30F}) {
        ASSERT_EQ(rows.gathered(gather_features_avx512, inverse_scale), rows.quantized(inverse_scale))
            << row_format_name(format) << ' ' << dim << " wide, times " << inverse_scale;
      }
    }
  }
}

TEST(QuantizeFeatures, IsTheSameForAnyBits) {
  if (!implies(usable_isa(), Isa::avx512)) GTEST_SKIP() << "NOT TESTED: needs avx512";
  std::mt19937 random(5);
  for (std::int64_t count : kDims) {
    std::vector<float> values(static_cast<std::size_t>(count));
    std::generate(values.begin(), values.end(),
                  [&] { return std::bit_cast<float>(static_cast<std::uint32_t>(random())); });
    for (float inverse_scale : {1e-9F, 0.3F, 40.0F, 1e30F}) {
      std::vector<std::int8_t> expected(values.size()), quantized(values.size());
      quantize_features_reference(values.data(), count, inverse_scale, expected.data());
      quantize_features_avx512(values.data(), count, inverse_scale, quantized.data());
      ASSERT_EQ(quantized, expected) << count << " values, times " << inverse_scale;
    }
  }
}

TEST(GatherFeatures, CopiesRowsThatAreVectors) {
  if (!implies(usable_isa(), Isa::avx512)) GTEST_SKIP() << "NOT TESTED: needs avx512";
  std::mt19937 random(4);
  for (RowFormat format : {RowFormat::s8_table, RowFormat::s4_codebook}) {
    for (std::int64_t dim : kDims) {
      const RandomRows rows(format, dim, random);
      ASSERT_EQ(rows.gathered(gather_features_avx512, 0), rows.gathered(gather_features_reference, 0))
          << row_format_name(format) << ' ' << dim << " wide";
    }
  }
}

}  // namespace
}  // namespace octavo

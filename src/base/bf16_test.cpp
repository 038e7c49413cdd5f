#include "base/bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace octavo {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Bf16, EveryBitPatternSurvivesTheWayThroughFloat) {
  for (int bits = 0; bits < 65536; ++bits) {
    const float value = bf16_value(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(bf16_bits(value), bits) << value;
  }
}

TEST(Bf16, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(bf16_bits(1.0F), 0x3F80);
  EXPECT_EQ(bf16_bits(-2.0F), 0xC000);
  EXPECT_EQ(bf16_bits(1.0F + 0x1p-8F), 0x3F80);             // halfway between 1 and the next: even
  EXPECT_EQ(bf16_bits(1.0F + 0x1p-8F + 0x1p-20F), 0x3F81);  // a little more
  EXPECT_EQ(bf16_bits(1.0F + 3 * 0x1p-8F), 0x3F82);         // halfway: even is above
  EXPECT_EQ(bf16_bits(-2.0F + 0x1p-9F), 0xC000);            // carries into the exponent
  EXPECT_EQ(bf16_bits(0x1p-133F), 0x0001);                  // the smallest
  EXPECT_EQ(bf16_bits(0x1p-134F), 0x0000);
  EXPECT_EQ(bf16_bits(-0.0F), 0x8000);
}

TEST(Bf16, KeepsWhatIsNotFinite) {
  EXPECT_EQ(bf16_bits(kInfinity), 0x7F80);
  EXPECT_EQ(bf16_bits(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(bf16_bits(-kInfinity), 0xFF80);
  EXPECT_TRUE(std::isnan(bf16_value(bf16_bits(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isnan(bf16_value(bf16_bits(std::numeric_limits<float>::signaling_NaN()))));
}

TEST(Bf16, RoundsAllValuesOfASpan) {
  std::vector<float> values{1.0F, 1.001F, -3.1F};
  round_to_bf16(values);
  EXPECT_EQ(values, (std::vector<float>{1.0F, 1.0F, -3.09375F}));
}

}  // namespace
}  // namespace octavo

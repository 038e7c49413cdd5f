#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace octavo {
namespace {

TEST(Half, EveryBitPatternSurvivesTheWayThroughFloat) {
  for (int bits = 0; bits < 65536; ++bits) {
    const float value = half_value(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(half_bits(value), bits) << value;
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(half_bits(1.0F), 0x3C00);
  EXPECT_EQ(half_bits(-2.0F), 0xC000);
  EXPECT_EQ(half_bits(1.0F + 0x1p-11F), 0x3C00);             // halfway between 1 and the next: even
  EXPECT_EQ(half_bits(1.0F + 0x1p-11F + 0x1p-20F), 0x3C01);  // a little more
  EXPECT_EQ(half_bits(1.0F + 3 * 0x1p-11F), 0x3C02);         // halfway: even is above
  EXPECT_EQ(half_bits(0x1p-24F), 0x0001);                    // the smallest
  EXPECT_EQ(half_bits(0x1p-25F), 0x0000);
  EXPECT_EQ(half_bits(0x1p-14F - 0x1p-26F), 0x0400);  // carries out of the subnormals
  EXPECT_EQ(half_bits(65519.0F), 0x7BFF);
  EXPECT_EQ(half_bits(65520.0F), 0x7C00);
  EXPECT_EQ(half_bits(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_TRUE(std::isnan(half_value(half_bits(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace octavo

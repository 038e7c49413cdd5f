#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>

namespace octavo {
namespace {

TEST(Crc32c, EqualsTheCheckValueOfTheStandard) {
  const std::string_view digits = "123456789";
  const auto bytes = std::as_bytes(std::span(digits));
  EXPECT_EQ(crc32c(bytes), 0xE3069283U);
  EXPECT_EQ(crc32c(bytes.subspan(4), crc32c(bytes.first(4))), 0xE3069283U);
}

}  // namespace
}  // namespace octavo

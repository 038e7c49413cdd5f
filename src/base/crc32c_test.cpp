#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace octavo {
namespace {

TEST(Crc32c, EqualsTheCheckValueOfTheStandard) {
  const std::string_view digits = "123456789";
  const auto bytes = std::as_bytes(std::span(digits));
  EXPECT_EQ(crc32c(bytes), 0xE3069283U);
  EXPECT_EQ(crc32c(bytes.subspan(4), crc32c(bytes.first(4))), 0xE3069283U);
}

/// Bit by bit, as RFC 3720 defines it.
std::uint32_t by_bits(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0U;
  for (std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0);
  }
  return ~crc;
}

TEST(Crc32c, OfManyBytesIsThatOfTheirBits) {
  constexpr std::size_t kAtOnce = std::size_t{3} * 4096;
  std::vector<std::byte> bytes(3 * kAtOnce + 13);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i / 7);
  for (std::size_t size : {bytes.size(), 3 * kAtOnce, kAtOnce, kAtOnce - 1}) {
    EXPECT_EQ(crc32c(std::span(bytes).first(size)), by_bits(std::span(bytes).first(size))) << size;
  }
  EXPECT_EQ(crc32c(std::span(bytes).subspan(5), crc32c(std::span(bytes).first(5))), by_bits(bytes));
}

}  // namespace
}  // namespace octavo

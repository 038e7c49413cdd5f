#include "engine/session/asked_ahead.h"

#include <gtest/gtest.h>

#include <vector>

namespace octavo {
namespace {

TEST(AskedAhead, IsTheBeginningOfManyBytesAndNothingOfFew) {
  constexpr std::size_t kKib = 1024;
  const std::vector<std::byte> memory(1536 * kKib);
  const auto asked = [&](std::size_t bytes) { return worth_asking_for({memory.data(), bytes}); };
  EXPECT_TRUE(asked(0).empty());
  EXPECT_TRUE(asked(64 * kKib - 1).empty());
  EXPECT_EQ(asked(64 * kKib).size(), 64 * kKib);
  EXPECT_EQ(asked(512 * kKib).size(), 512 * kKib);
  EXPECT_EQ(asked(memory.size()).size(), 512 * kKib);
  EXPECT_EQ(asked(memory.size()).data(), memory.data());
}

}  // namespace
}  // namespace octavo

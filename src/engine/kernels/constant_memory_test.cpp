#include "engine/kernels/constant_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>

namespace octavo {
namespace {

bool are_zeros(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

TEST(ConstantMemory, GivesZerosSideBySideAtWholeLines) {
  ConstantMemory memory(4096);
  const std::span<std::byte> first = memory.take(100), second = memory.take(1), none = memory.take(0);
  EXPECT_EQ(first.size(), 100U);
  EXPECT_TRUE(are_zeros(first));
  EXPECT_EQ(second.data() - first.data(), 128);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second.data()) % 64, 0U);
  EXPECT_TRUE(none.empty());
}

TEST(ConstantMemory, HoldsMoreThanWasExpected) {
  ConstantMemory memory(1000);
  std::vector<std::span<std::byte>> parts;
  for (std::int64_t bytes : {500, 900, 100000, 64, 5000000}) {
    parts.push_back(memory.take(bytes));
    EXPECT_TRUE(are_zeros(parts.back()));
    std::memset(parts.back().data(), static_cast<int>(parts.size()), parts.back().size());
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_TRUE(
        std::all_of(parts[i].begin(), parts[i].end(), [&](std::byte b) { return b == std::byte(i + 1); }));
  }
}

TEST(ConstantMemory, ServesThreadsThatPackAtTheSameTime) {
  ConstantMemory memory(1 << 20);
  std::vector<PackedConstants> parts(400);
  const auto pack = [&](std::size_t begin) {
    for (std::size_t i = begin; i < parts.size(); i += 4) {
      parts[i] = PackedConstants(static_cast<std::int64_t>(i * 37 % 9000), &memory);
      std::memset(parts[i].data(), static_cast<int>(i % 251), static_cast<std::size_t>(parts[i].bytes()));
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) threads.emplace_back(pack, t);
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::int64_t at = 0; at < parts[i].bytes(); ++at) ASSERT_EQ(parts[i].data()[at], std::byte(i % 251));
  }
}

TEST(PackedConstants, HaveTheirOwnMemoryWithoutAPlans) {
  PackedConstants own(1000, nullptr);
  EXPECT_EQ(own.bytes(), 1000);
  EXPECT_TRUE(are_zeros({own.data(), 1000}));
  const std::byte* const data = own.data();
  const PackedConstants moved = std::move(own);
  EXPECT_EQ(moved.data(), data);
}

}  // namespace
}  // namespace octavo

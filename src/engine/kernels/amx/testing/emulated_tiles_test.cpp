#include "engine/kernels/amx/testing/emulated_tiles.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bf16.h"

namespace octavo {
namespace {

TileConfig config_of(int tiles, std::uint8_t rows, std::uint16_t row_bytes) {
  TileConfig config;
  for (int i = 0; i < tiles; ++i) config.rows[i] = rows, config.row_bytes[i] = row_bytes;
  return config;
}

TEST(EmulatedTiles, MultiplyByHand) {
  emulated::configure([] {
    static TileConfig config = config_of(3, 2, 8);
    return &config;
  }());
  // a = [[200, 1, 0, 0 | 2, 0, 0, 0], [0, 0, 0, 3 | 0, 0, 0, 255]], b = rows of groups of 4 for 2 columns.
  const std::uint8_t a[2][8] = {{200, 1, 0, 0, 2, 0, 0, 0}, {0, 0, 0, 3, 0, 0, 0, 255}};
  const std::int8_t b[2][8] = {{1, -2, 0, 4, -1, 0, 0, 0}, {5, 0, 0, -1, 6, 0, 0, -128}};
  std::int32_t c[2][2] = {};
  emulated::zero(0);
  emulated::load(1, a, 8);
  emulated::load(2, b, 8);
  emulated::dot(0, 1, 2, 0);
  emulated::store(0, c, 8);
  EXPECT_EQ(c[0][0], 200 - 2 + 10);
  EXPECT_EQ(c[0][1], -200 + 12);
  EXPECT_EQ(c[1][0], 12 - 255);
  EXPECT_EQ(c[1][1], 255 * -128);
  emulated::zero(0);
  emulated::dot(0, 1, 2, 1);
  emulated::store(0, c, 8);
  EXPECT_EQ(c[0][0], (200 - 256) - 2 + 10);
  EXPECT_EQ(c[1][1], 128);
  EXPECT_EQ(emulated::take_fault(), "");
}

TEST(EmulatedTiles, MultiplyBf16ByHand) {
  const TileConfig config = config_of(3, 1, 4);
  emulated::configure(&config);
  const auto product = [](float a0, float a1, float b0, float b1, float c) {
    const std::uint16_t a[2] = {bf16_bits(a0), bf16_bits(a1)}, b[2] = {bf16_bits(b0), bf16_bits(b1)};
    emulated::load(0, &c, 4);
    emulated::load(1, a, 4);
    emulated::load(2, b, 4);
    emulated::dot_bf16(0, 1, 2);
    emulated::store(0, &c, 4);
    return c;
  };
  EXPECT_EQ(product(1.5F, -2.0F, 4.0F, 0.25F, 100.0F), 105.5F);
  EXPECT_EQ(product(0x1p24F, -0x1p24F, 1.0F, 1.0F, 1.0F), 1.0F);  // the pair first, then the sum
  EXPECT_EQ(product(0x1p-130F, 0.0F, 0x1p20F, 0.0F, 0.0F), 0.0F);
  EXPECT_EQ(product(0x1p-70F, 0.0F, 0x1p-70F, 0.0F, 0.0F), 0.0F);
  EXPECT_EQ(emulated::take_fault(), "");
}

TEST(EmulatedTiles, NoteWhatHardwareFaultsOn) {
  std::vector<std::uint8_t> memory(2048);
  const auto fault_of = [](auto&& action) {
    emulated::release();
    emulated::take_fault();
    action();
    return emulated::take_fault();
  };
  const auto configured = [](TileConfig config) { emulated::configure(&config); };
  EXPECT_EQ(fault_of([] { emulated::zero(3); }), "tile 3 used without a configuration");
  EXPECT_EQ(fault_of([&] { configured(config_of(2, 16, 64)), emulated::load(2, memory.data(), 64); }),
            "tile 2 is not configured");
  EXPECT_EQ(fault_of([&] { configured(config_of(8, 17, 64)); }), "tile 0 of 17 rows");
  EXPECT_EQ(fault_of([&] { configured(config_of(8, 16, 65)); }), "tile 0 with rows of 65 bytes");
  EXPECT_EQ(fault_of([&] { configured(config_of(9, 16, 64)); }), "tile 8 of 16 rows");
  EXPECT_EQ(fault_of([&] { configured(config_of(8, 0, 64)); }), "tile 0 of 0 rows of 64 bytes");
  EXPECT_EQ(fault_of([&] {
              TileConfig config = config_of(8, 16, 64);
              config.palette = 0;
              configured(config);
            }),
            "palette 0");
  EXPECT_EQ(fault_of([&] { configured(config_of(8, 16, 64)), emulated::store(1, memory.data(), 32); }),
            "rows of 64 bytes stored 32 apart overlap");
  EXPECT_EQ(fault_of([&] { configured(config_of(8, 16, 64)), emulated::dot(1, 1, 2, 0); }),
            "tiles 1 += 1 * 2 are not three");
  EXPECT_EQ(fault_of([&] { configured(config_of(8, 8, 64)), emulated::dot(0, 1, 2, 0); }),
            "tile 1 has rows of 64 bytes, tile 2 has 8 rows");
}

}  // namespace
}  // namespace octavo

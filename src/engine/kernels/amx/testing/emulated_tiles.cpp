#include "engine/kernels/amx/testing/emulated_tiles.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/bf16.h"

namespace octavo::emulated {
namespace {

constexpr int kTiles = 8, kRows = 16, kRowBytes = 64;

struct Tile {
  int rows = 0;
  int row_bytes = 0;
  std::uint8_t bytes[kRows][kRowBytes] = {};
};

thread_local Tile tiles[kTiles];
thread_local bool is_configured = false;
thread_local std::string fault;

/// False, and noted, where `holds` is false.
template <class... Args>
bool check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds && fault.empty()) fault = fmt::format(text, std::forward<Args>(args)...);
  return holds;
}

bool is_usable(int tile) {
  return check(is_configured, "tile {} used without a configuration", tile) &&
         check(tile >= 0 && tile < kTiles, "there is no tile {}", tile) &&
         check(tiles[tile].rows > 0 && tiles[tile].row_bytes > 0, "tile {} is not configured", tile);
}

std::int32_t product(const std::uint8_t* a, const std::uint8_t* b, int a_is_signed) {
  std::int32_t sum = 0;
  for (int i = 0; i < 4; ++i) {
    const int left = a_is_signed != 0 ? static_cast<std::int8_t>(a[i]) : a[i];
    sum += left * static_cast<std::int8_t>(b[i]);
  }
  return sum;
}

void multiply(Tile& c, const Tile& a, const Tile& b, int a_is_signed) {
  for (int m = 0; m < c.rows; ++m) {
    for (int n = 0; n < c.row_bytes; n += 4) {
      std::uint32_t sum = 0;
      std::memcpy(&sum, &c.bytes[m][n], sizeof sum);
      for (int k = 0; k < b.rows; ++k) {
        sum += static_cast<std::uint32_t>(
            product(a.bytes[m] + std::ptrdiff_t{4} * k, &b.bytes[k][n], a_is_signed));
      }
      std::memcpy(&c.bytes[m][n], &sum, sizeof sum);
    }
  }
}

/// Whether tile c may take the product of tiles a and b.
bool fits(int c, int a, int b) {
  if (!is_usable(c) || !is_usable(a) || !is_usable(b)) return false;
  const Tile &ta = tiles[a], &tb = tiles[b], &tc = tiles[c];
  return check(c != a && c != b && a != b, "tiles {} += {} * {} are not three", c, a, b) &&
         check(tc.row_bytes % 4 == 0 && ta.row_bytes % 4 == 0 && tb.row_bytes % 4 == 0,
               "tiles {} += {} * {}: rows that do not divide into groups of 4 bytes", c, a, b) &&
         check(tc.rows == ta.rows, "tile {} has {} rows, tile {} has {}", c, tc.rows, a, ta.rows) &&
         check(tc.row_bytes == tb.row_bytes, "tile {} has rows of {} bytes, tile {} of {}", c, tc.row_bytes,
               b, tb.row_bytes) &&
         check(ta.row_bytes / 4 == tb.rows, "tile {} has rows of {} bytes, tile {} has {} rows", a,
               ta.row_bytes, b, tb.rows);
}

float without_denormals(float value) {
  return std::fabs(value) < 0x1p-126F ? std::copysign(0.0F, value) : value;
}

using Values = std::array<std::array<float, kRowBytes / 2>, kRows>;

Values bf16_values(const Tile& tile) {
  Values values{};
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t i = 0; i < kRowBytes / 2; ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, &tile.bytes[row][2 * i], sizeof bits);
      values[row][i] = without_denormals(bf16_value(bits));
    }
  }
  return values;
}

/// Even and odd products are summed apart, from zero, then added up, then added to what the tile holds. The
/// hardware takes one fma for each; products are exact in f32, so that an addition has its bits.
void multiply_bf16(Tile& c, const Tile& a, const Tile& b) {
  const Values left = bf16_values(a), right = bf16_values(b);
  for (std::size_t m = 0; m < static_cast<std::size_t>(c.rows); ++m) {
    for (std::size_t n = 0; n < static_cast<std::size_t>(c.row_bytes) / 4; ++n) {
      float sums[2] = {};
      for (std::size_t k = 0; k < static_cast<std::size_t>(b.rows); ++k) {
        for (std::size_t i = 0; i < 2; ++i)
          sums[i] = without_denormals(sums[i] + left[m][2 * k + i] * right[k][2 * n + i]);
      }
      float sum = 0;
      std::memcpy(&sum, &c.bytes[m][4 * n], sizeof sum);
      sum = without_denormals(without_denormals(sum) + without_denormals(sums[0] + sums[1]));
      std::memcpy(&c.bytes[m][4 * n], &sum, sizeof sum);
    }
  }
}

}  // namespace

void configure(const void* config) {
  TileConfig c;
  std::memcpy(&c, config, sizeof c);
  is_configured = false;
  if (!check(c.palette == 1, "palette {}", c.palette)) return;
  for (int i = 0; i < 14; ++i) check(c.reserved[i] == 0, "reserved byte {} is {}", i, c.reserved[i]);
  for (int i = 0; i < 16; ++i) {
    const int most = i < kTiles ? 1 : 0;
    check(c.rows[i] <= kRows * most, "tile {} of {} rows", i, c.rows[i]);
    check(c.row_bytes[i] <= kRowBytes * most, "tile {} with rows of {} bytes", i, c.row_bytes[i]);
    check((c.rows[i] == 0) == (c.row_bytes[i] == 0), "tile {} of {} rows of {} bytes", i, c.rows[i],
          c.row_bytes[i]);
  }
  for (int i = 0; i < kTiles; ++i) {
    tiles[i] = Tile{std::min<int>(c.rows[i], kRows), std::min<int>(c.row_bytes[i], kRowBytes), {}};
  }
  is_configured = true;
}

void release() {
  is_configured = false;
  for (Tile& tile : tiles) tile = Tile{};
}

void zero(int tile) {
  if (is_usable(tile)) std::memset(tiles[tile].bytes, 0, sizeof tiles[tile].bytes);
}

void load(int tile, const void* from, std::int64_t stride) {
  if (!is_usable(tile)) return;
  Tile& t = tiles[tile];
  std::memset(t.bytes, 0, sizeof t.bytes);
  for (int row = 0; row < t.rows; ++row) {
    std::memcpy(t.bytes[row], static_cast<const std::uint8_t*>(from) + row * stride,
                static_cast<std::size_t>(t.row_bytes));
  }
}

void store(int tile, void* to, std::int64_t stride) {
  if (!is_usable(tile)) return;
  const Tile& t = tiles[tile];
  if (!check(stride >= t.row_bytes || t.rows == 1, "rows of {} bytes stored {} apart overlap", t.row_bytes,
             stride))
    return;
  for (int row = 0; row < t.rows; ++row) {
    std::memcpy(static_cast<std::uint8_t*>(to) + row * stride, t.bytes[row],
                static_cast<std::size_t>(t.row_bytes));
  }
}

void dot(int c, int a, int b, int a_is_signed) {
  if (fits(c, a, b)) multiply(tiles[c], tiles[a], tiles[b], a_is_signed);
}

void dot_bf16(int c, int a, int b) {
  if (fits(c, a, b)) multiply_bf16(tiles[c], tiles[a], tiles[b]);
}

std::string take_fault() { return std::exchange(fault, {}); }

}  // namespace octavo::emulated

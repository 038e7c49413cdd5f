#include "base/crc32c.h"

#include <nmmintrin.h>

#include <array>
#include <cstring>

namespace octavo {
namespace {

// An instruction takes 3 cycles and one may begin in each: three streams side by side, whose checksums are
// then put together. What zeros behind a stream make of its checksum is linear in its bits.

constexpr std::size_t kStream = 4096;

using Matrix = std::array<std::uint32_t, 32>;  ///< what becomes of each bit

constexpr std::uint32_t product(const Matrix& m, std::uint32_t crc) {
  std::uint32_t sum = 0;
  for (std::size_t bit = 0; bit < 32; ++bit) sum ^= (crc >> bit & 1U) != 0 ? m[bit] : 0;
  return sum;
}

/// `bytes` zeros, a power of two.
constexpr Matrix zeros(std::size_t bytes) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli's, bits reversed
  Matrix m{};
  m[0] = kPolynomial;  // one bit
  for (std::size_t bit = 1; bit < 32; ++bit) m[bit] = std::uint32_t{1} << (bit - 1);
  for (std::size_t bits = 1; bits < 8 * bytes; bits *= 2) {
    Matrix twice{};
    for (std::size_t bit = 0; bit < 32; ++bit) twice[bit] = product(m, m[bit]);
    m = twice;
  }
  return m;
}

constexpr Matrix kZerosOfStream = zeros(kStream);

std::uint64_t next_word(std::uint64_t crc, const std::byte* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, 8);
  return _mm_crc32_u64(crc, word);
}

/// Of three streams one behind the other.
std::uint64_t three_streams(std::uint64_t crc, const std::byte* bytes) noexcept {
  std::uint64_t second = 0, third = 0;
  for (std::size_t i = 0; i < kStream; i += 8) {
    crc = next_word(crc, bytes + i);
    second = next_word(second, bytes + kStream + i);
    third = next_word(third, bytes + 2 * kStream + i);
  }
  second ^= product(kZerosOfStream, static_cast<std::uint32_t>(crc));
  return third ^ product(kZerosOfStream, static_cast<std::uint32_t>(second));
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) noexcept {
  std::uint64_t crc = ~seed;
  std::size_t i = 0;
  for (; i + 3 * kStream <= bytes.size(); i += 3 * kStream) crc = three_streams(crc, bytes.data() + i);
  for (; i + 8 <= bytes.size(); i += 8) crc = next_word(crc, bytes.data() + i);
  auto tail = static_cast<std::uint32_t>(crc);
  for (; i < bytes.size(); ++i) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(bytes[i]));
  return ~tail;
}

}  // namespace octavo

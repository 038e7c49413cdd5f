#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo {

/// CRC-32C (Castagnoli polynomial, as in RFC 3720) of `bytes`, continuing from `seed` (the checksum of what
/// came before).
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept;

}  // namespace octavo

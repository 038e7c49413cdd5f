#pragma once
#include <cstdint>

namespace octavo {

/// y[i] = table[x[i]]; included by ISA files. `table` has 256 entries.
using TableU8Run = void (*)(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y,
                            std::int64_t count);
void table_u8(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t count);
void table_u8_avx512_vnni(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y,
                          std::int64_t count);

}  // namespace octavo

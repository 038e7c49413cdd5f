#include "engine/kernels/table_u8.h"

namespace octavo {

void table_u8(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t count) {
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace octavo

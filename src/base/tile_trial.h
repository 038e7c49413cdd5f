#pragma once
#include <cstdint>

namespace octavo {

/// Loads an AMX tile configuration, multiplies two small tiles and stores the product: 16 rows of 16 sums.
/// Faults (SIGILL) where tiles do not work.
void tile_trial_product(const std::uint8_t* a, const std::int8_t* b, std::int32_t* c);

}  // namespace octavo

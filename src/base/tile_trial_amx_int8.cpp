#include <immintrin.h>

#include "base/tile_trial.h"

namespace octavo {

void tile_trial_product(const std::uint8_t* a, const std::int8_t* b, std::int32_t* c) {
  alignas(64) std::uint8_t config[64] = {};
  config[0] = 1;  // palette 1
  for (int tile = 0; tile < 3; ++tile) {
    config[16 + 2 * tile] = 64;  // bytes per row
    config[48 + tile] = 16;      // rows
  }
  _tile_loadconfig(config);
  _tile_zero(0);
  _tile_loadd(1, a, 64);
  _tile_loadd(2, b, 64);
  _tile_dpbusd(0, 1, 2);
  _tile_stored(0, c, 64);
  _tile_release();
}

}  // namespace octavo

#include "engine/kernels/amx/tiles.h"

namespace octavo {

std::int64_t peak_loop_amx_int8(std::int64_t rounds) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) config.rows[tile] = 16, config.row_bytes[tile] = 64;
  HardwareTiles::configure(config);
  HardwareTiles::zero<0>(), HardwareTiles::zero<1>(), HardwareTiles::zero<2>(), HardwareTiles::zero<3>();
  HardwareTiles::zero<4>(), HardwareTiles::zero<5>(), HardwareTiles::zero<6>(), HardwareTiles::zero<7>();
  for (std::int64_t i = 0; i < rounds; ++i) {
    HardwareTiles::dot_us<0, 4, 6>();
    HardwareTiles::dot_us<1, 4, 7>();
    HardwareTiles::dot_us<2, 5, 6>();
    HardwareTiles::dot_us<3, 5, 7>();
  }
  HardwareTiles::release();
  return rounds * 4 * 2 * 16 * 16 * 64;
}

}  // namespace octavo

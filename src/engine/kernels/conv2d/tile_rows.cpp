#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/conv2d/tile.h"

namespace octavo::conv2d {
namespace {

template <TileOrder order>
std::unique_ptr<Prepared> prepare(const Conv2dProblem& p, const Operands& operands) {
  return prepare_tiles(multiply_tiles_amx_int8, p, operands, order);
}

}  // namespace

KernelRow<Conv2dProblem> amx_int8_row() {
  return {"amx_int8", Isa::amx_int8, tiles_support, prepare<TileOrder::chosen>};
}
KernelRow<Conv2dProblem> amx_int8_pixels_row() {
  return {"amx_int8:pixels", Isa::amx_int8, tile_order_support, prepare<TileOrder::pixels>};
}
KernelRow<Conv2dProblem> amx_int8_pixels_streamed_row() {
  return {"amx_int8:pixels_streamed", Isa::amx_int8, tile_order_support, prepare<TileOrder::pixels_streamed>};
}
KernelRow<Conv2dProblem> amx_int8_panels_row() {
  return {"amx_int8:panels", Isa::amx_int8, tile_order_support, prepare<TileOrder::panels>};
}

}  // namespace octavo::conv2d

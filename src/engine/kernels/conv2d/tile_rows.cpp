#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/conv2d/tile.h"

namespace octavo::conv2d {

KernelRow<Conv2dProblem> amx_int8_row() {
  return {"amx_int8", Isa::amx_int8, tiles_support, [](const Conv2dProblem& p, const Operands& operands) {
            return prepare_tiles(multiply_tiles_amx_int8, p, operands);
          }};
}

}  // namespace octavo::conv2d

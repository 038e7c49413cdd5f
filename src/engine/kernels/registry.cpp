#include "base/fail.h"
#include "engine/kernels/concat/table.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/convert/table.h"
#include "engine/kernels/copy/table.h"
#include "engine/kernels/eltwise/table.h"
#include "engine/kernels/family.h"
#include "engine/kernels/gather/table.h"
#include "engine/kernels/linear/table.h"
#include "engine/kernels/matmul/table.h"
#include "engine/kernels/pool/table.h"
#include "engine/kernels/reduce/table.h"
#include "engine/kernels/softmax/table.h"

namespace octavo {

std::span<const KernelFamily> kernel_families() {
  static const KernelFamily kFamilies[] = {
      make_family(conv2d_kernels()),           make_family(linear_kernels()),
      make_family(matmul_kernels()),           make_family(pool_kernels()),
      make_family(binary_kernels()),           make_family(unary_kernels()),
      make_family(convert_kernels()),          make_family(copy_kernels()),
      make_family(concat_kernels()),           make_family(reduce_kernels()),
      make_family(softmax_kernels()),          make_family(gather_kernels()),
      make_family(dynamic_quantize_kernels()),
  };
  return kFamilies;
}

const KernelFamily& family_of(std::string_view problem) {
  for (const KernelFamily& family : kernel_families()) {
    if (family.name == problem_family(problem)) return family;
  }
  fail(ErrorCode::invalid_argument, "no family of kernels solves problem '{}'", problem);
}

}  // namespace octavo

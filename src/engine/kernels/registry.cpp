#include "base/fail.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/family.h"
#include "engine/kernels/linear/table.h"
#include "engine/kernels/matmul/table.h"

namespace octavo {

std::span<const KernelFamily> kernel_families() {
  static const KernelFamily kFamilies[] = {
      make_family(conv2d_kernels()),
      make_family(linear_kernels()),
      make_family(matmul_kernels()),
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

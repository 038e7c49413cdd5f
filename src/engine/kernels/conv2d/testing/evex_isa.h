#pragma once
#include <vector>

#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/testing/direct_evex.h"

namespace octavo::testing {

/// The kernels of `avx_vnni` with the instruction of AVX-512 VNNI.
inline const DirectIsa& evex_isa() {
  static const DirectIsa kIsa = [] {
    DirectIsa isa = kDirectAvxVnni;
    isa.multiply = multiply_evex, isa.depthwise = depthwise_evex;
    return isa;
  }();
  return kIsa;
}

/// `table`, and before it a row that is never in it.
template <class Problem>
std::vector<KernelRow<Problem>> with_row(const KernelRow<Problem>& row,
                                         std::span<const KernelRow<Problem>> table) {
  std::vector<KernelRow<Problem>> rows{row};
  rows.insert(rows.end(), table.begin(), table.end());
  return rows;
}

}  // namespace octavo::testing

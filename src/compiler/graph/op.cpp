#include "compiler/graph/op.h"

#include "compiler/graph/ops/infer.h"

namespace octavo {

std::span<const OpDef> all_ops() {
  static const std::vector<OpDef> table = [] {
    std::vector<OpDef> all;
    for (auto* family : {ops::conv_ops, ops::matrix_ops, ops::pool_ops, ops::elementwise_ops,
                         ops::quantize_ops, ops::shape_ops, ops::reduce_ops}) {
      for (OpDef& def : family()) all.push_back(std::move(def));
    }
    return all;
  }();
  return table;
}

const OpDef* find_op(std::string_view name) noexcept {
  for (const OpDef& def : all_ops()) {
    if (def.name == name) return &def;
  }
  return nullptr;
}

}  // namespace octavo

#include "compiler/import/torchscript/op_table.h"

#include <unordered_map>

namespace octavo::torchscript {

const OpRow* find_op_row(std::string_view name) {
  static const std::unordered_map<std::string_view, const OpRow*> table = [] {
    std::unordered_map<std::string_view, const OpRow*> rows;
    for (auto* family : {conv_rows, pool_rows, arithmetic_rows, activation_rows, shape_rows, slice_rows,
                         quantize_rows, number_rows, list_rows}) {
      for (const OpRow& row : family()) rows.emplace(row.name, &row);
    }
    return rows;
  }();
  auto found = table.find(name);
  if (found == table.end() && name.ends_with('_') && !name.ends_with("__")) {
    found = table.find(name.substr(0, name.size() - 1));
  }
  return found == table.end() ? nullptr : found->second;
}

}  // namespace octavo::torchscript

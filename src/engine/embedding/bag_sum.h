#pragma once
#include <span>
#include <string_view>

#include "base/isa.h"
#include "engine/embedding/bag_block.h"
#include "engine/embedding/table_view.h"

namespace octavo {

/// One way to sum bags; all give the same bits.
struct BagSumRow {
  std::string_view name;
  Isa needs = Isa::generic;
  BagSum sum = nullptr;
};

/// Best first, the reference last.
std::span<const BagSumRow> bag_sum_rows();

/// The best for `isa`.
BagSum best_bag_sum(Isa isa);

/// `table` for kernels; points into it.
BagTable bag_table(const TableView& table);

}  // namespace octavo

#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/embedding/row_coding.h"

namespace octavo {

/// A table's rows, in memory that somebody else owns: `rows` times row_bytes, one after the other.
struct TableView {
  RowCoding coding;
  std::int64_t rows = 0;
  const std::byte* data = nullptr;
};

}  // namespace octavo

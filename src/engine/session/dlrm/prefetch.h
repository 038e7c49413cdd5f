#pragma once
#include <cstdint>
#include <span>

#include "engine/embedding/bag_block.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// How many samples ahead rows are asked for: a row comes from memory in about 150 ns, and more than some 100
/// lines on their way gain nothing.
inline constexpr std::int64_t kPrefetchSamples = 4;

/// Asks for the rows that a sample sums.
inline void prefetch_sample(std::span<const BagTable> tables, const DlrmBatch& batch,
                            std::int64_t sample) noexcept {
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const Bag bag = bag_of(batch, static_cast<std::int64_t>(t), sample);
    for (std::int64_t i = 0; i < bag.count; ++i) {
      const std::uint8_t* const row = tables[t].rows + bag.rows[i] * tables[t].row_bytes;
      for (std::int64_t byte = 0; byte < tables[t].row_bytes; byte += 64) __builtin_prefetch(row + byte);
    }
  }
}

}  // namespace octavo

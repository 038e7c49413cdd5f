#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "bench/peaks.h"

namespace octavo::bench {

/// How fast one row solves a problem.
struct RowTime {
  std::string row;
  std::string objection;  ///< why it does not; then there are no numbers
  double median_us = 0, best_us = 0;
  double ops_per_second = 0;  ///< of multiplications and additions of matrices; else 0
  /// Of products of 8 bits: of the register peak of the row's instruction set, measured just before; of
  /// f32's, of its peak. 0 = unknown, as of bf16's.
  double peak_fraction = 0;
  double bytes_per_second = 0;  ///< operands and result, each counted once
  /// Of the rate of L2 where all of these bytes have room in it, else of the memory's; 0 = unknown.
  double bandwidth_fraction = 0;
};

/// Times every row of the family of `problem` that is legal here on made-up operands, `batch` units of them,
/// on this thread: each for about `seconds`; the reference only where no products are counted.
/// Error(unsupported) for gather, whose indices cannot be made up.
std::vector<RowTime> time_rows(const std::string& problem, std::int64_t batch, double seconds,
                               const Peaks& peaks);

}  // namespace octavo::bench

#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace octavo {

/// The `count` values that stand for a histogram with the least squared error, ascending, in units of bins
/// (bin i holds values around i + 0.5). Exact: the best division of the bins into `count` intervals, each
/// standing for its mean. Where fewer bins than that are filled the last value is repeated.
std::vector<double> least_squares_bins(std::span<const std::int64_t> bins, std::int64_t count);

}  // namespace octavo

#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace octavo::bench {

/// The middle of `values`, the mean of the two middle ones of an even number; 0 of none.
double median(std::vector<double> values);

/// How much larger one of two things is that were measured in turns: the median of the turns, and the range.
struct Ratio {
  double median = 0, least = 0, most = 0;
};
/// "1.80 (1.70 - 1.90)"
std::string text_of(const Ratio& ratio);
nlohmann::ordered_json json_of(const Ratio& ratio);

/// By turn; what one of them has more is left out. All 0 without any.
Ratio ratio_by_turn(const std::vector<double>& ours, const std::vector<double>& theirs);

}  // namespace octavo::bench

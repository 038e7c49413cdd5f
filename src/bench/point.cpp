#include "bench/point.h"

namespace octavo::bench {

double Point::peak_fraction() const {
  if (arithmetic.peak_ops_per_second <= 0) return 0;
  return 2.0 * static_cast<double>(arithmetic.macs_per_item) * measured.items_per_second() /
         arithmetic.peak_ops_per_second;
}

}  // namespace octavo::bench

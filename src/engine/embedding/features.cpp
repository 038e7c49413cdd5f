#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/embedding/feature_block.h"
#include "package/row_format.h"

namespace octavo {
namespace {

void gather_row(const FeatureTable& t, const std::uint8_t* row, std::int8_t* dst) {
  const BagTable& table = t.bag;
  if (table.format == static_cast<std::int32_t>(RowFormat::s8_table)) {
    std::memcpy(dst, row, static_cast<std::size_t>(table.dim));
    return;
  }
  const std::int64_t half = (table.dim + 1) / 2;
  for (std::int64_t i = 0; i < half; ++i) dst[i] = t.codebook[row[i] & 15];
  for (std::int64_t i = half; i < table.dim; ++i) dst[i] = t.codebook[row[i - half] >> 4];
}

}  // namespace

void gather_features_reference(const FeatureWork& w) {
  for (std::int64_t sample = 0; sample < w.samples; ++sample) {
    for (const FeatureTable* t = w.tables; t != w.tables + w.table_count; ++t) {
      const std::int64_t* const indices = w.indices + t->number * w.index_stride;
      gather_row(*t, t->bag.rows + indices[sample] * t->bag.row_bytes,
                 w.features + sample * w.sample_bytes + t->place);
    }
  }
}

void quantize_features_reference(const float* values, std::int64_t count, float inverse_scale,
                                 std::int8_t* dst) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float nearest = std::nearbyint(values[i] * inverse_scale);
    dst[i] = static_cast<std::int8_t>(nearest > -127.0F ? std::min(nearest, 127.0F) : -127.0F);
  }
}

}  // namespace octavo

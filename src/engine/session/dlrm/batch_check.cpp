#include "engine/session/dlrm/batch_check.h"

#include <cmath>
#include <cstring>

#include "base/assert.h"
#include "base/fail.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {
namespace {

constexpr std::int64_t kMostSamples = std::int64_t{1} << 40;

/// Whether all are in 0 .. rows - 1: a negative one is large without its sign.
bool are_rows(const std::int64_t* indices, std::int64_t count, std::int64_t rows) noexcept {
  std::uint64_t outside = 0;
  for (std::int64_t i = 0; i < count; ++i)
    outside |= static_cast<std::uint64_t>(indices[i]) >= static_cast<std::uint64_t>(rows) ? 1U : 0U;
  return outside == 0;
}

bool are_finite(const float* values, std::int64_t count) noexcept {
  std::uint32_t found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof bits);
    found |= (bits & 0x7F800000U) == 0x7F800000U ? 1U : 0U;
  }
  return found == 0;
}

void check_offsets(const DlrmBatch& batch, std::int64_t tables) {
  std::int64_t before = 0;
  for (std::int64_t t = 0; t < tables; ++t) {
    for (std::int64_t s = 0; s <= batch.samples; ++s) {
      const std::int64_t offset = batch.offsets[static_cast<std::size_t>(t * (batch.samples + 1) + s)];
      if (offset < before || offset > std::ssize(batch.indices)) {
        fail(ErrorCode::invalid_argument, "table {}: offset {} of sample {} is not between {} and {}", t,
             offset, s, before, batch.indices.size());
      }
      before = offset;
    }
  }
}

void check_stride(const DlrmBatch& batch, std::int64_t tables) {
  if (batch.table_stride < batch.samples || batch.table_stride > kMostSamples) {
    fail(ErrorCode::invalid_argument, "a stride of {} indices from table to table, for {} samples",
         batch.table_stride, batch.samples);
  }
  const std::int64_t needed = tables > 0 ? (tables - 1) * batch.table_stride + batch.samples : 0;
  if (std::ssize(batch.indices) >= needed) return;
  fail(ErrorCode::invalid_argument, "{} indices, expected {} for {} tables {} apart", batch.indices.size(),
       needed, tables, batch.table_stride);
}

}  // namespace

void check_sizes(const DlrmBatch& batch, std::int64_t features, std::int64_t tables) {
  const std::int64_t samples = batch.samples;
  if (samples < 0 || samples > kMostSamples)
    fail(ErrorCode::invalid_argument, "a batch of {} samples", samples);
  if (std::ssize(batch.dense) != samples * features) {
    fail(ErrorCode::invalid_argument, "{} dense features, expected {} for each of {} samples",
         batch.dense.size(), features, samples);
  }
  if (batch.offsets.empty()) {
    if (batch.table_stride != 0) return check_stride(batch, tables);
    if (std::ssize(batch.indices) == samples * tables) return;
    fail(ErrorCode::invalid_argument, "{} indices, expected one for each of {} tables and {} samples",
         batch.indices.size(), tables, samples);
  }
  if (std::ssize(batch.offsets) != tables * (samples + 1)) {
    fail(ErrorCode::invalid_argument, "{} offsets, expected {} for each of {} tables", batch.offsets.size(),
         samples + 1, tables);
  }
  check_offsets(batch, tables);
}

bool is_valid(const DlrmBatch& batch, std::span<const std::int64_t> rows, std::int64_t first,
              std::int64_t samples) noexcept {
  const std::int64_t features = std::ssize(batch.dense) / batch.samples;
  bool valid = are_finite(batch.dense.data() + first * features, samples * features);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const Bag begin = bag_of(batch, static_cast<std::int64_t>(t), first);
    const Bag last = bag_of(batch, static_cast<std::int64_t>(t), first + samples - 1);
    valid = valid && are_rows(begin.rows, last.rows + last.count - begin.rows, rows[t]);
  }
  return valid;
}

void fail_invalid(const DlrmBatch& batch, std::span<const std::int64_t> rows) {
  const std::int64_t features = std::ssize(batch.dense) / batch.samples;
  for (std::int64_t s = 0; s < batch.samples; ++s) {
    for (std::int64_t i = 0; i < features; ++i) {
      const float value = batch.dense[static_cast<std::size_t>(s * features + i)];
      if (!std::isfinite(value))
        fail(ErrorCode::invalid_argument, "sample {}: dense feature {} is {}", s, i, value);
    }
    for (std::size_t t = 0; t < rows.size(); ++t) {
      const Bag bag = bag_of(batch, static_cast<std::int64_t>(t), s);
      for (std::int64_t i = 0; i < bag.count; ++i) {
        if (are_rows(bag.rows + i, 1, rows[t])) continue;
        fail(ErrorCode::invalid_argument, "sample {}: index {} of table {} is not in 0..{}", s, bag.rows[i],
             t, rows[t] - 1);
      }
    }
  }
  OCTAVO_ASSERT(false);
  std::abort();
}

}  // namespace octavo

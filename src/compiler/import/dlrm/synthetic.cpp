#include "compiler/import/dlrm/synthetic.h"

#include <cmath>

#include "base/fail.h"
#include "base/random.h"
#include "base/version.h"

namespace octavo {
namespace {

/// Deviation of an element in a row of middling norm: dot products of two rows of 128 have a deviation
/// near 1.
constexpr float kDeviation = 0.1F;

/// The sum of the four bytes in each half of `bits`: of independent bytes it is nearly normal, with mean 510
/// and deviation 147.8.
struct ByteSums {
  std::uint32_t low;
  std::uint32_t high;
};
constexpr ByteSums byte_sums(std::uint64_t bits) noexcept {
  constexpr std::uint64_t kEvenBytes = 0x00ff00ff00ff00ffU;
  std::uint64_t pairs = (bits & kEvenBytes) + (bits >> 8U & kEvenBytes);
  pairs += pairs >> 16U;
  return {static_cast<std::uint32_t>(pairs & 0xffffU), static_cast<std::uint32_t>(pairs >> 32U & 0xffffU)};
}

/// Element e of row r of table t is  kDeviation * 2^(u - 1) * n,  with u in [0, 2) of the row and n nearly
/// normal of (t, r, e).
class SyntheticTable : public TableSource {
 public:
  SyntheticTable(std::uint64_t seed, std::int64_t dim) : seed_(seed), dim_(dim) {}

  void read(std::int64_t first_row, std::span<float> dst) override {
    const auto dim = static_cast<std::size_t>(dim_);
    for (std::size_t i = 0; i < dst.size() / dim; ++i) {
      fill(mixed(seed_ + static_cast<std::uint64_t>(first_row) + i), dst.subspan(i * dim, dim));
    }
  }

 private:
  static void fill(std::uint64_t row_seed, std::span<float> row) {
    constexpr float kMean = 510.0F;
    constexpr float kBytesDeviation = 147.8F;
    const float u = static_cast<float>(row_seed >> 40U) * 0x1p-23F;
    const float scale = kDeviation * std::exp2(u - 1.0F) / kBytesDeviation;
    std::size_t e = 0;
    for (; e + 1 < row.size(); e += 2) {
      const ByteSums sums = byte_sums(mixed(row_seed + e));
      row[e] = scale * (static_cast<float>(sums.low) - kMean);
      row[e + 1] = scale * (static_cast<float>(sums.high) - kMean);
    }
    if (e < row.size()) row[e] = scale * (static_cast<float>(byte_sums(mixed(row_seed + e)).low) - kMean);
  }

  std::uint64_t seed_;
  std::int64_t dim_;
};

/// As DLRM starts them: weights of variance 2 / (inputs + outputs), bias of 1 / outputs.
DlrmLayer synthetic_layer(std::int64_t outputs, std::int64_t inputs, Random& random) {
  DlrmLayer layer{Tensor(DType::f32, {outputs, inputs}), Tensor(DType::f32, {outputs})};
  const double weight = std::sqrt(2.0 / static_cast<double>(inputs + outputs));
  const double bias = std::sqrt(1.0 / static_cast<double>(outputs));
  for (float& value : layer.weights.as<float>()) value = static_cast<float>(weight * random.normal());
  for (float& value : layer.bias.as<float>()) value = static_cast<float>(bias * random.normal());
  return layer;
}

std::int64_t scaled(std::int64_t rows, double scale) {
  const double wanted = std::ceil(static_cast<double>(rows) * scale);
  if (!(wanted <= static_cast<double>(kMostDlrmRows))) {
    fail(ErrorCode::invalid_argument, "rows scale {} gives a table of {} rows", scale, wanted);
  }
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(wanted));
}

}  // namespace

DlrmSource synthetic_dlrm(const DlrmModel& model, double rows_scale, std::uint64_t seed) {
  if (!(rows_scale > 0.0) || !std::isfinite(rows_scale)) {
    fail(ErrorCode::invalid_argument, "rows scale {}, expected a positive number", rows_scale);
  }
  DlrmSource source;
  source.model = model;
  source.provenance = {fmt::format("synthetic {}, rows x {}, seed {}", model.name, rows_scale, seed), 0,
                       fmt::format("octavo {}", kVersion)};
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    source.model.tables[t] = {.rows = scaled(model.tables[t].rows, rows_scale)};
    source.tables.push_back(std::make_unique<SyntheticTable>(mixed(seed) + mixed(t), model.dim));
  }
  check(source.model);
  Random random(mixed(seed) ^ 0x6c61796572U);
  for (std::size_t i = 0; i < model.bottom.size(); ++i) {
    source.bottom.push_back(synthetic_layer(model.bottom[i], bottom_inputs(model, i), random));
  }
  for (std::size_t i = 0; i < model.top.size(); ++i) {
    source.top.push_back(synthetic_layer(model.top[i], top_inputs(model, i), random));
  }
  return source;
}

}  // namespace octavo

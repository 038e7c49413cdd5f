#pragma once
#include <cstdint>

#include "engine/kernels/matmul/problem.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo::matmul {

/// The quantization of b, one for all or one per column of the result: an entry for each column.
ChannelQuantization column_quantization(const MatmulProblem& p, const Operand& b);
/// By what each column's sums are multiplied before they are rounded: scale(a) * scale(b) / scale(y).
std::vector<float> column_multipliers(const Operand& a, const ChannelQuantization& b, float y_scale);

/// The rows of a product's result at a given batch, counted over all matrices, and where their operands lie.
/// With grows=batches an operand grows with the batch when it has as many matrices as the result, so both do
/// when `batches` is 1.
class MatmulRows {
 public:
  MatmulRows(const MatmulProblem& p, std::int64_t batch) noexcept
      : problem_(p),
        matrices_(p.grows == MatmulGrows::batches ? p.batches * batch : p.batches),
        rows_(p.grows == MatmulGrows::rows ? p.m * batch : p.m) {}

  [[nodiscard]] std::int64_t count() const noexcept { return matrices_ * rows_; }
  /// Rows of one matrix.
  [[nodiscard]] std::int64_t per_matrix() const noexcept { return rows_; }
  /// Elements before row `row` of a.
  [[nodiscard]] std::int64_t a_offset(std::int64_t row) const noexcept {
    return (problem_.a_batches == problem_.batches ? row : row % rows_) * problem_.k;
  }
  /// Elements before the matrix of b that row `row` is multiplied with.
  [[nodiscard]] std::int64_t b_offset(std::int64_t row) const noexcept {
    return problem_.b_batches == problem_.batches ? row / rows_ * problem_.k * problem_.n : 0;
  }

 private:
  const MatmulProblem& problem_;
  std::int64_t matrices_;
  std::int64_t rows_;
};

}  // namespace octavo::matmul

#pragma once
#include <cstdint>
#include <span>

#include "octavo/dlrm.h"

namespace octavo {

/// Error(invalid_argument) when the sizes of a batch do not agree with each other or the model, or offsets
/// fall or leave the indices.
void check_sizes(const DlrmBatch& batch, std::int64_t features, std::int64_t tables);

/// Whether all indices of the samples `first` .. `first + samples` are rows of their tables and their dense
/// features are finite.
bool is_valid(const DlrmBatch& batch, std::span<const std::int64_t> rows, std::int64_t first,
              std::int64_t samples) noexcept;

/// Throws the Error(invalid_argument) for the first sample that is not valid.
[[noreturn]] void fail_invalid(const DlrmBatch& batch, std::span<const std::int64_t> rows);

}  // namespace octavo

#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "engine/session/dlrm/fused_pipeline.h"

namespace octavo {

/// The kernels that make feature vectors of rows.
struct DlrmBf16Gather {
  BagSum sum;
  void (*codes)(const std::uint8_t* row, std::int64_t dim, const std::uint16_t* levels, std::uint16_t* dst);
  void (*round)(const float* values, std::int64_t count, std::uint16_t* dst);
};

/// The fused pipeline with these kernels.
std::unique_ptr<DlrmPipeline> prepare_bf16(const DlrmData& data, const DlrmKernels& kernels,
                                           const DlrmBf16Gather& gather);
/// The rules of Bf16Layers, value by value.
std::unique_ptr<DlrmPipeline> prepare_bf16_reference(const DlrmData& data);

/// Each gives the same bits at any batch and number of threads; rows differ by the order of their sums.
std::span<const DlrmRow> dlrm_bf16_rows();

}  // namespace octavo

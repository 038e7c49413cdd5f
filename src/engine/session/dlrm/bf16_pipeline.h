#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "engine/embedding/bag_block.h"
#include "engine/kernels/dlrm/work.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// The kernels that the fused bf16 pipeline calls.
struct DlrmBf16Kernels {
  void (*input)(const DlrmInputWork&);
  void (*layer)(const DlrmLayerWork&);
  void (*dots)(const DlrmDotsWork&);
  void (*last)(const DlrmLastWork&);
  BagSum sum;
  void (*codes)(const std::uint8_t* row, std::int64_t dim, const std::uint16_t* levels, std::uint16_t* dst);
  void (*round)(const float* values, std::int64_t count, std::uint16_t* dst);
};

/// The fused pipeline with these kernels.
std::unique_ptr<DlrmPipeline> prepare_bf16(const DlrmData& data, const DlrmBf16Kernels& kernels);
/// The rules of Bf16Layers, value by value.
std::unique_ptr<DlrmPipeline> prepare_bf16_reference(const DlrmData& data);

/// Each gives the same bits at any batch and number of threads; rows differ by the order of their sums.
std::span<const DlrmRow> dlrm_bf16_rows();

}  // namespace octavo

#pragma once
#include <memory>
#include <vector>

#include "engine/embedding/bag_block.h"
#include "engine/embedding/feature_block.h"
#include "engine/kernels/dlrm/work.h"
#include "engine/session/dlrm/int8_numbers.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// The kernels that the fused int8 pipeline calls.
struct DlrmInt8Kernels {
  void (*input)(const DlrmInputWork&);
  void (*layer)(const DlrmLayerWork&);
  void (*dots)(const DlrmDotsWork&);
  void (*last)(const DlrmLastWork&);
  void (*gather)(const FeatureWork&);
  BagSum sum;
  void (*quantize)(const float* values, std::int64_t count, float inverse_scale, std::int8_t* dst);
};

/// The fused pipeline with these kernels.
std::unique_ptr<DlrmPipeline> prepare_int8(const DlrmData& data, const DlrmInt8Kernels& kernels);
/// The rules of Int8Numbers, value by value.
std::unique_ptr<DlrmPipeline> prepare_int8_reference(const DlrmData& data);

std::span<const DlrmRow> dlrm_int8_rows();

}  // namespace octavo
